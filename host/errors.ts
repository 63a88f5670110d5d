/**
 * What Nebula itself could not do: one table of codes, one error class, one brand.
 * Guest failures are returned, not thrown: as an Outcome (outcome.ts). What a caller did wrong is a TypeError or
 * RangeError made by `argumentError`.
 */

/**
 * Every failure Nebula can report: HTTP status, message with `{field}` placeholders (what, expected, got), and whether
 * the same request may succeed when sent again. docs/errors.md lists the same codes; a test keeps the two equal.
 */
export const ERRORS = {
  MODULE_INVALID: [422, 'Cannot read the module: {detail} at byte {offset}', false],
  MODULE_TOO_LARGE: [
    413,
    'Cannot accept function "{name}", a module of {sizeBytes} bytes: the limit is {limitBytes}, which {option} raises',
    false,
  ],
  MODULE_COMPLEX: [422, 'Cannot accept the module: {what} {got}, the limit is {limit}', false],
  MODULE_UNSUPPORTED: [422, 'Cannot run the module: it uses {feature}, which Nebula does not support', false],
  DEPLOY_TIMEOUT: [422, 'Cannot prepare the module: {step} took longer than {limitMs} ms (limits.deployMs)', false],
  DEPLOY_MEMORY: [
    422,
    'Cannot prepare the module: {step} needs more memory than {limitBytes} bytes (limits.deployMemoryBytes)',
    false,
  ],
  PREPARER_LOST: [500, 'Cannot prepare the module: the process for it ended while {step}: {detail}', true],
  UNKNOWN_IMPORT: [422, 'Cannot link the module: unknown imports ({count}): {imports}', false],
  BINDING_NOT_GRANTED: [
    422,
    'Cannot link the module: it imports {imports}, expected the names of bindings in capabilities.bindings, got none',
    false,
  ],
  BINDING_REFUSED: [422, 'Cannot give function "{name}" the binding "{binding}": {detail}', false],
  UNKNOWN_EXPORT: [422, 'Cannot run the component: it exports {export}, expected {expected}', false],
  TRANSPILER_MISSING: [
    422,
    'Cannot transpile the component: the optional package {package} is not installed; install it, or deploy a folder that "nebula prepare" made',
    false,
  ],
  PREPARED_INVALID: [422, 'Cannot read the prepared component at "{path}": {detail}', false],
  GLUE_REFUSED: [422, 'Cannot run the glue of the component: {detail}', false],
  ENTRY_MISMATCH: [422, 'Cannot call function "{name}" this way: expected the export {expected}, got {exports}', false],
  NO_ENTRY: [422, 'Cannot find an entry in the module: expected an export {expected}, got {exports}', false],
  MEMORY_MINIMUM: [
    422,
    'Cannot fit the module into its memory limit: it needs {minimumBytes} bytes, and the limit is {limitBytes}',
    false,
  ],
  TABLE_MINIMUM: [
    422,
    'Cannot fit the module into its table limit: it needs {minimum} elements, and the limit is {limit}',
    false,
  ],
  INIT_FAILED: [422, 'Cannot initialise function "{name}": {detail}', false],
  INIT_NONDETERMINISTIC: [
    422,
    'Cannot snapshot function "{name}": its initialisation read {sources}; allow it in the manifest with init.allow',
    false,
  ],
  SNAPSHOT_CORRUPT: [422, 'Cannot read the snapshot: {detail}', false],
  SNAPSHOT_VERSION: [422, 'Cannot read the snapshot: expected format version {expected}, got {got}', false],
  SNAPSHOT_MISMATCH: [
    409,
    'Cannot use the snapshot: it was taken from module {got}, and this module is {expected}',
    false,
  ],
  SNAPSHOT_UNSUPPORTED: [422, 'Cannot store a snapshot of the module: {detail}', false],
  SNAPSHOT_DIVERGED: [500, 'Cannot run function "{name}": its {part} differs from the snapshot before the run', false],
  MANIFEST_INVALID: [422, 'Cannot read the manifest: {detail}', false],
  MOUNT_UNAVAILABLE: [422, 'Cannot mount "{path}" at "{guest}": {detail}', false],
  FUNCTION_NOT_FOUND: [404, 'Cannot find function "{name}"', false],
  NO_PREVIOUS_VERSION: [409, 'Cannot roll back function "{name}": it has no previous version', false],
  QUEUE_FULL: [503, 'Cannot queue an invocation of "{name}": {limit} are already waiting', true],
  FUNCTION_PAUSED: [
    503,
    'Function "{name}" is paused for {retryAfterMs} ms: {endings} of its calls had to be stopped together with their threads',
    true,
  ],
  SESSIONS_FULL: [503, 'Cannot open a session of "{name}": {limit} are open', true],
  SESSION_ENDED: [409, 'Cannot go on with a session of "{name}": it ended with {ending}', false],
  ADDRESS_SPACE: [503, 'Cannot create a micro-VM for "{name}": {detail}', true],
  CLOSED: [503, 'Cannot accept the invocation: this Nebula is closing or closed', false],
  WORKER_LOST: [500, 'Cannot finish the invocation of "{name}": its worker ended: {detail}', true],
  BINARY_INVALID: [422, 'Cannot run the binary of function "{name}": expected {expected}, got {got}', false],
  DOCKER_UNAVAILABLE: [503, 'Cannot reach the container engine at {socket}: {detail}', true],
  DOCKER_FORBIDDEN: [500, 'Cannot use the container engine at {socket}: this user may not open it', false],
  IMAGE_MISSING: [422, 'Cannot find the image "{image}" on the container engine', false],
  IMAGE_BUILD: [422, 'Cannot build the image of function "{name}": {detail}', false],
  CONTAINER_REFUSED: [500, 'Cannot {action} of function "{name}": the engine answered {detail}', false],
  CONTAINER_LOST: [500, 'Cannot finish the invocation of "{name}": its container ended: {detail}', true],
  PROCESS_LOST: [500, 'Cannot finish the invocation of "{name}": its process ended: {detail}', true],
  INPUT_TOO_LARGE: [413, 'Cannot accept an input of more than {limitBytes} bytes', false],
  MEDIA_TYPE: [415, 'Cannot read a body of type "{got}": expected {expected}', false],
  METHOD_NOT_ALLOWED: [405, 'Cannot use {method} here: expected {allowed}', false],
  ROUTE_NOT_FOUND: [404, 'Cannot find {method} {path}', false],
  UNAUTHORIZED: [401, 'Cannot allow {method} {path}: a valid bearer token is needed', false],
  HOST_UNKNOWN: [
    403,
    'Cannot allow {method} {path} under the host "{host}": functions are managed under loopback names, the address that the server is bound to, and the names given to it (serve --allow-host)',
    false,
  ],
  ORIGIN_UNKNOWN: [
    403,
    'Cannot allow a page of "{origin}" to use {method} {path}: expected a page of the same origin',
    false,
  ],
  OUTPUT_LOST: [500, 'Cannot pass on what the guest writes to {stream}: {detail}', false],
  CLIENT_SLOW: [408, 'Cannot keep a thread for "{name}" while its client is slow and others wait for one', true],
  CLIENT_CLOSED: [499, 'The client closed the request before the answer', false],
  DEADLINE: [504, 'Function "{name}" did not answer within {timeoutMs} ms', false],
  GUEST_FAILED: [500, 'Function "{name}" ended with {ending}', false],
  GUEST_LIMIT: [500, 'Function "{name}" reached its limit {limit} of {allowed}', false],
  GUEST_DENIED: [403, 'Function "{name}" used {capability}, which its manifest does not grant', false],
  GUEST_RESPONSE: [502, 'Cannot read the response of function "{name}": {detail}', false],
  LISTEN_REFUSED: [500, 'Cannot listen on {address} without a token: set one, or bind to a loopback address', false],
  STORE_FAILED: [500, 'Cannot {action} in the store at "{path}": {detail}', false],
  STORE_CORRUPT: [500, 'Cannot read "{path}" in the store: {detail}', false],
  FILE_UNREADABLE: [422, 'Cannot read "{path}": {detail}', false],
  BUILD_FAILED: [422, 'Cannot build "{folder}" with {tool}: {detail}', false],
  TOOL_MISSING: [422, 'Cannot build "{folder}": {tool} is not installed; install it: {install}', false],
  SERVER_UNREACHABLE: [503, 'Cannot reach the server at {url}: {detail}', true],
  SERVER_ANSWER: [502, 'Cannot understand the server at {url}: {detail}', false],
  INTERNAL: [500, 'Something failed inside Nebula: look in the log for request {requestId}', false],
} as const;

