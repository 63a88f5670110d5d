/** Prepares modules in a preparing process, within bounds of time and memory. */

import { NebulaError } from '../errors.ts';
import type { Limits } from '../limits.ts';
import { compile } from '../module/compile.ts';
import type { ModuleOptions } from '../module/inspect.ts';
import type { PreparedModule } from '../module/prepared-module.ts';
import { prepareApart } from './children.ts';

/**
 * Checks, rewrites and compiles a module in a preparing process.
 * @throws NebulaError MODULE_TOO_LARGE, DEPLOY_TIMEOUT, DEPLOY_MEMORY, PREPARER_LOST; what `rewriteModule` refuses
 */
export async function prepareModule(
  bytes: Uint8Array,
  limits: Limits,
  options: ModuleOptions = {},
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
  const rewritten = await prepareApart({ kind: 'module', bytes, limits, options }, limits);
  const compiled = await compile(rewritten.bytes);
  const compileNs = Math.round((performance.now() - startedMs) * 1e6);
  return { compiled, digest: rewritten.digest, info: rewritten.info, compileNs };
}
