/** Which pages of a private mapping runs touched: asked of PAGEMAP_SCAN, or read from the page map entry by entry. */

import { openSync, readSync } from 'node:fs';
import { pageSizeBytes } from './memory.ts';
import { hasPagemapScan, pagemapScan } from './pagemap.ts';

/** Ranges of page numbers, the end not included. */
export type PageRanges = readonly (readonly [from: number, to: number])[];

const MOST_RANGES = 4096;
const ENTRY_BYTES = 8;
/** The entry's upper word. Documentation/admin-guide/mm/pagemap.rst: bits 63 and 62. */
const PRESENT_OR_SWAPPED = 0xc000_0000;

let ranges: Float64Array | undefined;
let pagemap: number | undefined;

/**
 * Pages written or read since the mapping was made or last dropped, with the neighbours that the kernel mapped along with
 * a page that was read; none when there are more ranges than are worth knowing.
 */
export function touchedPages(address: number, sizeBytes: number): PageRanges {
  return hasPagemapScan() ? scan(address, sizeBytes) : readEntries(address, sizeBytes);
}

function scan(address: number, sizeBytes: number): PageRanges {
  ranges ??= new Float64Array(MOST_RANGES * 2);
  const pageBytes = pageSizeBytes();
  const found: [number, number][] = [];
  const pairs = pagemapScan(address, sizeBytes, ranges, 'touched');
  for (let pair = 0; pair < pairs; pair++) {
    found.push([(ranges[pair * 2] as number) / pageBytes, (ranges[pair * 2 + 1] as number) / pageBytes]);
  }
  return found;
}

/** The same from /proc/self/pagemap, which every Linux has. */
export function readEntries(address: number, sizeBytes: number): PageRanges {
  pagemap ??= openSync('/proc/self/pagemap', 'r');
  const pageBytes = pageSizeBytes();
  const entries = new Uint8Array((sizeBytes / pageBytes) * ENTRY_BYTES);
  const count = readSync(pagemap, entries, 0, entries.length, (address / pageBytes) * ENTRY_BYTES) / ENTRY_BYTES;
  const words = new Uint32Array(entries.buffer);
  const found: [number, number][] = [];
  for (let page = 0; page < count; page++) {
    const upper = words[page * 2 + 1] as number;
    if ((upper & PRESENT_OR_SWAPPED) === 0) continue;
    const last = found.at(-1);
    if (last !== undefined && last[1] === page) last[1] = page + 1;
    else found.push([page, page + 1]);
  }
  return found;
}
