/** One record of what happened to a function, as the log keeps it and hands it out. */

import { Type } from 'typebox';
import { oneOf } from '../../host/schema/elements.ts';
import type { ReadonlyStatic } from '../../host/schema/static.ts';

/** What a record may tell of. */
export const LOG_EVENTS = ['deploy', 'remove', 'failure', 'refusal', 'stderr', 'left-out'] as const;

const LEVELS = ['info', 'warn', 'error'] as const;
const OUTCOMES = ['ok', 'exit', 'trap', 'timeout', 'limit', 'denied', 'aborted'] as const;

/** Schema of a record. */
export const logRecordSchema = Type.Object(
  {
    /** Counts the records of one Nebula, from 1 on: what `after` names. */
    sequence: Type.Integer({ minimum: 1 }),
    /** When, in milliseconds since 1970. */
    timeMs: Type.Number(),
    level: oneOf(LEVELS),
    /**
     * `deploy`: a version is in force, or was refused; `remove`; `failure`: a guest ended otherwise than `ok`; `refusal`: Nebula
     * could not carry a call out; `stderr`: a line that the guest wrote there; `left-out`: more happened than is kept.
     */
    event: oneOf(LOG_EVENTS),
    /** The function's. */
    name: Type.String(),
    /** The version in force; absent where there is none yet. */
    version: Type.Optional(Type.Integer({ minimum: 1 })),
    /** Of the call, where whoever made it gave one: over HTTP, `X-Request-Id`. */
    requestId: Type.Optional(Type.String()),
    /** One line; control characters are written as `\u{1b}`. */
    message: Type.String(),
    /** How the guest ended. */
    outcome: Type.Optional(oneOf(OUTCOMES)),
    /** Code of the error, such as `ERR_NEBULA_QUEUE_FULL`. */
    code: Type.Optional(Type.String()),
    /** All phases of the call together, or what the deploy took, in milliseconds. */
    durationMs: Type.Optional(Type.Number()),
  },
  { title: 'LogRecord' },
);

/** One record of what happened to a function. */
export interface LogRecord extends ReadonlyStatic<typeof logRecordSchema> {}
