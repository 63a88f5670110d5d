/** Keeps promises out of a house where guests answer at once. */

import { types } from 'node:util';
import { NebulaError } from '../errors.ts';

/** The feature that a component of WASI 0.3 uses, as MODULE_UNSUPPORTED names it. */
export const ASYNC_FEATURE =
  'asynchronous functions of WASI 0.3; this release runs WASI 0.2, and WASI 0.3 will need Node 24 or newer (JSPI)';

/**
 * What a function of the glue answered, which is a promise only of an asynchronous export, and those are refused at the
 * deploy (versions.ts).
 * @throws NebulaError MODULE_UNSUPPORTED for a promise, which is then nobody's: its rejection is taken
 */
export function requireSettled<T>(answer: T): T {
  // The glue may be of another context, with another Promise.
  if (!types.isPromise(answer)) return answer;
  Promise.resolve(answer).catch(() => undefined);
  throw new NebulaError('MODULE_UNSUPPORTED', { feature: ASYNC_FEATURE });
}
