/**
 * Which pages of a private mapping were written to, as the kernel knows it (Linux 6.7 and newer).
 * Source: Documentation/admin-guide/mm/pagemap.rst, `PAGEMAP_SCAN`.
 */

import { openSync } from 'node:fs';
import { lastError, loadLibc, requireLibc } from './libc.ts';
import { addressOf } from './memory.ts';

const PAGEMAP_SCAN = 0xc060_6610;
const ARGUMENT_BYTES = 96;
const PAGE_IS_FILE = 4;
const PAGE_IS_PRESENT = 8;
const PAGE_IS_SWAPPED = 16;
const REGIONS = 512;
const TWO_32 = 2 ** 32;

/** Places of struct pm_scan_arg, counted in 32-bit words. */
const AT = { size: 0, start: 4, end: 6, walkEnd: 8, vector: 10, vectorLength: 12, inverted: 16, mask: 18 } as const;
const AT_ANY = 20;
const AT_RETURN = 22;

interface Scanner {
  readonly fd: number;
  readonly argument: Uint32Array;
  /** Regions found: start, end and categories, 64 bits each. */
  readonly regions: Uint32Array;
}

let scanner: Scanner | undefined;
let supported: boolean | undefined;

function openScanner(): Scanner {
  const argument = new Uint32Array(ARGUMENT_BYTES / 4);
  const regions = new Uint32Array(REGIONS * 6);
  argument[AT.size] = ARGUMENT_BYTES;
  put(argument, AT.vector, addressOf(new Uint8Array(regions.buffer)));
  argument[AT.vectorLength] = REGIONS;
  // A page written to and then swapped out is no longer present, and is as dirty as before.
  argument[AT_ANY] = PAGE_IS_PRESENT | PAGE_IS_SWAPPED;
  argument[AT_RETURN] = PAGE_IS_PRESENT;
  // Opened by Node, which closes it when this thread ends.
  return { fd: openSync('/proc/self/pagemap', 'r'), argument, regions };
}

function put(words: Uint32Array, at: number, value: number): void {
  words[at] = value >>> 0;
  words[at + 1] = Math.floor(value / TWO_32);
}

function get(words: Uint32Array, at: number): number {
  return (words[at] as number) + (words[at + 1] as number) * TWO_32;
}

/** Whether `pagemapScan` works here; found out once per thread. */
export function hasPagemapScan(): boolean {
  supported ??= probeScan();
  return supported;
}

function probeScan(): boolean {
  if (loadLibc() === undefined) {
    return false;
  }
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  new Uint8Array(memory.buffer)[0] = 1;
  const ranges = new Float64Array(2);
  try {
    return pagemapScan(addressOf(memory.buffer), memory.buffer.byteLength, ranges) === 1 && ranges[0] === 0;
  } catch {
    // Whatever the kernel refuses it with, the answer to the question is no.
    return false;
  }
}

/**
 * Finds the pages from `address` on that were written to since they were mapped or last discarded; or `touched`: written,
 * read, or mapped by the kernel along with a neighbour that was read. Leaves pairs of start
 * and end offsets in bytes, relative to `address`, ascending, in `ranges`, and returns the number of pairs, or -1 when
 * there are more than fit. `address` and `sizeBytes` are multiples of the page.
 * @throws LinuxError
 */
export function pagemapScan(
  address: number,
  sizeBytes: number,
  ranges: Float64Array,
  kind: 'written' | 'touched' = 'written',
): number {
  const libc = requireLibc();
  scanner ??= openScanner();
  const { fd, argument, regions } = scanner;
  const end = address + sizeBytes;
  put(argument, AT.end, end);
  const excluded = kind === 'written' ? PAGE_IS_FILE : 0;
  argument[AT.inverted] = excluded;
  argument[AT.mask] = excluded;
  let pairs = 0;
  for (let start = address; start < end; ) {
    put(argument, AT.start, start);
    const found = libc.ioctl(fd, PAGEMAP_SCAN, argument);
    if (found < 0) {
      throw lastError('scan the page map');
    }
    for (let region = 0; region < found; region++) {
      const from = get(regions, region * 6) - address;
      const to = get(regions, region * 6 + 2) - address;
      if (pairs > 0 && ranges[pairs * 2 - 1] === from) {
        ranges[pairs * 2 - 1] = to;
      } else if (pairs * 2 + 1 < ranges.length) {
        ranges[pairs * 2] = from;
        ranges[pairs * 2 + 1] = to;
        pairs++;
      } else {
        return -1;
      }
    }
    start = get(argument, AT.walkEnd);
  }
  return pairs;
}
