/**
 * Chooses how a function's state is put back after a call, with its reason, for modules and components alike: the way that
 * the manifest names where it is exact, else the fastest of the exact ones on a memory of the function's size.
 */

import type { Strategy } from '../definition/strategies.ts';
import type { ModuleInfo } from '../module/inspect.ts';
import type { SnapshotImage } from './image.ts';

/** Times of one strategy: the median is reported, the lower quartile decides, for a busy machine only adds. */
export interface Times {
  readonly medianNs: number;
  readonly quartileNs: number;
}

/** The strategy of a function, and how it came to be that one. */
export interface Calibration {
  readonly strategy: Strategy;
  /** Why it is that one, in one sentence. */
  readonly reason: string;
  /** Median time to put the memory back, or for `fresh` to make a micro-VM, in nanoseconds, of those that were timed. */
  readonly medianNs: Readonly<Partial<Record<Strategy, number>>>;
}

/** What there is to choose from. */
export interface StrategyQuestion {
  /** What the manifest names. */
  readonly wanted: Strategy | 'auto';
  /** Why a call's changes cannot be put back in place, or empty where they can. */
  readonly notRestorable: string;
  readonly image: Pick<SnapshotImage, 'memfd' | 'memfdMissing'> & {
    readonly snapshot: { readonly memoryBytes: number };
  };
  /** Tries a strategy; undefined for one that is not worth trying. */
  readonly time: (strategy: Strategy) => Times | undefined;
}

/**
 * Strategies that are exact for a module, the preferred last; `isMappable` says whether its memory is, or could be, mapped
 * copy-on-write.
 */
export function exactStrategies({ restorable }: Pick<ModuleInfo, 'restorable'>, isMappable: boolean): Strategy[] {
  if (!restorable) return ['fresh'];
  return isMappable ? ['fresh', 'copy', 'cow'] : ['fresh', 'copy'];
}

/** The choice, of which the manifest's is the first to count, exactness the second, and time the third. */
export function chooseStrategy(question: StrategyQuestion): Calibration {
  const { wanted, notRestorable, image } = question;
  const isMappable = image.memfd >= 0;
  const exact = exactStrategies({ restorable: notRestorable === '' }, isMappable);
  const preferred = exact.at(-1) as Strategy;
  if (wanted !== 'auto') {
    if (exact.includes(wanted)) return untimed(wanted, 'named by the manifest');
    const why = notRestorable === '' ? image.memfdMissing : notRestorable;
    return untimed(preferred, `the manifest names ${wanted}, which cannot be had: ${why}`);
  }
  if (notRestorable !== '') return onlyFresh(notRestorable);
  if (image.snapshot.memoryBytes === 0) return untimed('copy', 'there is no memory to put back');
  const { strategy, medianNs } = fastest(exact, preferred, question.time);
  const without = isMappable ? '' : `; no copy-on-write here: ${image.memfdMissing}`;
  return { strategy, reason: `the fastest in calibration${without}`, medianNs };
}

/** The choice where a call's changes cannot be put back in place. */
export function onlyFresh(notRestorable: string): Calibration {
  return untimed('fresh', `only fresh is exact: ${notRestorable}`);
}

function untimed(strategy: Strategy, reason: string): Calibration {
  return { strategy, reason, medianNs: {} };
}

/** The one whose lower quartile is least, the first of equals. */
function fastest(
  exact: readonly Strategy[],
  preferred: Strategy,
  time: StrategyQuestion['time'],
): Pick<Calibration, 'strategy' | 'medianNs'> {
  const medianNs: Partial<Record<Strategy, number>> = {};
  let strategy = preferred;
  let leastNs = Infinity;
  for (const tried of exact) {
    const times = time(tried);
    if (times === undefined) continue;
    medianNs[tried] = times.medianNs;
    if (times.quartileNs < leastNs) [strategy, leastNs] = [tried, times.quartileNs];
  }
  return { strategy, medianNs };
}