/** A key of the table, without its prefix. */
export type ErrorName = keyof typeof ERRORS;

/** A code as callers see it. */
export type ErrorCode = `ERR_NEBULA_${ErrorName}`;

/** Values for the placeholders of a message. */
export type ErrorFields = Readonly<Record<string, string | number>>;

/** An error as plain data, for crossing a thread or a socket. */
export interface Failure {
  readonly name: ErrorName;
  readonly fields: ErrorFields;
}

const BRAND: symbol = Symbol.for('nebula.error');

/** What Nebula could not do. `code` is stable, `fields` hold what the message names. */
export class NebulaError extends Error {
  readonly code: ErrorCode;
  readonly key: ErrorName;
  readonly fields: ErrorFields;

  constructor(key: ErrorName, fields: ErrorFields = {}, options?: { cause?: unknown }) {
    super(formatMessage(key, fields), options);
    this.name = 'NebulaError';
    this.key = key;
    this.code = `ERR_NEBULA_${key}`;
    this.fields = fields;
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** HTTP status of this failure. */
  get httpStatus(): number {
    return ERRORS[this.key][0];
  }

  /** Whether the same request may succeed when sent again. */
  get retryable(): boolean {
    return ERRORS[this.key][2];
  }
}

function formatMessage(key: ErrorName, fields: ErrorFields): string {
  return ERRORS[key][1].replace(/\{(\w+)\}/g, (whole, field: string) => String(fields[field] ?? whole));
}

/** Tells a NebulaError by its brand, so that two copies of the package agree. */
export function isNebulaError(value: unknown): value is NebulaError {
  return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[BRAND] === true;
}

/** The plain data of an error, or undefined when it is not one of ours. */
export function toFailure(error: unknown): Failure | undefined {
  return isNebulaError(error) ? { name: error.key, fields: error.fields } : undefined;
}

/** The error that `toFailure` described. */
export function fromFailure(failure: Failure): NebulaError {
  return new NebulaError(failure.name, failure.fields);
}

/** A caller's mistake as a RangeError or TypeError with a code, to be thrown at the public edge before any work. */
export function argumentError(what: string, expected: string, got: unknown): TypeError | RangeError {
  const shown = typeof got === 'string' ? JSON.stringify(got) : String(got);
  const message = `Cannot set \`${what}\` to ${shown} (${got === null ? 'null' : typeof got}): must be ${expected}`;
  const error = typeof got === 'number' ? new RangeError(message) : new TypeError(message);
  return Object.assign(error, { code: 'ERR_NEBULA_ARGUMENT' });
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
