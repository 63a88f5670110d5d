/** What is asynchronous in the component model, which this release does not run. */

import { NebulaError } from '../../../errors.ts';

/** What is said of WASI 0.3 wherever it is refused. */
export const WASI_03 =
  'this release does not run WASI 0.3, whose asynchronous functions will need Node 24 or newer with JSPI';

/** Refuses what only WASI 0.3 has. @throws NebulaError MODULE_UNSUPPORTED */
export function refuseAsync(what: string): never {
  throw new NebulaError('MODULE_UNSUPPORTED', { feature: `${what}: ${WASI_03}` });
}
