/** The normal distribution: its bounds, and deviates from it. */

import type { Random } from './random.ts';

/** A normal variable lies within this many standard deviations of its mean with probability 0.95: quantile 0.975, rounded. */
export const NORMAL_BOUND_95 = 1.959964;

/** A normal variable lies below this many standard deviations above its mean with probability 0.8: quantile 0.8, rounded. */
export const NORMAL_QUANTILE_80 = 0.841621;

/** A normal deviate of mean 0 and standard deviation 1, from two numbers of the generator (Box and Muller 1958). */
export function normalFrom(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
