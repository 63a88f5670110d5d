/** What went wrong in a thread, as the error that the caller is told. */

import type { FunctionDefinition } from '../../host/definition/definition.ts';
import { fromFailure, messageOf, NebulaError } from '../../host/errors.ts';
import type { Refusal } from './messages.ts';

/** The error for a fault of a thread itself. */
export function workerLost({ name }: FunctionDefinition, error: unknown): NebulaError {
  return new NebulaError('WORKER_LOST', { name, detail: messageOf(error) }, { cause: error });
}

/** The error for a refusal: a TypeError when what the caller gave could not be sent, else one of ours. */
export function errorOf(definition: FunctionDefinition, refusal: Refusal): Error {
  if (refusal.isUnsent === true) {
    const message = `Cannot send the invocation of "${definition.name}" to a thread: ${refusal.detail}`;
    return Object.assign(new TypeError(message), { code: 'ERR_NEBULA_ARGUMENT' });
  }
  if (refusal.failure !== undefined) return fromFailure(refusal.failure);
  return workerLost(definition, refusal.detail);
}
