/**
 * What instants do not see between them: a load whose period is near that of the sampling, or a multiple of it, is seen at
 * one phase again and again. Two ways to notice: the period of the calls is known, and like windows begin at different phases
 * and then differ by more than their samples explain. Pure functions.
 */

import { standardDeviation } from '../../statistics/moments.ts';
import { studentBound } from '../../statistics/student.ts';
import { NORMAL_BOUND_95 } from '../../statistics/normal.ts';
import type { PowerIntegral } from './integral.ts';

/** Samples that keep to one phase of a period more than this (`phaseLock`) see that phase, and not the load. */
export const LOCKED = 0.5;

/** Harmonics of a load that are looked at, and the most samples. */
const HARMONICS = 3;
const MOST_SAMPLES = 20_000;

/** Sampled more often than this in a period, a load cannot hide between the samples. */
const FINE = 20;

/**
 * How much the samples of a window keep to one phase of a period: 1 for samples in step with it or with a harmonic, near 0
 * for those that see all phases. By the mean resultant length (Mardia and Jupp 2000, 2.3).
 * @param periodS of the load, in seconds
 */
export function phaseLock(integral: PowerIntegral, startS: number, endS: number, periodS: number): number {
  const { timeS, rule } = integral.trace;
  const { first, last } = integral.samplesWithin(startS, endS);
  const samples = last - first + 1;
  if (rule !== 'instant' || samples < 2 || samples > MOST_SAMPLES || periodS > FINE * integral.refreshS) return 0;
  let most = 0;
  for (let harmonic = 1; harmonic <= HARMONICS; harmonic++) {
    let cosines = 0;
    let sines = 0;
    for (let at = first; at <= last; at++) {
      const turn = (2 * Math.PI * harmonic * ((timeS[at] as number) - startS)) / periodS;
      cosines += Math.cos(turn);
      sines += Math.sin(turn);
    }
    most = Math.max(most, Math.hypot(cosines, sines) / samples);
  }
  return most;
}

/** Quantile 0.99 of chi-squared over its degrees of freedom (Wilson and Hilferty 1931). */
function greatestByChance(freedom: number): number {
  const part = 2 / (9 * freedom);
  return (1 - part + 2.326348 * Math.sqrt(part)) ** 3;
}

/** Mean power of one of several like windows, above idle, with its own standard uncertainty; in W. */
export interface LikePower {
  readonly powerW: number;
  readonly ownW: number;
}

/** Fewest windows that can differ. */
const FEWEST = 4;

/**
 * How much like windows differ beyond what their uncertainties explain, in W, as a standard deviation that is to be taken
 * times 1.96 (Student's factor is in it); 0 where chance explains it in one of a hundred cases.
 */
export function unexplainedW(windows: readonly LikePower[]): number {
  if (windows.length < FEWEST) return 0;
  const freedom = windows.length - 1;
  const found = standardDeviation(windows.map(({ powerW }) => powerW)) ** 2;
  const explained = windows.reduce((sum, { ownW }) => sum + ownW ** 2, 0) / windows.length;
  if (found <= explained * greatestByChance(freedom)) return 0;
  return (Math.sqrt(found - explained) * studentBound(freedom)) / NORMAL_BOUND_95;
}
