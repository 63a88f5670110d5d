/**
 * Restores by dropping what a run wrote: the memory is a private mapping of the image, so a page that was never written
 * costs nothing, whatever the memory's size. A page fault costs tens of times a page's copy, so the pages that runs touch
 * again and again (hot pages: the stack, the heap's head, constants) are copied back and kept instead.
 *
 * Where huge pages back the image, pages that were only read stay mapped, since the kernel can be asked in microseconds
 * which were written: a run that reads a large table then faults on none of it.
 */

import { NO_BYTES } from '../../bytes.ts';
import { DiscardList } from '../../linux/discard.ts';
import { addressOf, discardPages, mapPrivate } from '../../linux/memory.ts';
import { hugePageSizeBytes, pageSizeBytes } from '../../linux/page-size.ts';
import { hasPagemapScan, pagemapScan } from '../../linux/pagemap.ts';
import { touchedPages, writtenPages } from '../../linux/touched-pages.ts';
import { readImage, type SnapshotImage } from '../image.ts';
import { HotPages } from './hot-pages.ts';
import type { Restorer } from './restorer.ts';

interface HotRun {
  readonly target: Uint8Array;
  readonly source: Uint8Array;
}

/** Share of the memory that huge pages must back for read pages to be kept: asking costs an entry of each page. */
const HUGE_SHARE = 0.75;
/** A larger memory has too many huge pages to be asked of each. */
const MOST_KEPT_BYTES = 128 * 2 ** 20;
/** Ranges of written pages that are told apart; where a run writes more, everything is dropped. */
const MOST_WRITTEN = 32;
/** A huge page that was written to is small pages from then on: this many, and asking costs more than it saves. */
const MOST_SPLIT = 8;

const NO_BOUNDS: readonly number[] = [];

/** Restores from `image.memfd`, which must be open. */
export class CowRestorer implements Restorer {
  readonly strategy = 'cow' as const;
  readonly #image: SnapshotImage;
  readonly sizeBytes: number;
  readonly #pageBytes: number = pageSizeBytes();
  readonly #hugePageBytes: number = hugePageSizeBytes();
  readonly #hot: HotPages = new HotPages(this.#pageBytes);
  #memory: Uint8Array = NO_BYTES;
  #address = 0;
  #runs: readonly HotRun[] = [];
  #cold: DiscardList | undefined;
  /** Whether pages that were only read are kept. */
  #keepsRead: boolean;
  #isMisplaced = false;
  /** Pairs of first and last byte's end: of what was written, and of the hot runs. */
  readonly #written: Float64Array = new Float64Array(MOST_WRITTEN * 2);
  #hotBounds: readonly number[] = [];
  readonly #split: Set<number> = new Set();

  constructor(image: SnapshotImage) {
    this.#image = image;
    this.sizeBytes = image.snapshot.memoryBytes;
    this.#keepsRead =
      this.sizeBytes <= MOST_KEPT_BYTES && image.hugeBytes >= this.sizeBytes * HUGE_SHARE && hasPagemapScan();
  }

  get isMisplaced(): boolean {
    return this.#isMisplaced;
  }

  /** Whether pages that were only read stay mapped. */
  get keepsRead(): boolean {
    return this.#keepsRead;
  }

  /** Pages copied back after each run. */
  get hotPageCount(): number {
    return this.#runs.reduce((sum, run) => sum + run.target.length / this.#pageBytes, 0);
  }

  attach(memory: WebAssembly.Memory): void {
    this.#memory = new Uint8Array(memory.buffer);
    this.#address = mapPrivate(this.#memory, this.sizeBytes, this.#image.memfd, this.#image.memfdOffset);
    // A huge page is mapped as one only where the addresses agree.
    this.#isMisplaced = this.#keepsRead && (this.#address - this.#image.memfdOffset) % this.#hugePageBytes !== 0;
    if (this.#isMisplaced) this.#keepsRead = false;
    this.#setHot([]);
  }

  regrown(memory: WebAssembly.Memory): boolean {
    if (addressOf(memory.buffer) !== this.#address) return false;
    this.#memory = new Uint8Array(memory.buffer);
    this.#setHot(this.#hot.ranges());
    return true;
  }

  observe(): void {
    if (!this.#hot.isDue()) return;
    const look = this.#keepsRead ? writtenPages : touchedPages;
    const changed = this.#hot.learn(look(this.#address, this.sizeBytes));
    if (changed) this.#setHot(this.#hot.ranges());
  }

  restore(): boolean {
    const isLook = this.#hot.isNextDue();
    if (isLook && !this.#keepsRead) return discardPages(this.#address, this.sizeBytes) === 0;
    if (!isLook) this.#copyHot();
    if (this.#keepsRead) return this.#dropWritten(isLook ? NO_BOUNDS : this.#hotBounds);
    return this.#cold === undefined || this.#cold.discard();
  }

  #copyHot(): void {
    const runs = this.#runs;
    for (let at = 0; at < runs.length; at++) {
      const run = runs[at] as HotRun;
      run.target.set(run.source);
    }
  }

  /** Drops the pages that were written to, but for those within `kept`, which is in order. */
  #dropWritten(kept: readonly number[]): boolean {
    const written = this.#written;
    const pairs = pagemapScan(this.#address, this.sizeBytes, written);
    if (pairs < 0) {
      this.#keepsRead = false;
      return discardPages(this.#address, this.sizeBytes) === 0;
    }
    let at = 0;
    for (let pair = 0; pair < pairs; pair++) {
      let from = written[pair * 2] as number;
      const to = written[pair * 2 + 1] as number;
      while (at < kept.length && (kept[at + 1] as number) <= from) at += 2;
      for (let next = at; from < to; next += 2) {
        const end = next < kept.length ? Math.min(to, kept[next] as number) : to;
        if (end > from && !this.#drop(from, end)) return false;
        if (end === to) break;
        from = Math.max(from, kept[next + 1] as number);
      }
    }
    return true;
  }

  #drop(from: number, to: number): boolean {
    const split = this.#split;
    const hugePageBytes = this.#hugePageBytes;
    for (let page = Math.floor(from / hugePageBytes); page * hugePageBytes < to; page++) split.add(page);
    if (split.size > MOST_SPLIT) this.#keepsRead = false;
    return discardPages(this.#address + from, to - from) === 0;
  }

  #setHot(ranges: readonly (readonly [from: number, to: number])[]): void {
    this.#hotBounds = ranges.flatMap(([from, to]) => [from * this.#pageBytes, to * this.#pageBytes]);
    const cold: number[] = [];
    let end = 0;
    this.#runs = ranges.map(([fromPage, toPage]) => {
      const from = fromPage * this.#pageBytes;
      const to = toPage * this.#pageBytes;
      if (from > end) cold.push(this.#address + end, from - end);
      end = to;
      return { target: this.#memory.subarray(from, to), source: readImage(this.#image, from, to - from) };
    });
    if (end < this.sizeBytes) cold.push(this.#address + end, this.sizeBytes - end);
    this.#cold = cold.length === 0 ? undefined : new DiscardList(cold);
  }
}
