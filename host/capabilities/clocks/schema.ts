/** `capabilities.clocks` in a manifest. Loaded by `lib` only. */

import { Type } from 'typebox';
import { CLOSED } from '../../schema/elements.ts';
import type { ReadonlyStatic } from '../../schema/static.ts';

/** Schema of the clocks. */
export const clocksSchema = Type.Union(
  [
    Type.Object({ kind: Type.Literal('real') }, CLOSED),
    Type.Object({ kind: Type.Literal('coarse'), grainNs: Type.Integer({ minimum: 1, maximum: 1e15 }) }, CLOSED),
    Type.Object({ kind: Type.Literal('fixed'), epochMs: Type.Number({ minimum: 0, maximum: 8.64e15 }) }, CLOSED),
  ],
  {
    description:
      '{"kind": "real"}, {"kind": "coarse", "grainNs": positive integer} or {"kind": "fixed", "epochMs": number}',
  },
);

/**
 * `real`: the machine's clocks. `coarse`: rounded down to the grain, in nanoseconds. `fixed`: always the given time, in
 * milliseconds since 1970.
 */
export type ClockCapability = ReadonlyStatic<typeof clocksSchema>;
