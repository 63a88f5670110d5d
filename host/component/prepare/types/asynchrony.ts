/** What is asynchronous in the component model, which this release does not run. */

import { NebulaError } from '../../../errors.ts';
import { WASI_03 } from '../../../wasi/versions.ts';

/** Refuses what only WASI 0.3 has. @throws NebulaError MODULE_UNSUPPORTED */
export function refuseAsync(what: string): never {
  throw new NebulaError('MODULE_UNSUPPORTED', { feature: `${what}: ${WASI_03}` });
}
