/**
 * What a power source can resolve, from watching it under a steady load: how often it renews its value, in which steps, how
 * noisy it is, and from these the shortest window and the smallest effect. Pure functions over a recorded trace.
 */

import { NORMAL_BOUND_95, NORMAL_QUANTILE_80 } from '../../statistics/normal.ts';
import { interpolated, median, sorted } from '../../statistics/quantiles.ts';
import { medianIntervalS, type PowerTrace } from '../analysis/trace.ts';
import { HardwareError } from '../instrument/errors.ts';

/** What a source can resolve. */
export interface SourceCharacter {
  readonly source: string;
  readonly samples: number;
  readonly durationS: number;
  /** Time between readings, and the 99th percentile of it, in seconds. */
  readonly intervalS: number;
  readonly intervalP99S: number;
  /** Time between new values, in seconds: median over the runs of equal values. */
  readonly refreshS: number;
  /** Share of readings that repeat the one before. */
  readonly repeatedShare: number;
  /** Oldest a value gets before it is renewed, in seconds: 95th percentile of the runs. */
  readonly stalenessS: number;
  /** Smallest step between two values, in W; 0 when all values are equal. */
  readonly stepW: number;
  /** Standard deviation of a new value from one to the next, in W: slow changes of the load do not count. */
  readonly noiseW: number;
  /** Shortest window of which something can be said: ten new values. */
  readonly smallestWindowS: number;
  /** Smallest difference of power between two such windows that is seen with 80 % power at 5 %, in W. */
  readonly smallestEffectW: number;
  readonly synthetic: boolean;
}

/** (z(0.975) + z(0.8)) of the standard normal distribution: the usual size of test and power. */
const DETECTION: number = NORMAL_BOUND_95 + NORMAL_QUANTILE_80;

const NEW_VALUES = 10;

/** Powers between readings for a counter, values otherwise. */
function powersOf(trace: PowerTrace): { timeS: number[]; powerW: number[] } {
  const timeS = [...trace.timeS];
  if (trace.rule !== 'counter') return { timeS, powerW: [...trace.value] };
  const powerW: number[] = [];
  for (let index = 1; index < timeS.length; index++) {
    const widthS = (timeS[index] as number) - (timeS[index - 1] as number);
    powerW.push(((trace.value[index] as number) - (trace.value[index - 1] as number)) / widthS);
  }
  return { timeS: timeS.slice(1), powerW };
}

/** Noise of one value from the differences of neighbours (von Neumann 1941), free of slow drift. */
function noiseOf(values: readonly number[]): number {
  let sum = 0;
  for (let index = 1; index < values.length; index++)
    sum += ((values[index] as number) - (values[index - 1] as number)) ** 2;
  return values.length < 2 ? 0 : Math.sqrt(sum / (2 * (values.length - 1)));
}

/** Times and values at which the value changed. A counter is looked at itself: its powers would hide repeats. */
function changesOf(trace: PowerTrace): number[] {
  const changes: number[] = [];
  for (let index = 1; index < trace.value.length; index++) {
    if (trace.value[index] !== trace.value[index - 1]) changes.push(trace.timeS[index] as number);
  }
  return changes;
}

function smallestStep(values: readonly number[]): number {
  const levels = sorted(new Set(values));
  let step = Number.POSITIVE_INFINITY;
  for (let index = 1; index < levels.length; index++) {
    const width = (levels[index] as number) - (levels[index - 1] as number);
    // Decimal fractions in binary: less than this is no step.
    if (width > 1e-9) step = Math.min(step, width);
  }
  return Number.isFinite(step) ? step : 0;
}

/**
 * Characterises a source. Read it several times as fast as it renews its values, or the refresh shows as the interval.
 * @throws HardwareError TRACE_INVALID for fewer than 30 readings
 */
export function characterise(trace: PowerTrace): SourceCharacter {
  const samples = trace.timeS.length;
  if (samples < 30) {
    throw new HardwareError('TRACE_INVALID', { source: trace.source, expected: 'at least 30 readings', got: samples });
  }
  const durationS = (trace.timeS.at(-1) as number) - (trace.timeS[0] as number);
  const intervals = Float64Array.from(
    trace.timeS.subarray(1),
    (timeS, index) => timeS - (trace.timeS[index] as number),
  );
  const intervalS = medianIntervalS(trace.timeS);
  const changes = changesOf(trace);
  const runs = changes.slice(1).map((timeS, index) => timeS - (changes[index] as number));
  const { powerW } = powersOf(trace);
  const fresh = powerW.filter((value, index) => index === 0 || value !== powerW[index - 1]);
  // A value that never changed says that a refresh takes at least as long as was watched.
  const refreshS = runs.length === 0 ? durationS : Math.max(intervalS, median(sorted(runs)));
  const stepW = smallestStep(powerW);
  const noiseW = Math.hypot(noiseOf(fresh), stepW / Math.sqrt(12));
  return {
    source: trace.source,
    samples,
    durationS,
    intervalS,
    intervalP99S: interpolated(sorted(intervals), 0.99),
    refreshS,
    repeatedShare: 1 - (changes.length + 1) / samples,
    stalenessS: runs.length === 0 ? durationS : interpolated(sorted(runs), 0.95),
    stepW,
    noiseW,
    smallestWindowS: NEW_VALUES * refreshS,
    smallestEffectW: DETECTION * noiseW * Math.sqrt(2 / NEW_VALUES),
    synthetic: trace.synthetic,
  };
}

/** Smallest difference of mean power between two windows of a length, in W, seen with 80 % power at 5 %. */
export function smallestEffectW(character: SourceCharacter, windowS: number): number {
  const values = Math.max(1, Math.floor(windowS / character.refreshS));
  return DETECTION * character.noiseW * Math.sqrt(2 / values);
}
