/** What an engine's failure is called among our errors. */

import { messageOf, NebulaError } from '../../host/errors.ts';

/** An error of dockerode: a status of the engine's answer, or a code of the connection. */
interface EngineFailure {
  readonly statusCode?: number;
  readonly code?: string;
  readonly json?: { readonly message?: string };
}

const FORBIDDEN: ReadonlySet<string> = new Set(['EACCES', 'EPERM']);

export function statusOf(error: unknown): number | undefined {
  return (error as EngineFailure).statusCode;
}

/** The engine's own words, or the connection's. */
export function detailOf(error: unknown): string {
  return (error as EngineFailure).json?.message ?? messageOf(error);
}

/** The engine could not be asked: it is not there, may not be used, or went away. */
export function connectionError(error: unknown, socket: string): NebulaError {
  const { code } = error as EngineFailure;
  if (code !== undefined && FORBIDDEN.has(code))
    return new NebulaError('DOCKER_FORBIDDEN', { socket }, { cause: error });
  return new NebulaError('DOCKER_UNAVAILABLE', { socket, detail: messageOf(error) }, { cause: error });
}

/** The engine refused, or could not be asked. `action` reads after "Cannot". */
export function engineError(error: unknown, socket: string, name: string, action: string): NebulaError {
  if (statusOf(error) === undefined) return connectionError(error, socket);
  return new NebulaError('CONTAINER_REFUSED', { name, action, detail: detailOf(error) }, { cause: error });
}
