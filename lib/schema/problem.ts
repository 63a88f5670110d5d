/** The body of an answer that tells of a failure. Source: RFC 9457. */

import { Type } from 'typebox';
import { ERRORS, type ErrorCode, type ErrorFields, type ErrorName } from '../../host/errors.ts';
import { TRAP_REASONS } from '../../host/outcome.ts';
import { oneOf } from '../../host/schema/elements.ts';
import type { ReadonlyStatic } from '../../host/schema/static.ts';

const CODES = Object.keys(ERRORS).map((name): ErrorCode => `ERR_NEBULA_${name as ErrorName}`);

/** Schema of a failure of the one table (host/errors.ts). */
export const problemSchema = Type.Object(
  {
    /** Names the kind of problem; a URI that is an identifier only. */
    type: Type.String(),
    /** The status' phrase. */
    title: Type.String(),
    /** The HTTP status. */
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    /** What happened, in one sentence. */
    detail: Type.String(),
    /** Names this occurrence. */
    instance: Type.String(),
    /** Stable code of the table, such as `ERR_NEBULA_QUEUE_FULL`. */
    code: oneOf(CODES),
    /** What the detail names, as data. */
    fields: Type.Unsafe<ErrorFields>(Type.Record(Type.String(), Type.Union([Type.String(), Type.Number()]))),
    /** How the guest ended, where the function shows its failures. */
    outcome: Type.Optional(
      Type.Union([
        Type.Object({ kind: Type.Literal('exit'), exitCode: Type.Integer() }),
        Type.Object({ kind: Type.Literal('trap'), reason: oneOf(TRAP_REASONS), message: Type.String() }),
      ]),
    ),
    /** The end of the guest's stderr, where the function shows its failures. */
    stderr: Type.Optional(
      Type.String({ description: "the end of the guest's stderr, when the function shows failures" }),
    ),
  },
  { title: 'Problem', description: 'RFC 9457' },
);

/** A failure of the one table, as callers outside the process are told of it. */
export interface Problem extends ReadonlyStatic<typeof problemSchema> {}

/** Schema of what is told of a request that HTTP itself cannot make sense of: it has no code. */
export const malformedRequestSchema = Type.Object(
  {
    /** Says that the status is all there is to know. */
    type: Type.Literal('about:blank'),
    /** The status' phrase. */
    title: Type.String(),
    /** The HTTP status. */
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    /** What was expected and what came. */
    detail: Type.Optional(Type.String()),
  },
  {
    title: 'MalformedRequest',
    description: 'RFC 9457, without a code: HTTP itself could not make sense of the request',
  },
);

/** What is told of a request that HTTP itself cannot make sense of. */
export interface MalformedRequestProblem extends ReadonlyStatic<typeof malformedRequestSchema> {}
