/** When a refused memory.grow explains how a guest ended: one rule for modules and components. */

import type { Limits } from './limits.ts';
import type { Ending } from './outcome.ts';

/** What can tell whether a memory.grow was refused since the last restore; it is asked only where that matters. */
export interface Growing {
  readonly growRefused: boolean;
}

/** A guest that was refused memory and then failed ran out of it, however it puts that; any other ending stands. */
export function explainEnding(ending: Ending, guest: Growing, limits: Pick<Limits, 'memoryBytes'>): Ending {
  const isFailure = ending.kind === 'trap' || ending.kind === 'exit';
  if (!isFailure || !guest.growRefused) return ending;
  return { kind: 'limit', limit: 'memoryBytes', allowed: limits.memoryBytes };
}
