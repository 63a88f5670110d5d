/** What is told of a sample. */

import { mean, standardDeviation } from './moments.ts';
import { median, nearestRank, sorted } from './quantiles.ts';

/** A sample in its own unit: `n` is how many values, all others have that unit and are NaN where there are too few values. */
export interface Description {
  readonly n: number;
  readonly mean: number;
  /** Standard deviation of a sample (n - 1). */
  readonly sd: number;
  readonly median: number;
  /** Percentiles by the nearest rank (Hyndman and Fan's type 1). */
  readonly p5: number;
  readonly p95: number;
  readonly p99: number;
  readonly min: number;
  readonly max: number;
}

/** Describes a sample, in any order. */
export function describeSample(values: Iterable<number>): Description {
  const ascending = sorted(values);
  return {
    n: ascending.length,
    mean: mean(ascending),
    sd: standardDeviation(ascending),
    median: median(ascending),
    p5: nearestRank(ascending, 0.05),
    p95: nearestRank(ascending, 0.95),
    p99: nearestRank(ascending, 0.99),
    min: ascending[0] ?? Number.NaN,
    max: ascending.at(-1) ?? Number.NaN,
  };
}
