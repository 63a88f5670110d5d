/** What an engine's failure is called among our errors. */

import { messageOf, NebulaError } from '../../../host/errors.ts';
import { EngineError } from './engine.ts';

/** The engine could not be asked: it may not be used, is not there, or went away. `address` is where it listens. */
export function connectionError(error: unknown, address: string): NebulaError {
  if (error instanceof EngineError && error.fault === 'forbidden')
    return new NebulaError('DOCKER_FORBIDDEN', { socket: address }, { cause: error });
  return new NebulaError('DOCKER_UNAVAILABLE', { socket: address, detail: messageOf(error) }, { cause: error });
}

/** Whether the engine answered, and its answer was no. */
export function isRefusal(error: unknown): boolean {
  return error instanceof EngineError && error.fault !== 'forbidden' && error.fault !== 'unavailable';
}

/** The engine refused, or could not be asked. `action` reads after "Cannot". */
export function engineError(error: unknown, address: string, name: string, action: string): NebulaError {
  if (!isRefusal(error)) return connectionError(error, address);
  return new NebulaError('CONTAINER_REFUSED', { name, action, detail: messageOf(error) }, { cause: error });
}
