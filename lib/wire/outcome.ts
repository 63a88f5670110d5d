/**
 * Outcomes outside the process. One that is `ok` is its stdout and fields about it; any other is a problem and the same
 * fields. Whether strangers are told a guest's trap, exit code and stderr is the function's own choice (`http.showFailures`); who may
 * manage functions is told.
 */

import { noOutput } from '../../host/bytes.ts';
import { isNebulaError, NebulaError } from '../../host/errors.ts';
import type { LimitName } from '../../host/limits.ts';
import { TRAP_REASONS, type Ending, type Outcome, type Start, type Usage } from '../../host/outcome.ts';
import type { Phases } from '../../host/phases.ts';
import type { FunctionRecord } from '../schema/function-record.ts';
import type { Problem } from '../schema/problem.ts';
import { textOf } from './json.ts';
import { toOutcomeError } from './outcome-error.ts';
import { fromProblem, parseProblem, type ProblemMembers } from './problem.ts';
import { formatServerTiming, parseCpuNs, parseServerTiming } from './server-timing.ts';

/** Fields that tell of a call, and what each holds. */
export const OUTCOME_FIELDS = {
  'Nebula-Outcome': 'How the guest ended: ok, exit, trap, timeout, limit, denied, aborted; failed when it is not shown',
  'Nebula-Exit-Code': "The guest's exit code, where it is shown",
  'Nebula-Start': 'cold, restored or ready',
  'Nebula-Function-Version': 'The version that answered',
  'Nebula-Units': 'Units that the guest has counted, where it counts them',
  'Server-Timing': 'Milliseconds of each phase',
} as const satisfies Readonly<Record<string, string>>;

/** Bytes of stderr's end that a shown failure carries. */
export const STDERR_TAIL_BYTES = 2048;

const DEFAULT_CONTENT_TYPE = 'application/octet-stream';

/** An ending that is not `ok`. */
export type FailedOutcome = Exclude<Outcome, { kind: 'ok' }>;

/** Names and values, in turn, of the fields beside the stdout of an `ok` outcome. */
export function okFields(record: FunctionRecord, outcome: Outcome): string[] {
  const fields = [
    'Content-Type',
    record.manifest.http?.contentType ?? DEFAULT_CONTENT_TYPE,
    // The guest chooses the bytes: a browser must not guess a type that runs them.
    'X-Content-Type-Options',
    'nosniff',
    'Nebula-Outcome',
    'ok',
    'Nebula-Exit-Code',
    '0',
    'Nebula-Start',
    outcome.start,
    'Nebula-Function-Version',
    String(record.version),
    'Server-Timing',
    formatServerTiming(outcome.phases, outcome.usage),
  ];
  return withUnits(fields, outcome);
}

/** Names and values, in turn, of the fields of any outcome; its kind is `failed` where the function does not show it. */
export function outcomeFields(
  record: FunctionRecord,
  outcome: Outcome,
  isShowing: boolean = showsFailures(record),
): string[] {
  const isTold = isShown(outcome, isShowing);
  const fields = [
    'Nebula-Outcome',
    isTold ? outcome.kind : 'failed',
    'Nebula-Start',
    outcome.start,
    'Nebula-Function-Version',
    String(record.version),
    'Server-Timing',
    formatServerTiming(outcome.phases, outcome.usage),
  ];
  const exitCode = outcome.kind === 'ok' ? 0 : outcome.kind === 'exit' ? outcome.exitCode : undefined;
  if (exitCode !== undefined && isTold) fields.push('Nebula-Exit-Code', String(exitCode));
  return withUnits(fields, outcome);
}

function withUnits(fields: string[], { usage: { units } }: Outcome): string[] {
  if (units !== undefined) fields.push('Nebula-Units', String(units));
  return fields;
}

/** The failure by which callers outside are told of an outcome; `isShowing` of those who may know why. */
export function failureOf(record: FunctionRecord, outcome: FailedOutcome, isShowing: boolean): NebulaError {
  if (isShown(outcome, isShowing)) return toOutcomeError(record.name, outcome);
  return new NebulaError('GUEST_FAILED', { name: record.name, ending: 'a failure' });
}

/** What its problem says besides: nothing to those who may not know why. */
export function failureMembers(outcome: FailedOutcome, isShowing: boolean): ProblemMembers {
  if (!isShowing) return {};
  const stderr = tailOf(outcome.stderr);
  if (outcome.kind === 'trap') {
    return { outcome: { kind: 'trap', reason: outcome.reason, message: outcome.message }, stderr };
  }
  return outcome.kind === 'exit' ? { outcome: { kind: 'exit', exitCode: outcome.exitCode }, stderr } : { stderr };
}

/** What the problem of a call says besides whose thread was lost with it; undefined where there is nothing to be told. */
export function lossMembers(error: unknown): ProblemMembers | undefined {
  const stderr = lostStderr(error);
  return stderr === undefined ? undefined : { stderr: tailOf(stderr) };
}

/** What the guest of a call had written to stderr whose thread was lost with it; undefined for any other error. */
export function lostStderr(error: unknown): Uint8Array | undefined {
  if (!isNebulaError(error) || error.key !== 'WORKER_LOST') return undefined;
  const { stderr } = (error.cause ?? {}) as { readonly stderr?: unknown };
  return stderr instanceof Uint8Array ? stderr : undefined;
}

