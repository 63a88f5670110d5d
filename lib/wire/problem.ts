/** Failures outside the process: a NebulaError as problem+json (RFC 9457), and back. */

import { STATUS_CODES } from 'node:http';
import { ERRORS, NebulaError, type ErrorName } from '../../host/errors.ts';
import type { MalformedRequestProblem, Problem } from '../schema/problem.ts';
import { parseObject } from './json.ts';

/** The media type of a problem. */
export const PROBLEM_TYPE = 'application/problem+json';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const PREFIX = 'ERR_NEBULA_';

/** What a problem may say beside the failure: how the guest ended, and what it wrote last. */
export type ProblemMembers = Partial<Pick<Problem, 'outcome' | 'stderr'>>;

/** The problem that tells of a failure; `requestId` names this occurrence. */
export function toProblem(error: NebulaError, requestId: string, members: ProblemMembers = {}): Problem {
  const status = error.httpStatus;
  return {
    type: `urn:nebula:error:${error.key.toLowerCase().replaceAll('_', '-')}`,
    title: titleOf(status),
    status,
    detail: error.message,
    instance: UUID.test(requestId) ? `urn:uuid:${requestId}` : `urn:nebula:request:${encodeURIComponent(requestId)}`,
    code: error.code,
    fields: error.fields,
    ...members,
  };
}

/** The problem in the bytes of an answer; undefined for what is none, or has no code of the table. */
export function parseProblem(body: Uint8Array): Problem | undefined {
  const problem = parseObject(body) as Problem | undefined;
  return problem !== undefined && nameOf(problem) !== undefined ? problem : undefined;
}

/** The failure that a problem tells of. */
export function fromProblem(problem: Problem): NebulaError {
  return new NebulaError(nameOf(problem) ?? 'INTERNAL', problem.fields ?? {});
}

function nameOf({ code }: Partial<Problem>): ErrorName | undefined {
  const name = typeof code === 'string' && code.startsWith(PREFIX) ? code.slice(PREFIX.length) : '';
  return Object.hasOwn(ERRORS, name) ? (name as ErrorName) : undefined;
}

/** The problem of a request that HTTP itself could not make sense of: it has a status, and no code of the table. */
export function toMalformedRequestProblem(status: number, detail?: string): MalformedRequestProblem {
  return { type: 'about:blank', title: titleOf(status), status, ...(detail === undefined ? {} : { detail }) };
}

/** The phrase of a status; 499 has none in the registry. */
export function titleOf(status: number): string {
  return status === 499 ? 'Client Closed Request' : (STATUS_CODES[status] ?? 'Unknown Status');
}
