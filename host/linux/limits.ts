/** How much address space, and how many mappings, the machine lets this process have. */

import { readFileSync } from 'node:fs';
import { lastError, loadLibc } from './libc.ts';

const RLIMIT_AS = 9;
const RLIM_INFINITY = 0xffff_ffff_ffff_ffffn;

export interface MachineLimits {
  /** RLIMIT_AS, the size the address space may reach, in bytes; Infinity when it is unlimited or not Linux. */
  readonly addressSpaceBytes: number;
  /** Mappings the process may have (vm.max_map_count); Infinity where the machine does not say. */
  readonly maxMapCount: number;
}

/** Reads both anew. @throws LinuxError */
export function getLimits(): MachineLimits {
  const libc = loadLibc();
  if (libc === undefined) {
    return { addressSpaceBytes: Infinity, maxMapCount: Infinity };
  }
  const limits = new BigUint64Array(2);
  if (libc.getrlimit(RLIMIT_AS, limits) < 0) {
    throw lastError('read the limit of the address space');
  }
  const softBytes = limits[0] ?? RLIM_INFINITY;
  return {
    addressSpaceBytes: softBytes === RLIM_INFINITY ? Infinity : Number(softBytes),
    maxMapCount: readMaxMapCount(),
  };
}

function readMaxMapCount(): number {
  try {
    const count = Number.parseInt(readFileSync('/proc/sys/vm/max_map_count', 'latin1'), 10);
    return Number.isNaN(count) ? Infinity : count;
  } catch {
    // A container may hide /proc/sys; the limit then shows only when it is hit.
    return Infinity;
  }
}
