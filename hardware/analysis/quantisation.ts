/**
 * Steps of a meter: which ones its values show, and what they hide. A rounded value errs by up to half a step, and its mean
 * by as much however long it is taken, unless noise carries it over several steps (dither). Pure functions.
 */

import type { PowerTrace } from './trace.ts';
import { sorted } from '../../statistics/quantiles.ts';

/** So many values, evenly over the trace, say what its steps are. */
const LOOKED_AT = 20_000;

/** Fewest levels that show a step, and how often each is seen on average. */
const SHOWN = { levels: 3, seen: 4 } as const;

/** Levels lie on a lattice when they miss it by less than this share of its step. */
const LATTICE_SHARE = 1e-3;

/** Values closer than this share of the greatest one differ by the rounding of their digits only. */
const ROUNDING_SHARE = 1e-9;
const COUNTER_ROUNDING_SHARE = 1e-12;

/** The values in ascending order, those as one that are closer than `least`. */
function distinct(values: Iterable<number>, least: number): number[] {
  const ascending = sorted(values);
  const levels: number[] = [];
  for (const value of ascending) {
    if (levels.length === 0 || value - (levels.at(-1) as number) > least) levels.push(value);
  }
  return levels;
}

/** The smallest distance of two levels, where all levels lie on a lattice of it; else 0. */
function latticeOf(levels: readonly number[]): number {
  let step = Number.POSITIVE_INFINITY;
  for (let at = 1; at < levels.length; at++) {
    step = Math.min(step, (levels[at] as number) - (levels[at - 1] as number));
  }
  const first = levels[0] as number;
  const fits = levels.every((level) => {
    const steps = (level - first) / step;
    return Math.abs(steps - Math.round(steps)) < LATTICE_SHARE;
  });
  return fits ? step : 0;
}

function stepOfPower({ value }: PowerTrace): number {
  const stride = Math.max(1, Math.floor(value.length / LOOKED_AT));
  const seen = stride === 1 ? value : value.filter((_, index) => index % stride === 0);
  const greatest = seen.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
  const levels = distinct(seen, ROUNDING_SHARE * greatest);
  if (levels.length < SHOWN.levels) return seen.length < FEW.values ? 0 : decimalPlaceOf(levels);
  return levels.length * SHOWN.seen > seen.length ? 0 : latticeOf(levels);
}

/** So many values without any noise on one level or two are rounded ones: by their last decimal, where there is none or one. */
const FEW = { values: 100, places: [1, 0.1] } as const;

function decimalPlaceOf(levels: readonly number[]): number {
  const isMultiple = (place: number): boolean =>
    levels.every((level) => Math.abs(level / place - Math.round(level / place)) < LATTICE_SHARE);
  return FEW.places.find(isMultiple) ?? 0;
}

/** A counter's readings rise; what repeats are its increments. */
function stepOfCounter({ value }: PowerTrace): number {
  const rises: number[] = [];
  const least = COUNTER_ROUNDING_SHARE * Math.abs(value.at(-1) as number);
  for (let at = 1; at < value.length && rises.length < LOOKED_AT; at++) {
    const rise = (value[at] as number) - (value[at - 1] as number);
    if (rise > least) rises.push(rise);
  }
  const sizes = distinct(rises, least);
  // Rises that are all alike come from a steady load as well, or from a counter that is told at each step, exactly there.
  const isAlike = sizes.length === 1 && rises.length === value.length - 1;
  return sizes.length === 0 || isAlike ? 0 : latticeOf([0, ...sizes]);
}

/** The step that the values show, in W or J; 0 when they show none: too few levels, or levels on no lattice. */
export function shownStep(trace: PowerTrace): number {
  return trace.rule === 'counter' ? stepOfCounter(trace) : stepOfPower(trace);
}

const HARMONICS = 60;

/**
 * Standard deviation of what rounding adds to a mean, in the unit of the step: step / sqrt(12) without noise, and with noise
 * of standard deviation `noise` before the rounding less, by the characteristic function of the noise at multiples of
 * 2 pi / step (Widrow and Kollar 2008, chapter 4).
 */
export function roundingError(step: number, noise: number): number {
  if (step === 0) return 0;
  if (noise === 0) return step / Math.sqrt(12);
  let variance = 0;
  for (let harmonic = 1; harmonic <= HARMONICS; harmonic++) {
    const turn = (2 * Math.PI * harmonic * noise) / step;
    variance += (step / (Math.PI * harmonic)) ** 2 / 2 / Math.exp(turn * turn);
  }
  return Math.sqrt(variance);
}

/** Share of the values that a level needs to count as one that noise reaches. */
const REACHED_SHARE = 0.02;

/**
 * Standard deviation of the noise before the rounding, as far as the values show it: 0 unless three neighbouring levels are
 * reached. With two, noise may be as small as it likes: the power then lies near the bound between them.
 */
export function shownDither(values: ArrayLike<number>, step: number): number {
  if (step === 0 || values.length === 0) return 0;
  const counts = new Map<number, number>();
  let most = 0;
  for (let at = 0; at < values.length; at++) {
    const level = Math.round((values[at] as number) / step);
    const count = (counts.get(level) ?? 0) + 1;
    counts.set(level, count);
    if (count > (counts.get(most) ?? 0)) most = level;
  }
  const isReached = (level: number): boolean => (counts.get(level) ?? 0) >= Math.max(2, REACHED_SHARE * values.length);
  let low = most;
  let high = most;
  while (isReached(low - 1)) low--;
  while (isReached(high + 1)) high++;
  if (high - low < 2) return 0;
  let all = 0;
  let sum = 0;
  let squares = 0;
  for (let level = low; level <= high; level++) {
    const count = counts.get(level) as number;
    all += count;
    sum += count * level;
    squares += count * level * level;
  }
  // Rounding itself adds step^2 / 12 (Sheppard).
  const variance = squares / all - (sum / all) ** 2 - 1 / 12;
  return step * Math.sqrt(Math.max(0, variance));
}
