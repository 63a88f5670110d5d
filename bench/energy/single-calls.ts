/**
 * Single calls beside calls in batches: why the time ratio of one report may be another than that of the energies. A single
 * call comes after another target's turn and ends with its answer; a batch's calls follow each other, and the target is put
 * back within it. Pure.
 */

import { ratioOfMedians } from '../../statistics/bootstrap.ts';
import { median, sorted } from '../../statistics/quantiles.ts';
import type { CellName, Samples } from '../compare/samples.ts';
import type { Bounded } from './bounded.ts';
import type { EnergyCell } from './cells.ts';

/** A call's times on one target, in seconds. */
export interface CallTimes {
  /** Median of single calls, from the request to the whole answer. */
  readonly singleS: number;
  /** Median of what follows it until the target is as it was; null where it is not seen. */
  readonly teardownS: number | null;
  /** Mean of a call in the windows that its energy is told from. */
  readonly windowS: number;
}

/** A pair with the time part of its energy ratio. */
export interface TimedPair extends CellName {
  readonly against: string;
  readonly time: Bounded;
}

/** Time ratios of one pair by single calls and by the windows of its energies. */
export interface SingleCallRatio extends CellName {
  readonly against: string;
  readonly subject: CallTimes;
  readonly reference: CallTimes;
  /** Of medians, as the comparison tells it. */
  readonly single: Bounded;
  /** Of means, the time part of the energy ratio. */
  readonly window: Bounded;
  /** True when the intervals have nothing in common. */
  readonly differs: boolean;
}

/** Why both may differ, in a sentence for findings and reports. */
export const WHY_BATCHES_DIFFER =
  "a batch's calls follow each other, so that caches and branches are warm, and putting the target back is in it; a single call comes after another target's turn and ends with its answer, and is told by its median, not its mean";

const PAIR_PHASE = 'total';

const middleS = (valuesNs: readonly number[]): number => median(sorted(valuesNs)) / 1e9;

function timesOf(samples: Samples, cells: readonly EnergyCell[], name: CellName): CallTimes | undefined {
  const isCell = (each: CellName): boolean =>
    each.target === name.target && each.function === name.function && each.input === name.input;
  const windowS = cells.find(isCell)?.durationS;
  const singles = samples.values(name, PAIR_PHASE);
  if (windowS === undefined || windowS === null || singles.length === 0) return undefined;
  const teardowns = samples.values(name, 'teardown');
  return { singleS: middleS(singles), teardownS: teardowns.length === 0 ? null : middleS(teardowns), windowS };
}

const isApart = (one: Bounded, other: Bounded): boolean => {
  if (one.low === null || one.high === null || other.low === null || other.high === null) return false;
  return one.low > other.high || other.low > one.high;
};

/** Both time ratios of every pair that has both. */
export function singleCallRatios(
  samples: Samples,
  cells: readonly EnergyCell[],
  ratios: readonly TimedPair[],
): SingleCallRatio[] {
  return ratios.flatMap(({ target, function: functionName, input, against, time: window }): SingleCallRatio[] => {
    const name = { target, function: functionName, input };
    const other = { ...name, target: against };
    const subject = timesOf(samples, cells, name);
    const reference = timesOf(samples, cells, other);
    const left = samples.blocks(name, PAIR_PHASE);
    const right = samples.blocks(other, PAIR_PHASE);
    if (subject === undefined || reference === undefined || left === undefined || right === undefined) return [];
    const single = ratioOfMedians({ subject: left, against: right });
    return [{ ...name, against, subject, reference, single, window, differs: isApart(single, window) }];
  });
}

/** What of a call in a window is not in a single one, in seconds: its teardown, and the rest, which may be negative. */
export function differenceOf({ singleS, teardownS, windowS }: CallTimes): { teardownS: number; restS: number } {
  return { teardownS: teardownS ?? 0, restS: windowS - singleS - (teardownS ?? 0) };
}
