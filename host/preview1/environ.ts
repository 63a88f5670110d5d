/** `environ_get`, `environ_sizes_get`: the variables an invocation was given. */

import type { HostFunctions } from './abi.ts';
import { writeSizes, writeStrings } from './args.ts';
import type { Context } from './context.ts';

/** `environ_get`, `environ_sizes_get`: each variable as `KEY=value`. Source: WASI preview1, docs.md#environ_get. */
export function createEnvironFunctions(context: Context): HostFunctions {
  return {
    environ_get: (environ: number, buffer: number): number => {
      context.enter();
      return writeStrings(context, context.environ, environ >>> 0, buffer >>> 0);
    },
    environ_sizes_get: (count: number, size: number): number => {
      context.enter();
      return writeSizes(context, context.environ, count >>> 0, size >>> 0);
    },
  };
}
