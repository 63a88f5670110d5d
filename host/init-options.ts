/** What is done once, before the snapshot of a function is taken. Its schema is loaded by `lib` only. */

import { Type } from 'typebox';
import { CLOSED, ENVIRONMENT, EXPORT_NAME, oneOf, setOf } from './schema/elements.ts';
import type { ReadonlyStatic } from './schema/static.ts';

/** What differs from call to call and an initialisation may be allowed to see. */
const INIT_SOURCES = ['random', 'clock', 'mounts'] as const;

/** Schema of a manifest's `init`. */
export const initSchema = Type.Object(
  {
    /** Export to call after `_initialize`; `wizer.initialize` when the module has it and nothing is named. */
    export: Type.Optional(EXPORT_NAME),
    /** Variables the initialisation sees. They are part of the snapshot, so never secrets. */
    environment: ENVIRONMENT,
    /** Sources that differ from call to call and may still be read during init, and whether it sees the mounts. */
    allow: setOf(oneOf(INIT_SOURCES, '"random", "clock" or "mounts"'), {
      description: 'a list of "random", "clock" and "mounts"',
    }),
    /** Inputs run through a reactor before the snapshot is taken. */
    warmUp: Type.Array(Type.String(), { description: 'a list of texts' }),
  },
  CLOSED,
);

/** What is done once, before the snapshot. */
export interface InitOptions extends ReadonlyStatic<typeof initSchema> {}
