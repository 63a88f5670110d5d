/**
 * Restores by dropping what a run wrote: the memory is a private mapping of the image, so a page that was never written
 * costs nothing, whatever the memory's size. A page fault costs tens of times a page's copy, so the pages that runs touch
 * again and again (hot pages: the stack, the heap's head, constants) are copied back and kept instead.
 */

import { DiscardList } from '../../linux/discard.ts';
import { discardPages, mapPrivate, pageSizeBytes } from '../../linux/memory.ts';
import { touchedPages } from '../../linux/touched-pages.ts';
import { readImage, type SnapshotImage } from '../image.ts';
import { HotPages } from './hot-pages.ts';
import type { Restorer } from './restorer.ts';

interface HotRun {
  readonly target: Uint8Array;
  readonly source: Uint8Array;
}

/** Restores from `image.memfd`, which must be open. */
export class CowRestorer implements Restorer {
  readonly strategy = 'cow' as const;
  readonly #image: SnapshotImage;
  readonly sizeBytes: number;
  readonly #hot: HotPages = new HotPages();
  readonly #pageBytes: number = pageSizeBytes();
  #memory: Uint8Array = new Uint8Array();
  #address = 0;
  #runs: readonly HotRun[] = [];
  #cold: DiscardList | undefined;

  constructor(image: SnapshotImage) {
    this.#image = image;
    this.sizeBytes = image.snapshot.memoryBytes;
  }

  /** Pages copied back after each run. */
  get hotPageCount(): number {
    return this.#runs.reduce((sum, run) => sum + run.target.length / this.#pageBytes, 0);
  }

  attach(memory: WebAssembly.Memory): void {
    this.#memory = new Uint8Array(memory.buffer);
    this.#address = mapPrivate(this.#memory, this.sizeBytes, this.#image.memfd);
    this.#setHot([]);
  }

  observe(): void {
    if (!this.#hot.isDue()) return;
    const changed = this.#hot.learn(touchedPages(this.#address, this.sizeBytes));
    if (changed) this.#setHot(this.#hot.ranges());
  }

  restore(): boolean {
    if (this.#hot.isNextDue()) return discardPages(this.#address, this.sizeBytes) === 0;
    const runs = this.#runs;
    for (let at = 0; at < runs.length; at++) {
      const run = runs[at] as HotRun;
      run.target.set(run.source);
    }
    return this.#cold === undefined || this.#cold.discard();
  }

  #setHot(ranges: readonly (readonly [from: number, to: number])[]): void {
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
