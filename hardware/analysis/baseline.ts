/** What the machine draws when it does nothing, from idle windows around the blocks, with its uncertainty. */

import type { PowerIntegral } from './integral.ts';
import { HardwareError } from '../instrument/errors.ts';
import { standardDeviation } from '../../statistics/moments.ts';

/** One idle window. */
export interface IdleLevel {
  readonly startS: number;
  readonly endS: number;
  readonly meanW: number;
  /** Standard error of the mean, in W. */
  readonly errorW: number;
  /** What rounding adds to the mean, in W, as a standard deviation: every level has it alike. */
  readonly sharedW: number;
  /** Standard deviation of the samples, in W. */
  readonly sampleSdW: number;
  readonly samples: number;
}

/** Idle power over a session. */
export interface Baseline {
  /** In order of time. */
  readonly levels: readonly IdleLevel[];
  /** Standard deviation of one sample while idle, in W, over all windows. */
  readonly noiseW: number;
  /** How much more the levels differ from the line between their neighbours than their errors explain, in W. */
  readonly wanderW: number;
  /** What rounding adds to all levels alike, in W, as a standard deviation. */
  readonly sharedW: number;
}

/** Idle power at one time. */
export interface IdlePower {
  readonly powerW: number;
  /** Standard uncertainty, in W. */
  readonly uncertaintyW: number;
  /** The part that all windows of a run share and that no number of them takes away; not in `uncertaintyW`. */
  readonly sharedW: number;
  /** True before the first and after the last idle window: nothing on one side says how idle power drifted. */
  readonly extrapolated: boolean;
}

const PARTS = 10;

/** Standard error of a mean by the means of parts, which sees noise that lasts longer than a sample; in W. */
function partsErrorW(integral: PowerIntegral, startS: number, endS: number): number {
  return standardDeviation(partMeans(integral, startS, endS)) / Math.sqrt(PARTS);
}

/** Mean power of the equal parts of a stretch, ten unless told, in W. */
export function partMeans(integral: PowerIntegral, startS: number, endS: number, parts: number = PARTS): number[] {
  const stepS = (endS - startS) / parts;
  return Array.from({ length: parts }, (_, part) => {
    const fromS = startS + part * stepS;
    return integral.over(fromS, fromS + stepS).energyJ / stepS;
  });
}

/**
 * Standard error of a counter's mean: that of its two readings, each rounded down by up to a step; and how its power varies
 * from part to part, where that is more than the steps of the parts' own readings make of it.
 */
function counterErrorW(integral: PowerIntegral, startS: number, endS: number): number {
  const readingsJ = integral.step / Math.sqrt(6);
  const durationS = endS - startS;
  const ofPartsW = readingsJ / (durationS / PARTS) / Math.sqrt(PARTS);
  const varied = partsErrorW(integral, startS, endS) ** 2 - ofPartsW ** 2;
  return Math.hypot(readingsJ / durationS, Math.sqrt(Math.max(0, varied)));
}

function samplesWithin(integral: PowerIntegral, startS: number, endS: number): Float64Array {
  const { timeS, value, rule } = integral.trace;
  if (rule === 'counter') {
    const steps: number[] = [];
    for (let index = 1; index < timeS.length; index++) {
      const fromS = timeS[index - 1] as number;
      const toS = timeS[index] as number;
      if (fromS >= startS && toS <= endS) steps.push(integral.over(fromS, toS).energyJ / (toS - fromS));
    }
    return Float64Array.from(steps);
  }
  return value.filter((_, index) => (timeS[index] as number) >= startS && (timeS[index] as number) <= endS);
}

function levelOf(integral: PowerIntegral, startS: number, endS: number): IdleLevel {
  const durationS = endS - startS;
  const stretch = integral.over(startS, endS);
  const limitS = 0.001 * durationS;
  if (!(durationS > 0) || stretch.uncoveredS > limitS) {
    throw new HardwareError('UNCOVERED', { startS, endS, uncoveredS: stretch.uncoveredS, limitS });
  }
  const values = samplesWithin(integral, startS, endS);
  const sampleSdW = values.length < 2 ? 0 : standardDeviation(values);
  return {
    startS,
    endS,
    meanW: stretch.energyJ / durationS,
    errorW: errorOf(integral, { startS, endS }, sampleSdW, values.length),
    sharedW: integral.roundingW(startS, endS),
    sampleSdW,
    samples: stretch.samples,
  };
}

