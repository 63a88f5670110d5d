/**
 * Failures as problem+json (RFC 9457), from the one table of host/errors.ts. What is not in the table is told to the log,
 * and the client gets an id to ask for it by.
 */

import { STATUS_CODES } from 'node:http';
import { randomUUID } from 'node:crypto';
import { isNebulaError, NebulaError, type ErrorFields } from '../../../host/errors.ts';
import type { Answer, HttpLogger } from './exchange.ts';

/** The body of a failed request. */
export interface Problem {
  /** Names the kind of problem; a URI that is an identifier only. */
  readonly type: string;
  /** The status' phrase. */
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** Names this occurrence. */
  readonly instance: string;
  /** Stable code of the table, such as `ERR_NEBULA_QUEUE_FULL`. */
  readonly code: string;
  /** What the detail names, as data. */
  readonly fields: ErrorFields;
}

/** Seconds after which a call that met a 503 may be sent again, where it is not known better. */
const RETRY_AFTER_S = 1;

const CONTENT_TYPE = 'application/problem+json';

/** The answer for a failure, with members and headers added to it. */
export function problemAnswer(
  error: NebulaError,
  members: Readonly<Record<string, unknown>> = {},
  headers: readonly string[] = [],
): Answer {
  return toAnswer(error, randomUUID(), members, headers);
}

/** The answer for anything that was thrown. What the table does not name is logged and shown as a request id only. */
export function failureAnswer(error: unknown, logger: HttpLogger | undefined): Answer {
  const requestId = randomUUID();
  if (!isNebulaError(error)) {
    logger?.error({ err: error, requestId }, 'A request failed inside Nebula');
    return toAnswer(new NebulaError('INTERNAL', { requestId }, { cause: error }), requestId, {}, []);
  }
  // A guest's fault is its operator's to know, since its caller cannot mend it.
  if (error.httpStatus === 500 || error.key === 'GUEST_RESPONSE')
    logger?.warn({ err: error, requestId }, error.message);
  return toAnswer(error, requestId, {}, []);
}

function toAnswer(
  error: NebulaError,
  requestId: string,
  members: Readonly<Record<string, unknown>>,
  headers: readonly string[],
): Answer {
  const status = error.httpStatus;
  const problem: Problem = {
    type: `urn:nebula:error:${error.key.toLowerCase().replaceAll('_', '-')}`,
    title: titleOf(status),
    status,
    detail: error.message,
    instance: `urn:uuid:${requestId}`,
    code: error.code,
    fields: error.fields,
  };
  return {
    status,
    headers: ['Content-Type', CONTENT_TYPE, ...statusHeaders(error), ...headers],
    body: JSON.stringify({ ...problem, ...members }),
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

/** The phrase of a status; 499 has none in the registry. */
export function titleOf(status: number): string {
  return status === 499 ? 'Client Closed Request' : (STATUS_CODES[status] ?? 'Unknown Status');
}

/** The answer for a request that HTTP itself could not make sense of. */
export function malformedRequestAnswer(status: number, detail?: string): Answer {
  return { status, headers: ['Content-Type', CONTENT_TYPE], body: malformedRequestProblem(status, detail) };
}

/** Its problem: it has a status, and no code of the table. */
export function malformedRequestProblem(status: number, detail?: string): string {
  return JSON.stringify({ type: 'about:blank', title: titleOf(status), status, detail });
}
