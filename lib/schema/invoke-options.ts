/** What a call may be given beside its input. */

import { Type } from 'typebox';
import { CLOSED, ENVIRONMENT, PLAIN_TEXT, text } from '../../host/schema/elements.ts';
import type { ReadonlyStatic } from '../../host/schema/static.ts';

/** What may be the id of a request: nothing that would need quoting anywhere. */
export const REQUEST_ID_PATTERN = '^[\\w.:/+=@-]{1,128}$';
const REQUEST_ID_WORDS = 'a text of at most 128 letters, digits and _.:/+=@-';

/** What a call says that any wire can carry. */
const fields = {
  /** Arguments in place of the manifest's. */
  arguments: Type.Optional(Type.Array(PLAIN_TEXT, { description: 'a list of texts without NUL' })),
  /** Variables added to the manifest's. */
  environment: Type.Optional(ENVIRONMENT),
  /** What the log calls it by. */
  requestId: Type.Optional(text(REQUEST_ID_PATTERN, REQUEST_ID_WORDS)),
  /** Milliseconds from the call on, waiting included, for which the caller wants an answer; the limit holds besides. */
  timeoutMs: Type.Optional(
    Type.Number({
      exclusiveMinimum: 0,
      exclusiveMaximum: 2 ** 31,
      description: 'a number of milliseconds above 0 and below 2147483648',
    }),
  ),
};

/** Schema of the options of `invoke`. */
export const invokeOptionsSchema = Type.Object(
  {
    ...fields,
    /** Who calls, as bindings are told (`context.caller`); no guest is. */
    caller: Type.Optional(text('^[^\\u0000]{1,256}$', 'a text of 1 to 256 characters without NUL')),
    /** Ends the call when it aborts, with an `aborted` outcome, whether it waits or runs. */
    signal: Type.Optional(Type.Unsafe<AbortSignal>({ instanceOf: 'AbortSignal', description: 'an AbortSignal' })),
  },
  { ...CLOSED, description: 'an object' },
);

/** What a call may be given beside its input. */
export interface InvokeOptions extends ReadonlyStatic<typeof invokeOptionsSchema> {}
