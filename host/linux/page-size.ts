/** The machine's pages, whose size is asked for and nowhere assumed: kernels for the Raspberry Pi 5 have pages of 16 KiB. */

import { loadLibc } from './libc.ts';

/** _SC_PAGESIZE of <bits/confname.h> and of musl's <unistd.h>. */
const SC_PAGESIZE = 30;
/** The largest page that a kernel for x86-64 or ARM64 has. */
const LARGEST_PAGE_BYTES = 65_536;
const TABLE_ENTRY_BYTES = 8;

let pageBytes: number | undefined;

/** Size of the machine's pages in bytes; 64 KiB, a multiple of any, where the C library cannot be reached. Source: sysconf(3). */
export function pageSizeBytes(): number {
  pageBytes ??= loadLibc()?.sysconf(SC_PAGESIZE) ?? LARGEST_PAGE_BYTES;
  return pageBytes;
}

/**
 * Size of a huge page in bytes: what a page full of table entries maps. 2 MiB of pages of 4 KiB, 32 MiB of 16 KiB.
 * Source: Documentation/arch/arm64/hugetlbpage.rst and arch/x86/x86_64/mm.rst of Linux.
 */
export function hugePageSizeBytes(ofPageBytes: number = pageSizeBytes()): number {
  return (ofPageBytes / TABLE_ENTRY_BYTES) * ofPageBytes;
}
