/** `clock_res_get`, `clock_time_get`. A clock that does not exist is INVAL. */

import { ERRNO } from '../wasi/errno.ts';
import type { HostFunctions } from './abi.ts';
import type { Context } from './context.ts';

/**
 * `clock_res_get`, `clock_time_get`: nanoseconds as u64. Source: WASI preview1, docs.md#clock_res_get, #clock_time_get.
 */
export function createClockFunctions(context: Context): HostFunctions {
  return {
    clock_res_get: (clock: number, resolution: number): number => {
      context.enter();
      return writeTimestamp(context, context.time.resolutionNs(clock >>> 0), resolution >>> 0);
    },
    clock_time_get: (clock: number, _precision: bigint, time: number): number => {
      context.enter();
      return writeTimestamp(context, context.readClock(clock >>> 0), time >>> 0);
    },
  };
}

function writeTimestamp(context: Context, timeNs: bigint, pointer: number): number {
  if (timeNs < 0n) return ERRNO.inval;
  const memory = context.memory;
  if (!memory.holds(pointer, 8)) return ERRNO.fault;
  memory.view.setBigUint64(pointer, timeNs, true);
  return ERRNO.success;
}
