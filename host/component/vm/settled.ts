/** Keeps promises out of a house where guests answer at once. */

import { types } from 'node:util';
import { NebulaError } from '../../errors.ts';
import { WASI_03 } from '../../wasi/versions.ts';

/**
 * What a function of the glue answered, which is a promise only of an asynchronous export, and those are refused at the
 * deploy (prepare/entries.ts).
 * @throws NebulaError MODULE_UNSUPPORTED for a promise, which is then nobody's: its rejection is taken
 */
export function requireSettled<T>(answer: T): T {
  // The glue may be of another context, with another Promise.
  if (!types.isPromise(answer)) return answer;
  Promise.resolve(answer).catch(() => undefined);
  throw new NebulaError('MODULE_UNSUPPORTED', { feature: `an asynchronous export: ${WASI_03}` });
}