function tailOf(stderr: Uint8Array): string {
  return textOf(stderr.subarray(Math.max(0, stderr.byteLength - STDERR_TAIL_BYTES)));
}

/** Whether a function shows everybody why it failed. */
export function showsFailures(record: FunctionRecord): boolean {
  return record.manifest.http?.showFailures === true;
}

// Traps and exit codes can tell a stranger what is inside a function; a deadline or a limit is the operator's own setting.
function isShown(outcome: Outcome, isShowing: boolean): boolean {
  return (outcome.kind !== 'exit' && outcome.kind !== 'trap') || isShowing;
}

/** How a guest ended, as far as the server tells: `failed` is a trap or exit code that the function does not show. */
export type RemoteEnding = Ending | { readonly kind: 'failed' };

/** What a call over a wire came to. */
export type RemoteOutcome = RemoteEnding & {
  /** Empty unless the guest ended `ok`. */
  readonly stdout: Uint8Array;
  /** The end of the guest's stderr, when it failed and the function shows failures; else empty. */
  readonly stderr: Uint8Array;
  /** How the call found its micro-VM. */
  readonly start: Start;
  /** Nanoseconds spent in each phase. */
  readonly phases: Phases;
  /** Units that its code has counted, and nanoseconds of processor time; each where it is counted. */
  readonly usage: Pick<Usage, 'units' | 'cpuNs'>;
  /** The version that answered. */
  readonly version: number;
};

/** An answer as it came. */
export interface RemoteReply {
  readonly status: number;
  /** Fields by their names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Uint8Array;
}

/**
 * The outcome in an answer; `url` names the server in messages.
 * @throws NebulaError with the server's code; SERVER_ANSWER for what is no answer of Nebula's
 */
export function parseOutcome(url: string, reply: RemoteReply): RemoteOutcome {
  const kind = fieldOf(reply, 'Nebula-Outcome');
  if (kind === undefined) {
    if (reply.status < 400)
      throw new NebulaError('SERVER_ANSWER', { url, detail: 'expected a Nebula-Outcome header, got none' });
    throw parseFailure(url, reply);
  }
  const timing = fieldOf(reply, 'Server-Timing') ?? '';
  const [units, cpuNs] = [fieldOf(reply, 'Nebula-Units'), parseCpuNs(timing)];
  const facts = {
    start: (fieldOf(reply, 'Nebula-Start') ?? 'cold') as Start,
    phases: parseServerTiming(timing),
    usage: { ...(units === undefined ? {} : { units: Number(units) }), ...(cpuNs === undefined ? {} : { cpuNs }) },
    version: Number(fieldOf(reply, 'Nebula-Function-Version')),
  };
  if (kind === 'ok') return { kind, stdout: reply.body, stderr: noOutput(), ...facts };
  const problem = parseProblem(reply.body);
  if (problem === undefined) throw notNebula(url, reply);
  const { stderr } = problem;
  const tail = typeof stderr === 'string' ? new Uint8Array(Buffer.from(stderr)) : noOutput();
  return { ...toEnding(url, kind, problem), stdout: noOutput(), stderr: tail, ...facts };
}

/** The failure that an answer tells of; SERVER_ANSWER when it is no problem of Nebula's. */
export function parseFailure(url: string, reply: RemoteReply): NebulaError {
  const problem = parseProblem(reply.body);
  return problem === undefined ? notNebula(url, reply) : fromProblem(problem);
}

/** Whether a guest has run for an answer, whatever it looks like. */
export function hasOutcome(reply: RemoteReply): boolean {
  return fieldOf(reply, 'Nebula-Outcome') !== undefined;
}

function notNebula(url: string, reply: RemoteReply): NebulaError {
  return new NebulaError('SERVER_ANSWER', { url, detail: `status ${reply.status} without a problem of Nebula's` });
}

function toEnding(url: string, kind: string, { fields: given, outcome }: Partial<Problem>): RemoteEnding {
  // A server that is not ours may say null.
  const fields = given ?? {};
  switch (kind) {
    case 'failed':
    case 'aborted':
      return { kind };
    case 'timeout':
      return { kind, timeoutMs: Number(fields['timeoutMs']) };
    case 'limit':
      return { kind, limit: String(fields['limit']) as LimitName, allowed: Number(fields['allowed']) };
    case 'denied':
      return { kind, capability: String(fields['capability']) };
    case 'exit': {
      const { exitCode } = (outcome ?? {}) as { readonly exitCode?: unknown };
      return { kind, exitCode: Number(exitCode) };
    }
    case 'trap': {
      const { reason, message } = (outcome ?? {}) as { readonly reason?: unknown; readonly message?: unknown };
      return { kind, reason: TRAP_REASONS.find((known) => known === reason) ?? 'other', message: String(message) };
    }
    default:
      throw new NebulaError('SERVER_ANSWER', { url, detail: `an outcome of kind ${JSON.stringify(kind)}` });
  }
}

function fieldOf(reply: RemoteReply, name: keyof typeof OUTCOME_FIELDS): string | undefined {
  const value = reply.headers[name.toLowerCase()];
  return Array.isArray(value) ? value.join(', ') : value;
}
