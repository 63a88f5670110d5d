/** How much address space, memory and how many mappings the machine lets this process have, and whether it outlives its parent. */

import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { lastError, loadLibc } from './libc.ts';

const RLIMIT_DATA = 2;
const RLIMIT_CORE = 4;
const RLIMIT_AS = 9;
const PR_SET_PDEATHSIG = 1;
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

/** Addresses that this process has taken, in bytes, as RLIMIT_AS counts them; 0 where the machine does not say. proc(5). */
export function addressBytes(): number {
  try {
    const size = /^VmSize:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'));
    return Number(size?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/**
 * Private writable memory of this process or another, in bytes, without that of `codeBytes`; 0 where the machine does not say.
 * RLIMIT_DATA counts both. proc(5).
 */
export function dataBytes(pid: number | 'self' = 'self'): number {
  try {
    const size = /^VmData:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
    return Math.max(0, Number(size?.[1] ?? 0) * 1024 - codeBytes(pid));
  } catch {
    return 0;
  }
}

/**
 * Memory of a process that may be both written and run, in bytes. From Node 24 on V8 reserves half a gibibyte of it for each of
 * its threads, whatever their code takes. proc(5). @throws the system's error where the machine does not say
 */
export function codeBytes(pid: number | 'self' = 'self'): number {
  let sizeBytes = 0;
  for (const [, from = '', to = ''] of readFileSync(`/proc/${pid}/maps`, 'latin1').matchAll(/^(\w+)-(\w+) rwx/gm))
    sizeBytes += Number.parseInt(to, 16) - Number.parseInt(from, 16);
  return sizeBytes;
}

/**
 * Has the machine refuse this process more private writable memory than `sizeBytes`: reserved addresses, of which V8 has
 * terabytes, do not count. Does nothing where the C library cannot be reached. getrlimit(2). @throws LinuxError
 */
export function limitData(sizeBytes: number): void {
  setSoftLimit(RLIMIT_DATA, sizeBytes);
  // Running out of memory ends a process by SIGABRT or SIGTRAP, which would write all of it to a file.
  setSoftLimit(RLIMIT_CORE, 0);
}

function setSoftLimit(resource: number, value: number): void {
  const libc = loadLibc();
  if (libc === undefined) return;
  const limits = new BigUint64Array(2);
  if (libc.getrlimit(resource, limits) < 0) throw lastError('read a limit of this process');
  const hard = limits[1] ?? RLIM_INFINITY;
  limits[0] = BigInt(value) < hard ? BigInt(value) : hard;
  if (libc.setrlimit(resource, limits) < 0) throw lastError('set a limit of this process');
}

/** Has the machine kill this process when the thread that started it ends. Linux only; prctl(2). */
export function endWithParent(): void {
  loadLibc()?.prctl(PR_SET_PDEATHSIG, constants.signals.SIGKILL, 0, 0, 0);
}
