/** What a client reads out of the answer to `POST /invoke/:name`: an outcome as the server told it, or a failure. */

import { NO_OUTPUT } from '../../../host/bytes.ts';
import { ERRORS, NebulaError, type ErrorFields, type ErrorName } from '../../../host/errors.ts';
import type { LimitName } from '../../../host/limits.ts';
import { TRAP_REASONS, type Ending, type Start } from '../../../host/outcome.ts';
import { ALL_PHASES, NO_PHASES, type Phases } from '../../../host/phases.ts';

/** How a guest ended, as far as the server tells: `failed` is a trap or exit code that the function does not show. */
export type RemoteEnding = Ending | { readonly kind: 'failed' };

export type RemoteOutcome = RemoteEnding & {
  /** Empty unless the guest ended `ok`. */
  readonly stdout: Uint8Array;
  /** The end of the guest's stderr, when it failed and the function shows failures; else empty. */
  readonly stderr: Uint8Array;
  readonly start: Start;
  readonly phases: Phases;
  /** The version that answered. */
  readonly version: number;
};

/** An answer as it came. */
export interface RemoteReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Uint8Array;
}

interface RemoteProblem {
  readonly key: ErrorName;
  readonly fields: ErrorFields;
  readonly outcome: unknown;
  readonly stderr: Uint8Array;
}

const PREFIX = 'ERR_NEBULA_';

/** The outcome in an answer. @throws NebulaError with the server's code; SERVER_ANSWER for what is no answer of Nebula's */
export function readRemoteOutcome(url: string, reply: RemoteReply): RemoteOutcome {
  const kind = headerOf(reply, 'nebula-outcome');
  if (kind === undefined) {
    if (reply.status < 400)
      throw new NebulaError('SERVER_ANSWER', { url, detail: 'expected a Nebula-Outcome header, got none' });
    throw readRemoteFailure(url, reply);
  }
  const facts = {
    start: (headerOf(reply, 'nebula-start') ?? 'cold') as Start,
    phases: parseServerTiming(headerOf(reply, 'server-timing') ?? ''),
    version: Number(headerOf(reply, 'nebula-function-version')),
  };
  if (kind === 'ok') return { kind, stdout: reply.body, stderr: NO_OUTPUT, ...facts };
  const problem = readProblem(reply);
  if (problem === undefined) throw notNebula(url, reply);
  return { ...toEnding(url, kind, problem), stdout: NO_OUTPUT, stderr: problem.stderr, ...facts };
}

/** The failure a problem tells of; SERVER_ANSWER when it is no problem of Nebula's. */
export function readRemoteFailure(url: string, reply: RemoteReply): NebulaError {
  const problem = readProblem(reply);
  return problem === undefined ? notNebula(url, reply) : new NebulaError(problem.key, problem.fields);
}

function notNebula(url: string, reply: RemoteReply): NebulaError {
  return new NebulaError('SERVER_ANSWER', { url, detail: `status ${reply.status} without a problem of Nebula's` });
}

function readProblem(reply: RemoteReply): RemoteProblem | undefined {
  const body = parseObject(reply.body);
  const code = body?.['code'];
  const key = typeof code === 'string' && code.startsWith(PREFIX) ? code.slice(PREFIX.length) : '';
  if (body === undefined || !Object.hasOwn(ERRORS, key)) return undefined;
  const fields = (body['fields'] ?? {}) as ErrorFields;
  const stderr = typeof body['stderr'] === 'string' ? new Uint8Array(Buffer.from(body['stderr'])) : NO_OUTPUT;
  return { key: key as ErrorName, fields, outcome: body['outcome'], stderr };
}

function toEnding(url: string, kind: string, { fields, outcome }: RemoteProblem): RemoteEnding {
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
      const { exitCode } = (outcome ?? {}) as { exitCode?: unknown };
      return { kind, exitCode: Number(exitCode) };
    }
    case 'trap': {
      const { reason, message } = (outcome ?? {}) as { reason?: unknown; message?: unknown };
      return { kind, reason: TRAP_REASONS.find((known) => known === reason) ?? 'other', message: String(message) };
    }
    default:
      throw new NebulaError('SERVER_ANSWER', { url, detail: `an outcome of kind ${JSON.stringify(kind)}` });
  }
}

function parseObject(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    // Whatever is not JSON is no problem document: the caller says so.
    return undefined;
  }
}

function headerOf(reply: RemoteReply, name: string): string | undefined {
  const value = reply.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

/** Phases in nanoseconds out of a Server-Timing header; those it does not name are 0. */
export function parseServerTiming(header: string): Phases {
  const phases: { -readonly [K in keyof Phases]: Phases[K] } = { ...NO_PHASES };
  for (const entry of header.split(',')) {
    const [name = '', ...parameters] = entry.split(';').map((part) => part.trim());
    const phase = ALL_PHASES.find((known) => known === name);
    const duration = parameters.find((parameter) => parameter.startsWith('dur='));
    if (phase !== undefined && duration !== undefined) phases[phase] = Math.round(Number(duration.slice(4)) * 1e6);
  }
  return phases;
}
