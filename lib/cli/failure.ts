/** What the command line says of failures, and the exit codes it ends with. */

import { CommanderError } from 'commander';
import { isNebulaError, messageOf, type ErrorName } from '../../host/errors.ts';
import { printable } from '../wire/printable.ts';

/** A guest that ended without an exit code of its own. */
export const EXIT_GUEST = 1;
/** A mistake in the command. */
export const EXIT_USAGE = 2;
/** What Nebula itself could not do. */
const EXIT_NEBULA = 3;

/** What to do about it, where the message alone does not say. */
const ADVICE: Partial<Record<ErrorName, string>> = {
  MODULE_INVALID: 'check that it is a module or component of WebAssembly, and whole',
  MODULE_COMPLEX: 'split the function, or build it with optimisation',
  DEPLOY_TIMEOUT: 'raise limits.deployMs in its manifest, or make it simpler',
  DEPLOY_MEMORY: 'raise limits.deployMemoryBytes in its manifest, or make it simpler',
  PREPARER_LOST: 'try again',
  UNKNOWN_IMPORT:
    'build it for WASI; functions that a module lacks may be allowed in its manifest, with allow.missingImports',
  NO_ENTRY: 'export it, or name another with entry in its manifest',
  TABLE_MINIMUM: 'raise limits.tableElements in its manifest',
  MEMORY_MINIMUM: 'raise it with --memory-mib or limits.memoryBytes',
  MANIFEST_INVALID: 'correct it and try again',
  SNAPSHOT_CORRUPT: 'take it again with "nebula snapshot"',
  SNAPSHOT_VERSION: 'take it again with "nebula snapshot"',
  SNAPSHOT_MISMATCH: 'take it again of this module with "nebula snapshot"',
  MOUNT_UNAVAILABLE: 'create the directory or name another one',
  FUNCTION_NOT_FOUND: 'see "nebula list"; a file needs its path',
  NO_PREVIOUS_VERSION: 'deploy the version you want',
  QUEUE_FULL: 'try again later',
  FUNCTION_PAUSED: 'try again after that; make it end within its deadline',
  ADDRESS_SPACE: 'try again later, or give the process more address space',
  INPUT_TOO_LARGE: 'send less, or raise limits.inputBytes in its manifest',
  OUTPUT_LOST: 'write it elsewhere',
  HOST_UNKNOWN: 'start the server with --allow-host, or ask it under a name it knows',
  UNAUTHORIZED: 'give --token or set NEBULA_TOKEN',
  LISTEN_REFUSED: 'give --token, set NEBULA_TOKEN, or use --host 127.0.0.1',
  FILE_UNREADABLE: 'check the path',
  SERVER_UNREACHABLE: 'start it with "nebula serve", or give --url',
  SERVER_ANSWER: 'check --url',
  STORE_CORRUPT: 'deploy the function again',
};

/** One line: what went wrong, and what to do. */
function describeFailure(error: unknown): string {
  const message = printable(messageOf(error).replaceAll('\n', ' '));
  const advice = isNebulaError(error) ? ADVICE[error.key] : undefined;
  return advice === undefined ? message : `${message} (${advice})`;
}

/** The exit code for an error that reached the top. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
  const isArgument = error instanceof Error && (error as { code?: unknown }).code === 'ERR_NEBULA_ARGUMENT';
  return isArgument ? EXIT_USAGE : EXIT_NEBULA;
}

/** Says on stderr what went wrong: a line for people, or an object for programs. */
export function reportFailure(error: unknown, json: boolean): void {
  if (error instanceof CommanderError) return;
  if (!json) {
    process.stderr.write(`nebula: ${describeFailure(error)}\n`);
    return;
  }
  const { code } = error as { code?: unknown };
  const fields = isNebulaError(error) ? { fields: error.fields } : {};
  process.stderr.write(`${JSON.stringify({ error: { code, message: messageOf(error), ...fields } })}\n`);
}
