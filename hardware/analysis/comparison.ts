/** Energy per call from batches, and the ratio of two targets' energies as time ratio times power ratio. */

import { HardwareError } from '../instrument/errors.ts';
import { repeated, studentisedInterval } from '../../statistics/bootstrap.ts';
import { mean } from '../../statistics/moments.ts';
import { NORMAL_BOUND_95 } from '../../statistics/normal.ts';
import { pickFrom, type Random } from '../../statistics/random.ts';
import { studentBound } from '../../statistics/student.ts';

/** A batch of like calls. */
export interface Batch {
  readonly calls: number;
  readonly energyJ: number;
  readonly uncertaintyJ: number;
  /** The part of the uncertainty that all batches share in proportion to their length, in J; default none. */
  readonly sharedJ?: number;
}

/** Energy per call as the slope of energy against calls. */
export interface BatchSlope {
  readonly energyJ: number;
  /** 95 % interval, in J. */
  readonly lowJ: number;
  readonly highJ: number;
  /** Energy of a batch without calls, in J: 0 where the line was laid through the origin. */
  readonly batchJ: number;
  /** `line` with three or more sizes of batch, else `origin`. */
  readonly model: 'line' | 'origin';
  readonly batches: number;
}

/** Standard uncertainty of a batch that is its own, in J. */
const ownOf = ({ uncertaintyJ, sharedJ = 0 }: Batch): number =>
  Math.sqrt(Math.max(0, uncertaintyJ ** 2 - sharedJ ** 2));

/**
 * Weighted least squares of energy against calls, weights from the batches' own uncertainties, the interval from how far
 * the batches scatter about the line (Student), never less than those uncertainties, and what they share on top: it grows
 * with the time of a batch, so that the slope has all of it.
 * @throws HardwareError ARGUMENT for fewer than three batches
 */
export function batchSlope(batches: readonly Batch[]): BatchSlope {
  if (batches.length < 3) {
    throw new HardwareError('ARGUMENT', { what: 'batches', expected: 'at least 3', got: batches.length });
  }
  const model = new Set(batches.map((batch) => batch.calls)).size >= 3 ? 'line' : 'origin';
  const known = batches.every((batch) => ownOf(batch) > 0);
  const weightOf = (batch: Batch): number => (known ? 1 / ownOf(batch) ** 2 : 1);
  const total = batches.reduce((sum, batch) => sum + weightOf(batch), 0);
  const weighted = (of: (batch: Batch) => number): number =>
    batches.reduce((sum, batch) => sum + weightOf(batch) * of(batch), 0) / total;
  const calls = model === 'line' ? weighted((batch) => batch.calls) : 0;
  const energy = model === 'line' ? weighted((batch) => batch.energyJ) : 0;
  const spread = weighted((batch) => (batch.calls - calls) ** 2);
  const energyJ = weighted((batch) => (batch.calls - calls) * (batch.energyJ - energy)) / spread;
  const batchJ = energy - energyJ * calls;
  const freedom = batches.length - (model === 'line' ? 2 : 1);
  const scatter = weighted((batch) => (batch.energyJ - batchJ - energyJ * batch.calls) ** 2) / freedom;
  const ownJ = known ? 1 / Math.sqrt(total * spread) : 0;
  const randomJ = Math.max(studentBound(freedom) * Math.sqrt(scatter / spread), NORMAL_BOUND_95 * ownJ);
  const sharedJ = Math.max(...batches.map((batch) => (batch.sharedJ ?? 0) / batch.calls));
  const halfJ = Math.hypot(randomJ, NORMAL_BOUND_95 * sharedJ);
  return { energyJ, lowJ: energyJ - halfJ, highJ: energyJ + halfJ, batchJ, model, batches: batches.length };
}

/** One measured call or batch: net energies may be negative and stay in. */
export interface CallEnergy {
  readonly energyJ: number;
  /** Above 0, in seconds. */
  readonly durationS: number;
  /** Standard uncertainty of its own, in J; default none but how calls differ. */
  readonly ownJ?: number;
  /** Standard uncertainty that all of a target's calls share, as the rounding of a meter, in J; default none. */
  readonly sharedJ?: number;
}

/** What both targets did in one block of the plan. */
export interface ComparedBlock {
  readonly subject: readonly CallEnergy[];
  readonly against: readonly CallEnergy[];
}

/** A ratio with its 95 % interval; the bounds are NaN when the data cannot bound it. */
export interface Ratio {
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
}

