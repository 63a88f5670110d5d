/** How long the threads of a process have a processor before others have their turn. */

import { readdirSync } from 'node:fs';
import { arch, getPriority } from 'node:os';
import { loadLibc } from './libc.ts';

const SYS_SCHED_SETATTR: Readonly<Record<string, number>> = { x64: 314, arm64: 274 };

/** Of `struct sched_attr`: where its fields are, in bytes. All else is zero, as the policy that all threads have is. */
const ATTRIBUTES_BYTES = 48;
const NICE_AT = 16;
const RUNTIME_AT = 24;

/**
 * Has each thread of this process have turns of `turnNs` from 0.1 to 100 ms: no larger share of the machine, but a thread of another
 * process that wakes up and has shorter ones need not wait for the end of one. The threads that it starts later are the same. Does
 * nothing where the C library cannot be reached or Linux is older than 6.12. sched_setattr(2).
 */
export function takeTurnsOf(turnNs: number): void {
  const [libc, call] = [loadLibc(), SYS_SCHED_SETATTR[arch()]];
  if (libc === undefined || call === undefined) return;
  const attributes = new DataView(new ArrayBuffer(ATTRIBUTES_BYTES));
  attributes.setUint32(0, ATTRIBUTES_BYTES, true);
  attributes.setBigUint64(RUNTIME_AT, BigInt(turnNs), true);
  for (const thread of readdirSync('/proc/self/task').map(Number)) {
    attributes.setInt32(NICE_AT, niceOf(thread), true);
    libc.schedSetattr(call, thread, attributes, 0);
  }
}

function niceOf(thread: number): number {
  try {
    return getPriority(thread);
  } catch {
    // It has ended meanwhile.
    return 0;
  }
}

/** What a thread's turns are, in nanoseconds; undefined where the machine does not say. */
export function turnOf(thread: number): number | undefined {
  const [libc, call] = [loadLibc(), SYS_SCHED_SETATTR[arch()]];
  if (libc === undefined || call === undefined) return undefined;
  const attributes = new DataView(new ArrayBuffer(ATTRIBUTES_BYTES));
  // sched_getattr(2) is the call after it, and is told the size besides.
  if (libc.schedGetattr(call + 1, thread, attributes, ATTRIBUTES_BYTES, 0) < 0) return undefined;
  return Number(attributes.getBigUint64(RUNTIME_AT, true));
}
