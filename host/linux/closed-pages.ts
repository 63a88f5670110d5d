/**
 * Pages of a WebAssembly.Memory that are there and closed: a load or store of a guest traps there, as beyond the memory's end,
 * since V8 takes a fault of compiled code anywhere in a memory's reservation for an access out of bounds. Whoever closes pages sees to it that
 * nothing else touches them: JavaScript and V8's own code would end the process.
 *
 * Sources: mmap(2), mprotect(2); V8, src/wasm/baseline and src/compiler/wasm-compiler.cc (bounds checks by the trap handler).
 */

import { readFileSync } from 'node:fs';
import { loadLibc, requireLibc } from './libc.ts';
import { addressOf } from './memory.ts';

const PROT_NONE = 0;
const PROT_READ_WRITE = 3;
/** MAP_PRIVATE, MAP_FIXED, MAP_ANONYMOUS and MAP_NORESERVE: what is closed counts for no memory. */
const MAP_CLOSED = 0x4032;

/** Addresses an access can reach from a memory's beginning: an index and an offset of 32 bits. V8 reserves more. */
const REACH_BYTES = 2 ** 33;

/** Options of V8 by which compiled code checks bounds itself, and then accesses memory without expecting a fault. */
const CHECKING_OPTIONS =
  /^--(wasm[-_]enforce[-_]bounds[-_]checks|no[-_]?wasm[-_]trap[-_]handler|disable[-_]wasm[-_]trap[-_]handler)/;

let support: boolean | undefined;

/** Whether pages can be closed here: V8 expects faults, and the C library is there. Found out once per thread. */
export function canClosePages(): boolean {
  support ??= probe();
  return support;
}

function probe(): boolean {
  if (loadLibc() === undefined || process.execArgv.some((option) => CHECKING_OPTIONS.test(option))) return false;
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  try {
    return reservedFrom(addressOf(memory.buffer), readFileSync('/proc/self/maps', 'latin1')) >= REACH_BYTES;
  } catch {
    return false;
  }
}

/** Bytes from an address on that are mapped without a gap, but for the first pages inaccessible. `maps` is as in proc(5). */
export function reservedFrom(address: number, maps: string): number {
  let end = address;
  for (const line of maps.split('\n')) {
    const match = /^([0-9a-f]+)-([0-9a-f]+) (....)/.exec(line);
    if (match === null) continue;
    const [from, to] = [Number.parseInt(match[1] as string, 16), Number.parseInt(match[2] as string, 16)];
    if (to <= end) continue;
    const isFirst = end === address;
    if (from > end || (!isFirst && match[3] !== '---p')) break;
    end = to;
  }
  return end - address;
}

/** Closes a range, whose content is gone. Returns whether that could be done. */
export function closePages(address: number, lengthBytes: number): boolean {
  return requireLibc().mmap(address, lengthBytes, PROT_NONE, MAP_CLOSED, -1, 0) === address;
}

/** Opens a range, which is zero where it was closed. Returns whether that could be done. */
export function openPages(address: number, lengthBytes: number): boolean {
  return requireLibc().mprotect(address, lengthBytes, PROT_READ_WRITE) === 0;
}