/** Subject over against: energy = time * power holds exactly for the three ratios, not for their intervals. */
export interface EnergyComparison {
  readonly energy: Ratio;
  readonly time: Ratio;
  readonly power: Ratio;
  readonly blocks: number;
  /** Why the ratios have no bounds, if they have none. */
  readonly reason: string | undefined;
}

/** Per block the mean energy and time of a call: subject energy and time, against energy and time. */
type BlockMeans = readonly [number, number, number, number];

const FEWEST_BLOCKS = 5;
const RESAMPLES = 2000;

function meansOf(calls: readonly CallEnergy[], pick: (count: number) => number): [number, number] {
  let energyJ = 0;
  let durationS = 0;
  for (let index = 0; index < calls.length; index++) {
    const call = calls[pick(calls.length)] as CallEnergy;
    energyJ += call.energyJ;
    durationS += call.durationS;
  }
  return [energyJ / calls.length, durationS / calls.length];
}

/**
 * Logarithms of the energy, time and power ratios, and their standard errors between blocks (linearised): but for the factor
 * sqrt(n / (n - 1)), which goes out where deviations of as many blocks are studentised.
 */
interface LogRatios {
  readonly logs: readonly [number, number, number];
  readonly errors: readonly [number, number, number];
}

function logRatios(blocks: readonly BlockMeans[]): LogRatios {
  const sums = [0, 1, 2, 3].map((column) => blocks.reduce((sum, block) => sum + (block[column] as number), 0));
  const [subjectJ, subjectS, againstJ, againstS] = sums as [number, number, number, number];
  let energy = 0;
  let time = 0;
  let power = 0;
  for (const block of blocks) {
    const ofEnergy = block[0] / subjectJ - block[2] / againstJ;
    const ofTime = block[1] / subjectS - block[3] / againstS;
    energy += ofEnergy ** 2;
    time += ofTime ** 2;
    power += (ofEnergy - ofTime) ** 2;
  }
  // Each by itself: two negative energies have a ratio above 0, which would say nothing.
  const energyLog = Math.log(subjectJ) - Math.log(againstJ);
  const timeLog = Math.log(subjectS) - Math.log(againstS);
  return {
    logs: [energyLog, timeLog, energyLog - timeLog],
    errors: [Math.sqrt(energy), Math.sqrt(time), Math.sqrt(power)],
  };
}

/** An energy that differs from 0 by less than three standard errors makes the logarithm worthless. */
function isBounded(blocks: readonly BlockMeans[], column: 0 | 2): boolean {
  const mean = blocks.reduce((sum, block) => sum + block[column], 0) / blocks.length;
  const square = blocks.reduce((sum, block) => sum + (block[column] - mean) ** 2, 0);
  return mean > 3 * Math.sqrt(square / (blocks.length * (blocks.length - 1)));
}

/** Studentised deviations of the resampled logarithms: blocks are drawn, then calls within each block. */
function resampledDeviations(blocks: readonly ComparedBlock[], found: LogRatios, seed: number): number[][] {
  const deviations: number[][] = [[], [], []];
  const drawnRatios = (random: Random): LogRatios => {
    const pick = (count: number): number => pickFrom(count, random);
    const means = blocks.map((): BlockMeans => {
      const block = blocks[pick(blocks.length)] as ComparedBlock;
      return [...meansOf(block.subject, pick), ...meansOf(block.against, pick)];
    });
    return logRatios(means);
  };
  for (const { logs, errors } of repeated(drawnRatios, { resamples: RESAMPLES, seed })) {
    for (const [column, log] of logs.entries()) {
      const deviation = (log - (found.logs[column] as number)) / (errors[column] as number);
      // A draw whose energies are not above 0 has no logarithm, one of equal blocks no error.
      if (Number.isFinite(deviation)) deviations[column]?.push(deviation);
    }
  }
  return deviations;
}

/**
 * Compares two targets over blocks in which both ran: ratios of means per call, equal weight for each block, intervals by a
 * hierarchical, studentised bootstrap (Davison and Hinkley 1997, 2.4 and 3.8), with what all calls share put to it. Means and not medians, because
 * only they split exactly into time and power and stay unbiased when single net energies are negative.
 * @throws HardwareError ARGUMENT when a block lacks one of the targets
 */