function errorOf(
  integral: PowerIntegral,
  { startS, endS }: { readonly startS: number; readonly endS: number },
  sampleSdW: number,
  samples: number,
): number {
  const durationS = endS - startS;
  const hasSteps = integral.trace.rule === 'counter' && integral.step > 0;
  if (hasSteps) return counterErrorW(integral, startS, endS);
  const fresh = Math.max(1, Math.min(samples, durationS / integral.refreshS));
  const parts = durationS / PARTS >= 2 * integral.refreshS ? partsErrorW(integral, startS, endS) : 0;
  return Math.max(sampleSdW / Math.sqrt(fresh), parts);
}

const middleOf = (level: IdleLevel): number => (level.startS + level.endS) / 2;

interface Between {
  readonly powerW: number;
  readonly varianceW2: number;
}

function between(before: IdleLevel, after: IdleLevel, timeS: number): Between {
  const share = (timeS - middleOf(before)) / (middleOf(after) - middleOf(before));
  return {
    powerW: before.meanW + share * (after.meanW - before.meanW),
    varianceW2: ((1 - share) * before.errorW) ** 2 + (share * after.errorW) ** 2,
  };
}

/** Each level against the line between its neighbours: what is left after their errors is wander. */
function wanderOf(levels: readonly IdleLevel[]): number {
  let excess = 0;
  for (let index = 1; index + 1 < levels.length; index++) {
    const level = levels[index] as IdleLevel;
    const line = between(levels[index - 1] as IdleLevel, levels[index + 1] as IdleLevel, middleOf(level));
    excess += (level.meanW - line.powerW) ** 2 - level.errorW ** 2 - line.varianceW2;
  }
  return levels.length < 3 ? 0 : Math.sqrt(Math.max(0, excess / (levels.length - 2)));
}

/**
 * Measures the idle windows.
 * @throws HardwareError UNCOVERED when one has gaps, TRACE_INVALID when there is none
 */
export function measureBaseline(
  integral: PowerIntegral,
  windows: readonly { readonly startS: number; readonly endS: number }[],
): Baseline {
  if (windows.length === 0) {
    const source = integral.trace.source;
    throw new HardwareError('TRACE_INVALID', { source, expected: 'at least one idle window', got: 'none' });
  }
  const levels = windows.map(({ startS, endS }) => levelOf(integral, startS, endS));
  levels.sort((a, b) => a.startS - b.startS);
  const squares = levels.reduce((sum, level) => sum + level.sampleSdW ** 2 * Math.max(1, level.samples - 1), 0);
  const freedom = levels.reduce((sum, level) => sum + Math.max(1, level.samples - 1), 0);
  const sharedW = Math.max(...levels.map((level) => level.sharedW));
  return { levels, noiseW: Math.sqrt(squares / freedom), wanderW: wanderOf(levels), sharedW };
}

/** Idle power at a time: on the line between the middles of the idle windows around it. */
export function idlePowerAt(baseline: Baseline, timeS: number): IdlePower {
  const { levels, wanderW, sharedW } = baseline;
  const next = levels.findIndex((level) => middleOf(level) >= timeS);
  if (next > 0) {
    const line = between(levels[next - 1] as IdleLevel, levels[next] as IdleLevel, timeS);
    const uncertaintyW = Math.sqrt(line.varianceW2 + wanderW ** 2);
    return { powerW: line.powerW, uncertaintyW, sharedW, extrapolated: false };
  }
  const only = (next === 0 ? levels[0] : levels.at(-1)) as IdleLevel;
  return { powerW: only.meanW, uncertaintyW: Math.hypot(only.errorW, wanderW), sharedW, extrapolated: true };
}
