/** `random_get`. */

import { ERRNO } from '../wasi/errno.ts';
import type { HostFunctions } from './abi.ts';
import type { Context } from './context.ts';

/** `random_get`. Source: WASI preview1, docs.md#random_get. */
export function createRandomFunctions(context: Context): HostFunctions {
  return {
    random_get: (buffer: number, length: number): number => {
      context.enter();
      const memory = context.memory;
      if (!memory.holds(buffer >>> 0, length >>> 0)) return ERRNO.fault;
      context.fillRandom(memory.bytes, buffer >>> 0, length >>> 0);
      return ERRNO.success;
    },
  };
}
