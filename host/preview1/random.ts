/** `random_get`. */

import type { HostFunctions } from './abi.ts';
import type { Context } from './context.ts';
import { ERRNO } from '../wasi/errno.ts';

export function createRandomFunctions(context: Context): HostFunctions {
  return {
    random_get: (buffer: number, length: number): number => {
      context.enter();
      context.reads.random = true;
      const memory = context.memory;
      if (!memory.holds(buffer >>> 0, length >>> 0)) return ERRNO.fault;
      context.random.fill(memory.bytes, buffer >>> 0, length >>> 0);
      return ERRNO.success;
    },
  };
}
