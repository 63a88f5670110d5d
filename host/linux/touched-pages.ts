/** Which pages of a private mapping runs touched: asked of PAGEMAP_SCAN, or read from the page map entry by entry. */

import { openSync, readSync } from 'node:fs';
import { pageSizeBytes } from './page-size.ts';
import { hasPagemapScan, pagemapScan } from './pagemap.ts';

/** Ranges of page numbers, the end not included. */
export type PageRanges = readonly (readonly [from: number, to: number])[];

const MOST_RANGES = 4096;
const ENTRY_BYTES = 8;
/** The entry's upper word. Documentation/admin-guide/mm/pagemap.rst: bits 63, 62 and 61. */
const PRESENT_OR_SWAPPED = 0xc000_0000;
const FILE_OR_SHARED = 0x2000_0000;

/**
 * A page that is read is mapped with its neighbours: these many bytes, or the whole huge page it is in. A longer run tells
 * nothing of which page was read, and copying them all would cost more than the fault. Source: fault_around_bytes of Linux,
 * mm/memory.c, which is 64 KiB whatever the page.
 */
const FAULT_AROUND_BYTES = 65_536;

let ranges: Float64Array | undefined;
let pagemap: number | undefined;

/**
 * Pages written since the mapping was made or last dropped, and those read, with their neighbours; none when there are
 * more ranges than are worth knowing.
 */
export function touchedPages(address: number, sizeBytes: number): PageRanges {
  return hasPagemapScan() ? scanPages(address, sizeBytes) : readEntries(address, sizeBytes);
}

/** Pages written since the mapping was made or last dropped, as `hasPagemapScan` can tell them. */
export function writtenPages(address: number, sizeBytes: number): PageRanges {
  return scan(address, sizeBytes, 'written');
}

function scanPages(address: number, sizeBytes: number): PageRanges {
  const written = scan(address, sizeBytes, 'written');
  const read = subtract(scan(address, sizeBytes, 'touched'), written);
  return [...written, ...read.filter(isWorthCopying(pageSizeBytes()))].sort(([left], [right]) => left - right);
}

function isWorthCopying(pageBytes: number): (range: readonly [from: number, to: number]) => boolean {
  return ([from, to]) => (to - from) * pageBytes <= FAULT_AROUND_BYTES;
}

function scan(address: number, sizeBytes: number, kind: 'written' | 'touched'): [number, number][] {
  ranges ??= new Float64Array(MOST_RANGES * 2);
  const pageBytes = pageSizeBytes();
  const found: [number, number][] = [];
  const pairs = pagemapScan(address, sizeBytes, ranges, kind);
  for (let pair = 0; pair < pairs; pair++) {
    found.push([(ranges[pair * 2] as number) / pageBytes, (ranges[pair * 2 + 1] as number) / pageBytes]);
  }
  return found;
}

/** What of some ranges lies in none of others, both in order and each of the others within one of the first. */
function subtract(all: PageRanges, others: PageRanges): [number, number][] {
  const rest: [number, number][] = [];
  let at = 0;
  for (const [from, to] of all) {
    let start = from;
    for (let other = others[at]; other !== undefined && other[0] < to; other = others[++at]) {
      if (other[0] > start) rest.push([start, other[0]]);
      start = other[1];
    }
    if (start < to) rest.push([start, to]);
  }
  return rest;
}

/** The same from /proc/self/pagemap, which every Linux has. */
export function readEntries(address: number, sizeBytes: number): PageRanges {
  pagemap ??= openSync('/proc/self/pagemap', 'r');
  const pageBytes = pageSizeBytes();
  const entries = new Uint8Array((sizeBytes / pageBytes) * ENTRY_BYTES);
  const count = readSync(pagemap, entries, 0, entries.length, (address / pageBytes) * ENTRY_BYTES) / ENTRY_BYTES;
  return rangesOfEntries(new Uint32Array(entries.buffer, 0, count * 2), pageBytes);
}

/** What entries of a page map tell, two words each, the first of page 0. */
export function rangesOfEntries(words: Uint32Array, pageBytes: number): PageRanges {
  const found: { from: number; to: number; isRead: boolean }[] = [];
  for (let page = 0; page * 2 < words.length; page++) {
    const upper = words[page * 2 + 1] as number;
    if ((upper & PRESENT_OR_SWAPPED) === 0) continue;
    const isRead = (upper & FILE_OR_SHARED) !== 0;
    const last = found.at(-1);
    if (last?.to === page && last.isRead === isRead) last.to = page + 1;
    else found.push({ from: page, to: page + 1, isRead });
  }
  const isWorth = isWorthCopying(pageBytes);
  return found.filter(({ from, to, isRead }) => !isRead || isWorth([from, to])).map(({ from, to }) => [from, to]);
}
