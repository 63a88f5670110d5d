/** Descriptions of samples: pure functions over numbers, tested against published values. */

import { quantile } from './statistics.ts';

/** In order, for functions that want it so; the values stay as they are. */
export function sorted(values: Iterable<number>): Float64Array {
  return Float64Array.from(values).sort();
}

/** The middle value, or the mean of the two in the middle; NaN of none. */
export function median(ascending: Float64Array): number {
  const { length } = ascending;
  if (length === 0) return Number.NaN;
  const upper = ascending[length >> 1] as number;
  return length % 2 === 1 ? upper : ((ascending[(length >> 1) - 1] as number) + upper) / 2;
}

export function mean(values: ArrayLike<number>): number {
  const shift = values[0] ?? Number.NaN;
  let sum = 0;
  // Around the first value: large values that lie close together would lose their last digits.
  for (let at = 0; at < values.length; at++) sum += (values[at] as number) - shift;
  return shift + sum / values.length;
}

/** Of a sample (divided by n - 1), in two passes (Chan, Golub and LeVeque 1983); NaN of fewer than two values. */
export function standardDeviation(values: ArrayLike<number>): number {
  const { length } = values;
  if (length < 2) return Number.NaN;
  const centre = mean(values);
  let squares = 0;
  let rest = 0;
  for (let at = 0; at < length; at++) {
    const off = (values[at] as number) - centre;
    squares += off * off;
    rest += off;
  }
  return Math.sqrt((squares - (rest * rest) / length) / (length - 1));
}

/** The n-th root of a product, by logarithms: how ratios are averaged (Fleming and Wallace 1986). */
export function geometricMean(ratios: ArrayLike<number>): number {
  let sum = 0;
  for (let at = 0; at < ratios.length; at++) sum += Math.log(ratios[at] as number);
  return Math.exp(sum / ratios.length);
}

/** Median of the distances to the median, not scaled. */
export function medianAbsoluteDeviation(ascending: Float64Array): number {
  const centre = median(ascending);
  return median(ascending.map((value) => Math.abs(value - centre)).sort());
}

/**
 * How far a value lies from the others: 0.6745 (value - median) / MAD (Iglewicz and Hoaglin 1993, who call more than 3.5 an
 * outlier). 0 where the others do not differ at all and the value is one of them, infinite where it is not.
 */
export function modifiedZScore(value: number, ascending: Float64Array): number {
  const off = value - median(ascending);
  if (off === 0) return 0;
  return (0.6745 * off) / medianAbsoluteDeviation(ascending);
}

/** What is told of a sample, in its own unit. */
export interface Description {
  readonly n: number;
  readonly mean: number;
  readonly sd: number;
  readonly median: number;
  readonly p5: number;
  readonly p95: number;
  readonly p99: number;
  readonly min: number;
  readonly max: number;
}

export function describeSample(values: Iterable<number>): Description {
  const ascending = sorted(values);
  return {
    n: ascending.length,
    mean: mean(ascending),
    sd: standardDeviation(ascending),
    median: median(ascending),
    p5: quantile(ascending, 0.05),
    p95: quantile(ascending, 0.95),
    p99: quantile(ascending, 0.99),
    min: ascending[0] ?? Number.NaN,
    max: ascending.at(-1) ?? Number.NaN,
  };
}
