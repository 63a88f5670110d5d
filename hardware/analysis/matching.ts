/** Which edge of the host is which edge of the logger: the cheapest order-keeping match with gaps. */

import type { Edge } from './edges.ts';
import { lowerBound } from './sync-burst.ts';

/** Cost of leaving one edge of either list alone; a match costs 0 at the same time and 1 at the tolerance. */
const GAP_COST = 0.6;

/** A chain of matches that ends with one pair. */
interface Chain {
  readonly gain: number;
  readonly host: number;
  readonly logger: number;
  readonly before: Chain | undefined;
}

/** The best chain among those that end before a logger index: a Fenwick tree over prefix maxima. */
class BestChains {
  readonly #tree: (Chain | undefined)[];

  constructor(size: number) {
    this.#tree = Array.from({ length: size + 1 }, () => undefined);
  }

  before(logger: number): Chain | undefined {
    let best: Chain | undefined;
    for (let node = logger; node > 0; node -= node & -node) {
      const chain = this.#tree[node];
      if (chain !== undefined && (best === undefined || chain.gain > best.gain)) best = chain;
    }
    return best;
  }

  add(chain: Chain): void {
    for (let node = chain.logger + 1; node < this.#tree.length; node += node & -node) {
      const there = this.#tree[node];
      if (there === undefined || chain.gain > there.gain) this.#tree[node] = chain;
    }
  }
}

/**
 * Matches two lists of edges on the same time scale. The total of match and gap costs is least when the sum of
 * `2 * GAP_COST - match cost` over the matched pairs is greatest, so the dynamic programme runs over the few pairs
 * within the tolerance: O(pairs * log edges).
 * @returns for each host edge the index of its logger edge, or -1
 */
export function matchEdges(host: readonly Edge[], logger: readonly Edge[], toleranceS: number): Int32Array {
  const chains = new BestChains(logger.length);
  for (let index = 0; index < host.length; index++) {
    const edge = host[index] as Edge;
    const reachS = toleranceS + edge.halfWidthS;
    const found: Chain[] = [];
    for (let other = lowerBound(logger, edge.timeS - reachS); other < logger.length; other++) {
      const candidate = logger[other] as Edge;
      if (candidate.timeS > edge.timeS + reachS) break;
      if (candidate.level !== edge.level) continue;
      // Anywhere inside the host's own interval is as good as its middle.
      const offS = Math.max(0, Math.abs(candidate.timeS - edge.timeS) - edge.halfWidthS);
      const before = chains.before(other);
      const gain = (before?.gain ?? 0) + 2 * GAP_COST - offS / toleranceS;
      found.push({ gain, host: index, logger: other, before });
    }
    for (const chain of found) chains.add(chain);
  }
  const matches = new Int32Array(host.length).fill(-1);
  for (let chain = chains.before(logger.length); chain !== undefined; chain = chain.before) {
    matches[chain.host] = chain.logger;
  }
  return matches;
}
