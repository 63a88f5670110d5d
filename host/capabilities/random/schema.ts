/** `capabilities.random` in a manifest. Loaded by `lib` only. */

import { Type } from 'typebox';
import { CLOSED } from '../../schema/elements.ts';
import type { ReadonlyStatic } from '../../schema/static.ts';

/** Schema of the source of randomness. */
export const randomSchema = Type.Union(
  [
    Type.Object({ kind: Type.Literal('secure') }, CLOSED),
    Type.Object(
      {
        kind: Type.Literal('seeded'),
        seed: Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }),
      },
      CLOSED,
    ),
  ],
  { description: '{"kind": "secure"} or {"kind": "seeded", "seed": integer}' },
);

/** `secure`: the operating system's source. `seeded`: a repeatable sequence, the same for each invocation. */
export type RandomCapability = ReadonlyStatic<typeof randomSchema>;
