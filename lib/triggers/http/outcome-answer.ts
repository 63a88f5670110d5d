/**
 * An Outcome as a response: stdout for `ok`, a problem for any other ending. Whether a guest's trap, exit code and stderr
 * are told is the function's own choice (`http.showFailures`).
 */

import { NebulaError } from '../../../host/errors.ts';
import type { Outcome } from '../../../host/outcome.ts';
import { ALL_PHASES, type Phases } from '../../../host/phases.ts';
import type { FunctionRecord } from '../../api.ts';
import type { Answer } from './exchange.ts';
import { toOutcomeError } from '../../outcome-error.ts';
import { problemAnswer } from './problem.ts';

/** Bytes of stderr's end that a shown failure carries. */
export const STDERR_TAIL_BYTES = 2048;

const DEFAULT_CONTENT_TYPE = 'application/octet-stream';

/** The answer to `POST /invoke/:name`. */
export function outcomeAnswer(record: FunctionRecord, outcome: Outcome): Answer {
  if (outcome.kind !== 'ok') return guestFailureAnswer(record, outcome);
  return {
    status: 200,
    headers: [
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
      serverTiming(outcome.phases),
    ],
    body: outcome.stdout,
  };
}

/** Headers that tell how an invocation went; `kind` is `failed` where the function does not show its failures. */
export function outcomeHeaders(record: FunctionRecord, outcome: Outcome): string[] {
  const headers = [
    'Nebula-Outcome',
    isShown(record, outcome) ? outcome.kind : 'failed',
    'Nebula-Start',
    outcome.start,
    'Nebula-Function-Version',
    String(record.version),
    'Server-Timing',
    serverTiming(outcome.phases),
  ];
  const exitCode = outcome.kind === 'ok' ? 0 : outcome.kind === 'exit' ? outcome.exitCode : undefined;
  if (exitCode !== undefined && isShown(record, outcome)) headers.push('Nebula-Exit-Code', String(exitCode));
  return headers;
}

/** An ending that is not `ok`. */
export type FailedOutcome = Exclude<Outcome, { kind: 'ok' }>;

/** The answer for every ending but `ok`. */
export function guestFailureAnswer(record: FunctionRecord, outcome: FailedOutcome): Answer {
  const members = showsFailures(record) ? failureMembers(outcome) : {};
  return problemAnswer(toError(record, outcome), members, outcomeHeaders(record, outcome));
}

function toError(record: FunctionRecord, outcome: FailedOutcome): NebulaError {
  if (isShown(record, outcome)) return toOutcomeError(record.name, outcome);
  return new NebulaError('GUEST_FAILED', { name: record.name, ending: 'a failure' });
}

function showsFailures(record: FunctionRecord): boolean {
  return record.manifest.http?.showFailures === true;
}

// Traps and exit codes can tell a stranger what is inside a function; a deadline or a limit is the operator's own setting.
function isShown(record: FunctionRecord, outcome: Outcome): boolean {
  return (outcome.kind !== 'exit' && outcome.kind !== 'trap') || showsFailures(record);
}

function failureMembers(outcome: FailedOutcome): Readonly<Record<string, unknown>> {
  const bytes = outcome.stderr.subarray(Math.max(0, outcome.stderr.byteLength - STDERR_TAIL_BYTES));
  const stderr = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  if (outcome.kind === 'trap') {
    return { outcome: { kind: 'trap', reason: outcome.reason, message: outcome.message }, stderr };
  }
  return outcome.kind === 'exit' ? { outcome: { kind: 'exit', exitCode: outcome.exitCode }, stderr } : { stderr };
}

/** The phases as a Server-Timing header, in milliseconds; phases that did not happen are left out. */
export function serverTiming(phases: Phases): string {
  let header = '';
  for (const phase of ALL_PHASES) {
    const durationNs = Math.round(phases[phase] ?? 0);
    if (durationNs > 0) header += `${header === '' ? '' : ', '}${phase};dur=${durationNs / 1e6}`;
  }
  return header === '' ? 'total;dur=0' : header;
}
