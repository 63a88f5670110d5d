/** Processor time of the calling thread: clock_gettime(2) with CLOCK_THREAD_CPUTIME_ID. Node 20 tells the process' only. */

import { loadLibc } from './libc.ts';

const CLOCK_THREAD_CPUTIME_ID = 3;
const SECOND_NS = 1_000_000_000n;

/** A struct timespec: seconds and nanoseconds. One per thread. */
const TIMESPEC: BigInt64Array = new BigInt64Array(2);

/** Whether `threadCpuNs` tells it here. */
export function hasThreadCpuClock(): boolean {
  return threadCpuNs() >= 0n;
}

/** Nanoseconds this thread has run, to the nanosecond; -1n where there is no C library to ask. */
export function threadCpuNs(): bigint {
  const libc = loadLibc();
  if (libc === undefined || libc.clockGettime(CLOCK_THREAD_CPUTIME_ID, TIMESPEC) < 0) return -1n;
  return (TIMESPEC[0] as bigint) * SECOND_NS + (TIMESPEC[1] as bigint);
}
