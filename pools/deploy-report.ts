/** What a deploy found out. Its schema is loaded by `lib` only. */

import { Type, type TNumber, type TOptional } from 'typebox';
import { STRATEGIES, type Strategy } from '../host/definition/strategies.ts';
import { oneOf } from '../host/schema/elements.ts';
import type { ReadonlyStatic } from '../host/schema/static.ts';

const perStrategy = Object.fromEntries(
  STRATEGIES.map((strategy) => [strategy, Type.Optional(Type.Number({ minimum: 0 }))]),
) as Record<Strategy, TOptional<TNumber>>;

/** Schema of the `report` in a function's record. */
export const deployReportSchema = Type.Object({
  /** The strategy in force; of a container or a process, whether it is made for each call or kept. */
  strategy: oneOf([...STRATEGIES, 'cold', 'warm']),
  /** Why it is that one, in one sentence. */
  reason: Type.String(),
  /** Time to a restored micro-VM per strategy tried, in nanoseconds (median). */
  calibrationNs: Type.Object(perStrategy),
  /** Size of the snapshot's memory image, its zero pages left out, in bytes. */
  snapshotBytes: Type.Integer({ minimum: 0 }),
  /** Time to run the initialisation, to read the stored snapshot, or to build the image, in nanoseconds. */
  initialiseNs: Type.Number({ minimum: 0 }),
  /** The image that its containers are created from: the engine's id of it, a digest. */
  imageId: Type.Optional(Type.String({ description: 'of a container: the id of its image' })),
  /** Sources read during initialisation that differ from call to call. */
  initReads: Type.Array(oneOf(['random', 'clock'])),
});

/** What a deploy found out. */
export interface DeployReport extends ReadonlyStatic<typeof deployReportSchema> {}