export function compareEnergy(blocks: readonly ComparedBlock[], seed = 1): EnergyComparison {
  const bare = blocks.findIndex((block) => block.subject.length === 0 || block.against.length === 0);
  if (bare >= 0 || blocks.length === 0) {
    const got = bare >= 0 ? `none of one in block ${bare}` : 'no block';
    throw new HardwareError('ARGUMENT', { what: 'blocks', expected: 'calls of both targets in each block', got });
  }
  let next = 0;
  const inOrder = (count: number): number => next++ % count;
  const means = blocks.map((block): BlockMeans => {
    next = 0;
    const subject = meansOf(block.subject, inOrder);
    next = 0;
    return [...subject, ...meansOf(block.against, inOrder)];
  });
  const sumOf = (column: 0 | 1 | 2 | 3): number => means.reduce((sum, block) => sum + block[column], 0);
  const energy = sumOf(0) / sumOf(2);
  const time = sumOf(1) / sumOf(3);
  const values = [energy, time, energy / time];
  const shared = knownBounds(blocks, sumOf(0) / blocks.length, sumOf(2) / blocks.length);
  const reason = reasonWithout(means) ?? (shared === undefined ? SHARED_UNBOUNDED : undefined);
  if (reason !== undefined || shared === undefined) return comparisonOf(values, undefined, blocks.length, reason);
  const found = logRatios(means);
  const deviations = resampledDeviations(blocks, found, seed);
  const bounds = found.logs.map((log, column) => {
    const { low, high } = studentisedInterval(log, found.errors[column] as number, deviations[column] as number[]);
    if (column === TIME) return [Math.exp(low), Math.exp(high)] as const;
    const below = Math.hypot(Math.max(log - low, shared.ownShare), shared.below);
    const above = Math.hypot(Math.max(high - log, shared.ownShare), shared.above);
    return [Math.exp(log - below), Math.exp(log + above)] as const;
  });
  return comparisonOf(values, bounds, blocks.length, undefined);
}

const TIME = 1;
const SHARED_UNBOUNDED = 'what all calls share, as the steps of the meter, is as much as the energy';

/** What the windows' own uncertainties do to the logarithm of an energy ratio. */
interface Known {
  /** Half width that is the least, however alike the blocks are. */
  readonly ownShare: number;
  /** How far the shared part may move it down and up. */
  readonly below: number;
  readonly above: number;
}

/**
 * The limits of the shared parts of both sides are put together side by side as those of independent quantities (MOVER,
 * Donner and Zou 2012). Undefined when a limit is not above 0.
 */
function knownBounds(blocks: readonly ComparedBlock[], subjectJ: number, againstJ: number): Known | undefined {
  const subject = blocks.flatMap((block) => block.subject);
  const against = blocks.flatMap((block) => block.against);
  const up = sharedShare(subject, subjectJ);
  const down = sharedShare(against, againstJ);
  if (!(up < 1 && down < 1)) return undefined;
  return {
    ownShare: Math.hypot(ownShare(subject, subjectJ), ownShare(against, againstJ)),
    below: Math.hypot(Math.log(1 - up), Math.log(1 + down)),
    above: Math.hypot(Math.log(1 + up), Math.log(1 - down)),
  };
}

/** Half width of the interval that the shared part makes, as a share of the energy. */
function sharedShare(calls: readonly CallEnergy[], energyJ: number): number {
  return (NORMAL_BOUND_95 * mean(calls.map(({ sharedJ = 0 }) => sharedJ))) / energyJ;
}

/** The same of what is each call's own, for their mean. */
function ownShare(calls: readonly CallEnergy[], energyJ: number): number {
  const squares = calls.reduce((sum, { ownJ = 0 }) => sum + ownJ ** 2, 0);
  return (NORMAL_BOUND_95 * Math.sqrt(squares)) / calls.length / energyJ;
}

function reasonWithout(means: readonly BlockMeans[]): string | undefined {
  if (means.length < FEWEST_BLOCKS) return `${means.length} blocks, ${FEWEST_BLOCKS} are needed for an interval`;
  if (!isBounded(means, 0)) return "the subject's energy cannot be told from 0";
  if (!isBounded(means, 2)) return 'the energy it is compared with cannot be told from 0';
  return undefined;
}

function comparisonOf(
  values: readonly number[],
  bounds: readonly (readonly [number, number])[] | undefined,
  blocks: number,
  reason: string | undefined,
): EnergyComparison {
  const [energy, time, power] = values.map((ratio, column): Ratio => {
    const [low, high] = bounds?.[column] ?? [Number.NaN, Number.NaN];
    return { ratio, low, high };
  }) as [Ratio, Ratio, Ratio];
  return { energy, time, power, blocks, reason };
}
