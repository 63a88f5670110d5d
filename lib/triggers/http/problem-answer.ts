/**
 * Failures as responses: problem+json (lib/wire/problem.ts), and the fields that go with a status. What is not in the one
 * table of failures is told to the log, and the client gets an id to ask for it by.
 */

import { isNebulaError, NebulaError } from '../../../host/errors.ts';
import { oneLine } from '../../observe/stderr-lines.ts';
import { PROBLEM_TYPE, toMalformedRequestProblem, toProblem, type ProblemMembers } from '../../wire/problem.ts';
import type { Answer } from './exchange.ts';
import type { HttpLogger } from './logger.ts';

/** A failure of the table whose problem says more than the error does. */
export class ShownFailure extends Error {
  readonly failure: NebulaError;
  readonly members: ProblemMembers;

  constructor(failure: NebulaError, members: ProblemMembers) {
    super(failure.message);
    this.name = 'ShownFailure';
    this.failure = failure;
    this.members = members;
  }
}

/** Seconds after which a call that met a 503 may be sent again, where it is not known better. */
const RETRY_AFTER_S = 1;

/** The answer for anything that was thrown. What the table does not name is logged and shown as a request id only. */
export function failureAnswer(thrown: unknown, requestId: string, logger: HttpLogger | undefined): Answer {
  const [error, members] = thrown instanceof ShownFailure ? [thrown.failure, thrown.members] : [thrown, {}];
  if (!isNebulaError(error)) {
    logger?.error({ err: error, requestId }, 'A request failed inside Nebula');
    return problemAnswer(new NebulaError('INTERNAL', { requestId }, { cause: error }), requestId);
  }
  if (error.httpStatus === 500) logger?.warn({ code: error.code, requestId }, oneLine(error.message));
  return problemAnswer(error, requestId, members);
}

/** The answer for a failure, with members and headers added to it. */
export function problemAnswer(
  error: NebulaError,
  requestId: string,
  members: ProblemMembers = {},
  headers: readonly string[] = [],
): Answer {
  return {
    status: error.httpStatus,
    headers: ['Content-Type', PROBLEM_TYPE, ...statusHeaders(error), ...headers],
    body: JSON.stringify(toProblem(error, requestId, members)),
  };
}

function statusHeaders(error: NebulaError): string[] {
  switch (error.httpStatus) {
    case 401:
      return ['WWW-Authenticate', 'Bearer realm="nebula"'];
    case 405:
      return ['Allow', String(error.fields['allowed'])];
    case 503:
      return ['Retry-After', String(retryAfterS(error))];
    default:
      return [];
  }
}

function retryAfterS({ fields }: NebulaError): number {
  const waitMs = fields['retryAfterMs'];
  return typeof waitMs === 'number' ? Math.max(1, Math.ceil(waitMs / 1000)) : RETRY_AFTER_S;
}

/** The answer for a request that HTTP itself could not make sense of. */
export function malformedRequestAnswer(status: number, detail?: string): Answer {
  const body = JSON.stringify(toMalformedRequestProblem(status, detail));
  return { status, headers: ['Content-Type', PROBLEM_TYPE], body };
}
