/** An outcome that is not `ok`, as the error that `invokeOrThrow` throws. */

import { NebulaError } from '../../host/errors.ts';
import type { Outcome } from '../../host/outcome.ts';

/** DEADLINE, GUEST_FAILED, GUEST_LIMIT, GUEST_DENIED or CLIENT_CLOSED; its `cause` is the outcome. */
export function toOutcomeError(name: string, outcome: Exclude<Outcome, { kind: 'ok' }>): NebulaError {
  const options = { cause: outcome };
  switch (outcome.kind) {
    case 'timeout':
      return new NebulaError('DEADLINE', { name, timeoutMs: outcome.timeoutMs }, options);
    case 'limit':
      return new NebulaError('GUEST_LIMIT', { name, limit: outcome.limit, allowed: outcome.allowed }, options);
    case 'denied':
      return new NebulaError('GUEST_DENIED', { name, capability: outcome.capability }, options);
    case 'aborted':
      return new NebulaError('CLIENT_CLOSED', {}, options);
    case 'trap':
      return new NebulaError('GUEST_FAILED', { name, ending: `a trap: ${outcome.reason}` }, options);
    case 'exit':
      return new NebulaError('GUEST_FAILED', { name, ending: `exit code ${outcome.exitCode}` }, options);
    default:
      return outcome satisfies never;
  }
}
