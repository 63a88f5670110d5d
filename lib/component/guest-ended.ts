/** A guest that ended before its response did, with how it ended: for those who tell it in their own words. */

import { NebulaError } from '../../host/errors.ts';
import type { Outcome } from '../../host/outcome.ts';
import { toOutcomeError } from '../wire/outcome-error.ts';

/** Thrown for a response that will not come, or not wholly. Its outcome says how the guest ended. */
export class GuestEnded extends Error {
  readonly functionName: string;
  readonly outcome: Outcome;

  constructor(functionName: string, outcome: Outcome) {
    super(`Function "${functionName}" ended before its response did`);
    this.name = 'GuestEnded';
    this.functionName = functionName;
    this.outcome = outcome;
  }

  /** What callers are told: DEADLINE, GUEST_*, CLIENT_CLOSED. */
  toFailure(): NebulaError {
    const { functionName: name, outcome } = this;
    if (outcome.kind !== 'ok') return toOutcomeError(name, outcome);
    return new NebulaError('GUEST_RESPONSE', { name, detail: 'the guest ended before its response did' });
  }
}

/** A guest that gave its response up: it let go of it, or made it longer or shorter than it had said. */
export function givenUp(name: string): NebulaError {
  return new NebulaError('GUEST_RESPONSE', { name, detail: 'the guest gave its response up before it was whole' });
}
