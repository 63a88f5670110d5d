/**
 * What koffi takes for a thread's calls and keeps when the thread ends: a stack with a guard page below it, and a heap, three
 * mappings and three megabytes of addresses. A process that ends a thread for each deadline would come to the kernel's limit of
 * mappings. So a thread tells where both are, and whoever sees it end gives them back.
 */

import { readFileSync } from 'node:fs';
import { arch } from 'node:os';
import { loadLibc, requireLibc } from './libc.ts';
import { pageSizeBytes } from './page-size.ts';

/** Size of the shared memory in which a thread tells: pairs of address and size, as float64. */
export const THREAD_MEMORY_BYTES: number = 4 * 8;

/** Size of a `ucontext_t` and where the stack pointer is in it: glibc, sysdeps/unix/sysv/linux/{x86,aarch64}/sys/ucontext.h. */
const CONTEXT_BYTES = 8192;
const STACK_POINTER = arch() === 'arm64' ? 432 : 160;

/** Tells where this thread's are, if they are where they are thought to be. */
export function tellThreadMemory(shared: SharedArrayBuffer): void {
  const libc = loadLibc();
  if (libc?.keptBytes === undefined) return;
  const { stack: stackBytes, heap: heapBytes } = libc.keptBytes;
  const context = new Uint8Array(CONTEXT_BYTES);
  // Koffi puts texts at the beginning of its heap, and calls on its stack.
  const heap = libc.strchr('x', 'x'.charCodeAt(0));
  if (libc.getcontext(context) !== 0) return;
  const pageBytes = pageSizeBytes();
  const pointer = Number(new DataView(context.buffer).getBigUint64(STACK_POINTER, true));
  const stack = Math.ceil(pointer / pageBytes) * pageBytes - stackBytes;
  const mapped = mappings();
  const isThere = (from: number, sizeBytes: number, rights: string): boolean =>
    mapped.some((mapping) => mapping.from <= from && from + sizeBytes <= mapping.to && mapping.rights === rights);
  const isStack = isThere(stack - pageBytes, pageBytes, '---p') && isThere(stack, stackBytes + pageBytes, 'rw-p');
  if (heap % pageBytes !== 0 || !isStack || !isThere(heap, heapBytes, 'rw-p')) return;
  new Float64Array(shared).set([stack - pageBytes, stackBytes + 2 * pageBytes, heap, heapBytes]);
}

/** Gives back what a thread told that has ended. */
export function releaseThreadMemory(shared: SharedArrayBuffer): void {
  const told = new Float64Array(shared);
  for (let at = 0; at < told.length; at += 2) {
    const [address, sizeBytes] = [told[at] as number, told[at + 1] as number];
    if (sizeBytes > 0) requireLibc().munmap(address, sizeBytes);
  }
  told.fill(0);
}

function mappings(): { readonly from: number; readonly to: number; readonly rights: string }[] {
  return Array.from(
    readFileSync('/proc/self/maps', 'latin1').matchAll(/^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ 0\s*$/gm),
    ([, from, to, rights]) => ({ from: parseInt(from ?? '', 16), to: parseInt(to ?? '', 16), rights: rights ?? '' }),
  );
}
