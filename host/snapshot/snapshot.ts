/** What a snapshot holds: all state of an instance that an invocation can change, as plain data for any thread. */

/** A run of whole grains of memory. What no run covers is zero. */
export interface PageRun {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** A global's value, exactly: JavaScript would not keep the bits of a NaN, so floats and vectors are lanes of bits. */
export type GlobalState =
  | { readonly index: number; readonly kind: 'i32'; readonly value: number }
  | { readonly index: number; readonly kind: 'i64'; readonly value: bigint }
  | { readonly index: number; readonly kind: 'bits'; readonly lanes: readonly bigint[] }
  | { readonly index: number; readonly kind: 'reference'; readonly functionIndex: number | null };

/** A table that changed since instantiation: function indices, or null. */
export interface TableState {
  readonly index: number;
  readonly elements: readonly (number | null)[];
}

/** A segment that `data.drop` or `elem.drop` has emptied. */
export interface DroppedSegment {
  readonly kind: 'data' | 'element';
  readonly index: number;
}

/** All of a snapshot but the memory's content. */
export interface InstanceSnapshot {
  /** SHA-256 of the module it was taken of, hex. */
  readonly digest: string;
  /** Size of the memory; 0 when the module has none. */
  readonly memoryBytes: number;
  readonly globals: readonly GlobalState[];
  readonly tables: readonly TableState[];
  readonly dropped: readonly DroppedSegment[];
}

/** A snapshot with the memory's content. */
export interface Snapshot extends InstanceSnapshot {
  readonly runs: readonly PageRun[];
}

/** Grain in which memory is kept, the same on all machines whatever their pages are, so that a stored snapshot fits each. */
export const GRAIN_BYTES = 4096;

/** Bytes the runs hold. */
export function imageBytes(snapshot: Snapshot): number {
  return snapshot.runs.reduce((sum, run) => sum + run.bytes.length, 0);
}

/** Pages, by number, that hold anything but zeros. */
export function nonZeroPages(memory: Uint8Array): number[] {
  const pages: number[] = [];
  const words = new BigUint64Array(memory.buffer, memory.byteOffset, memory.length / 8);
  const wordsPerPage = GRAIN_BYTES / 8;
  for (let page = 0, word = 0; word < words.length; page++, word += wordsPerPage) {
    for (let at = word; at < word + wordsPerPage; at++) {
      if (words[at] !== 0n) {
        pages.push(page);
        break;
      }
    }
  }
  return pages;
}

/** Copies pages out of a memory as runs, in one shared buffer that threads need not copy. */
export function copyRuns(memory: Uint8Array, pages: readonly number[]): PageRun[] {
  const shared = new Uint8Array(new SharedArrayBuffer(pages.length * GRAIN_BYTES));
  const runs: PageRun[] = [];
  let from = 0;
  while (from < pages.length) {
    let to = from + 1;
    while (to < pages.length && pages[to] === (pages[to - 1] as number) + 1) to++;
    const offset = (pages[from] as number) * GRAIN_BYTES;
    const sizeBytes = (to - from) * GRAIN_BYTES;
    const bytes = shared.subarray(from * GRAIN_BYTES, to * GRAIN_BYTES);
    bytes.set(memory.subarray(offset, offset + sizeBytes));
    runs.push({ offset, bytes });
    from = to;
  }
  return runs;
}
