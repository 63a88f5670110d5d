/** Processor time of threads: clock_gettime(2). Node 20 tells the process' only. */

import { readlinkSync } from 'node:fs';
import { loadLibc } from './libc.ts';

const CLOCK_THREAD_CPUTIME_ID = 3;
/** The clock of one thread's processor time has its number, inverted, above these bits: linux/posix-timers_types.h. */
const CLOCK_OF_THREAD = 0b110;
const SECOND_NS = 1_000_000_000n;

/** A struct timespec: seconds and nanoseconds. One per thread. */
const TIMESPEC: BigInt64Array = new BigInt64Array(2);

/** Whether `threadCpuNs` tells it here. */
export function hasThreadCpuClock(): boolean {
  return threadCpuNs() >= 0n;
}

/** Nanoseconds this thread has run, to the nanosecond; -1n where there is no C library to ask. */
export function threadCpuNs(): bigint {
  return readClock(CLOCK_THREAD_CPUTIME_ID);
}

/** The kernel's number of this thread (proc(5), /proc/thread-self); 0 where it is not told. */
export function kernelThreadId(): number {
  try {
    return Number(readlinkSync('/proc/thread-self').split('/').at(-1));
  } catch {
    return 0;
  }
}

/** Nanoseconds a thread of this process has run, by the kernel's number of it; -1n where that is not told. */
export function threadCpuNsOf(kernelId: number): bigint {
  return kernelId > 0 ? readClock((~kernelId << 3) | CLOCK_OF_THREAD) : -1n;
}

function readClock(clock: number): bigint {
  const libc = loadLibc();
  if (libc === undefined || libc.clockGettime(clock, TIMESPEC) < 0) return -1n;
  return (TIMESPEC[0] as bigint) * SECOND_NS + (TIMESPEC[1] as bigint);
}
