/**
 * Sync bursts: pulses with coded widths and gaps that open and close a session, and finding them in a logger's edges.
 * The code makes a burst unlike any run of invocations; its edges as the host timed them are the pattern searched for.
 */

import type { Edge } from './edges.ts';
import { seededRandom } from '../../statistics/random.ts';

/** Pulses of a burst: 16 edges. */
export const BURST_PULSES = 8;

/** One pulse of a burst: high for `highMs`, then low for `lowMs`. */
export interface BurstPulse {
  readonly highMs: number;
  readonly lowMs: number;
}

/** The code of a burst: times in whole units, so that a logger of one sample per half unit can tell them apart. */
export function burstCode(which: 'open' | 'close', unitMs = 5): readonly BurstPulse[] {
  const random = seededRandom(which === 'open' ? 0x0e3b : 0xc105);
  return Array.from({ length: BURST_PULSES }, () => ({
    highMs: unitMs * (1 + Math.floor(random() * 4)),
    lowMs: unitMs * (2 + Math.floor(random() * 15)),
  }));
}

/** Where a burst was found. */
export interface FoundBurst {
  /** What to add to the host's times to come to the logger's, near the burst. */
  readonly offsetS: number;
  /** Edges of the burst that the logger has. */
  readonly matched: number;
  /** Matched edges of the best place that is another one. */
  readonly runnerUp: number;
  /** Pairs of host and logger index within the lists given. */
  readonly pairs: readonly (readonly [host: number, logger: number])[];
}

/** Index of the first edge at or after `timeS`. */
export function lowerBound(edges: readonly Edge[], timeS: number): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((edges[middle] as Edge).timeS < timeS) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The logger's edge of the wanted level nearest to `timeS`, or -1 when none lies within the tolerance. */
function nearest(logger: readonly Edge[], timeS: number, level: 0 | 1, toleranceS: number): number {
  let best = -1;
  let bestDistance = toleranceS;
  for (let index = lowerBound(logger, timeS - toleranceS); index < logger.length; index++) {
    const edge = logger[index] as Edge;
    if (edge.timeS > timeS + toleranceS) break;
    const distance = Math.abs(edge.timeS - timeS);
    if (edge.level === level && distance <= bestDistance) {
      best = index;
      bestDistance = distance;
    }
  }
  return best;
}

function pairsAt(
  burst: readonly Edge[],
  logger: readonly Edge[],
  offsetS: number,
  toleranceS: number,
  missesAllowed: number,
): (readonly [number, number])[] {
  const pairs: (readonly [number, number])[] = [];
  for (let index = 0; index < burst.length; index++) {
    const edge = burst[index] as Edge;
    const found = nearest(logger, edge.timeS + offsetS, edge.level, toleranceS + edge.halfWidthS);
    if (found >= 0) pairs.push([index, found]);
    else if (index - pairs.length >= missesAllowed) return [];
  }
  return pairs;
}

/** Share of a burst's edges that must be found. */
export const BURST_SHARE = 0.6;

/**
 * The one place where the burst's edges lie in the logger's list, at least `BURST_SHARE` of them and three more than at
 * any other place; undefined when there is none.
 */
export function findBurst(burst: readonly Edge[], logger: readonly Edge[], toleranceS: number): FoundBurst | undefined {
  const needed = Math.ceil(BURST_SHARE * burst.length);
  const missesAllowed = burst.length - needed;
  let best: { offsetS: number; pairs: readonly (readonly [number, number])[] } | undefined;
  let runnerUp = 0;
  // Of any `needed` edges found, one is among the first `missesAllowed + 1`.
  for (const anchor of burst.slice(0, missesAllowed + 1)) {
    for (const edge of logger) {
      if (edge.level !== anchor.level) continue;
      const offsetS = edge.timeS - anchor.timeS;
      const pairs = pairsAt(burst, logger, offsetS, toleranceS, missesAllowed);
      const same = best !== undefined && Math.abs(best.offsetS - offsetS) <= 4 * toleranceS;
      if (best === undefined || pairs.length > best.pairs.length) {
        if (best !== undefined && !same) runnerUp = Math.max(runnerUp, best.pairs.length);
        best = { offsetS, pairs };
      } else if (!same) runnerUp = Math.max(runnerUp, pairs.length);
    }
  }
  if (best === undefined || best.pairs.length < needed || best.pairs.length < runnerUp + 3) return undefined;
  return { offsetS: best.offsetS, matched: best.pairs.length, runnerUp, pairs: best.pairs };
}
