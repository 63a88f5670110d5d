/** Spread and outliers by the median, which a wild value does not move. Pure functions. */

import { median, sorted } from './quantiles.ts';

/** Median of the distances to the median, not scaled; NaN of none. */
export function medianAbsoluteDeviation(ascending: Float64Array): number {
  const centre = median(ascending);
  return median(ascending.map((value) => Math.abs(value - centre)).sort());
}

/**
 * The standard deviation that normal values of this median absolute deviation have: 1.4826 times it, 1 over the normal
 * quantile of 3/4 (Rousseeuw and Croux 1993). NaN of none.
 */
export function robustDeviation(values: Iterable<number>): number {
  return 1.4826 * medianAbsoluteDeviation(sorted(values));
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
