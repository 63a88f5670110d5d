/** Prepares modules in a preparing process, within bounds of time and memory. */

import type { CountingWish } from '../definition/budget.ts';
import { NebulaError } from '../errors.ts';
import type { Limits } from '../limits.ts';
import type { ModuleOptions } from '../module/inspect.ts';
import type { PreparedModule } from '../module/prepared-module.ts';
import { prepareBeside } from './beside.ts';

/**
 * Checks, rewrites and compiles a module in a preparing process. `wish` says whether its code is to count units.
 * @throws NebulaError MODULE_TOO_LARGE, DEPLOY_TIMEOUT, DEPLOY_MEMORY, PREPARER_LOST; what `rewriteModule` refuses
 */
export async function prepareModule(
  bytes: Uint8Array,
  limits: Limits,
  options: ModuleOptions = {},
  wish: CountingWish = 'never',
): Promise<PreparedModule> {
  if (bytes.length > limits.moduleBytes) {
    throw new NebulaError('MODULE_TOO_LARGE', {
      name: 'unnamed',
      sizeBytes: bytes.length,
      limitBytes: limits.moduleBytes,
      option: 'limits.moduleBytes',
    });
  }
  const startedMs = performance.now();
  const prepared = await prepareBeside({ kind: 'module', bytes, limits, options, wish }, limits);
  const compileNs = Math.round((performance.now() - startedMs) * 1e6);
  return { ...prepared, compileNs };
}
