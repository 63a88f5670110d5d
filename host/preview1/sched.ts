/** `sched_yield`: there is nothing in this thread to yield to. */

import { ERRNO } from '../wasi/errno.ts';
import type { HostFunctions } from './abi.ts';
import type { Context } from './context.ts';

/** `sched_yield`. Source: WASI preview1, docs.md#sched_yield. */
export function createSchedFunctions(context: Context): HostFunctions {
  return {
    sched_yield: (): number => {
      context.enter();
      return ERRNO.success;
    },
  };
}
