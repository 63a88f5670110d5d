/** A snapshot where every thread can reach it: its plain data, and where Linux has it a memfd to map. */

import { addressOf, closeFd, ftruncateFd, hasCow, memfdCreate, readFd, sealFd, writeFd } from '../linux/memory.ts';
import { collapseRanges } from '../linux/huge-pages.ts';
import { hugePageSizeBytes } from '../linux/page-size.ts';
import { messageOf } from '../errors.ts';
import type { InstanceSnapshot, PageRun, Snapshot } from './snapshot.ts';

/** Crosses threads as it is: the runs share their bytes, a file descriptor is the whole process's. */
export interface SnapshotImage {
  readonly snapshot: InstanceSnapshot;
  /** The memory's content; null when it is in the memfd alone, which is all that `cow` needs. */
  readonly runs: readonly PageRun[] | null;
  /** The sealed memfd that holds the memory, or -1. */
  readonly memfd: number;
  /** Why there is none. */
  readonly memfdMissing: string;
  /** Where in the memfd the memory begins: as far from the grid of huge pages as V8 puts memories now. */
  readonly memfdOffset: number;
  /** Bytes of the memfd that huge pages back. */
  readonly hugeBytes: number;
}

const NO_MEMFD = { memfd: -1, memfdOffset: 0, hugeBytes: 0 };

/** Puts a snapshot's memory into a memfd, unless the machine has none to give: then `copy` serves. */
export function createImage({ runs, ...snapshot }: Snapshot): SnapshotImage {
  if (snapshot.memoryBytes === 0) return { ...NO_MEMFD, snapshot, runs, memfdMissing: 'the module has no memory' };
  const support = hasCow();
  if (!support.ok) return { ...NO_MEMFD, snapshot, runs, memfdMissing: support.reason };
  let memfd = -1;
  try {
    memfd = memfdCreate(`nebula-${snapshot.digest.slice(0, 12)}`);
    const memfdOffset = denseRanges({ ...snapshot, runs }, 0, hugePageSizeBytes()).length > 0 ? offGridBytes() : 0;
    ftruncateFd(memfd, memfdOffset + snapshot.memoryBytes);
    for (const run of runs) writeFd(memfd, run.bytes, memfdOffset + run.offset);
    const hugeBytes = collapseRanges(memfd, denseRanges({ ...snapshot, runs }, memfdOffset, hugePageSizeBytes()));
    sealFd(memfd);
    return { snapshot, runs, memfd, memfdMissing: '', memfdOffset, hugeBytes };
  } catch (error) {
    if (memfd >= 0) closeFd(memfd);
    return { ...NO_MEMFD, snapshot, runs, memfdMissing: messageOf(error) };
  }
}

/** A huge page is worth its memory when this share of it is not zero. */
const DENSE_SHARE = 0.5;

/**
 * How far from the grid of huge pages V8 puts the next memory. It depends on its version, and on the gaps that memories left
 * which are gone; what is true of one memory is most often true of the next.
 */
function offGridBytes(): number {
  return addressOf(new WebAssembly.Memory({ initial: 1, maximum: 1 }).buffer) % hugePageSizeBytes();
}

/**
 * Ranges of whole huge pages of `hugePageBytes` of a file that an image fills well which begins at `fileOffset` there, in
 * bytes of the file.
 */
export function denseRanges(
  snapshot: Snapshot,
  fileOffset: number,
  hugePageBytes: number,
): (readonly [from: number, to: number])[] {
  const filled = new Float64Array(Math.floor((fileOffset + snapshot.memoryBytes) / hugePageBytes));
  for (const { offset, bytes } of snapshot.runs) {
    const last = fileOffset + offset + bytes.length;
    for (let at = fileOffset + offset; at < last; ) {
      const page = Math.floor(at / hugePageBytes);
      const end = Math.min((page + 1) * hugePageBytes, last);
      if (page < filled.length) filled[page] = (filled[page] as number) + end - at;
      at = end;
    }
  }
  const ranges: [number, number][] = [];
  filled.forEach((sizeBytes, page) => {
    if (sizeBytes < hugePageBytes * DENSE_SHARE) return;
    const from = page * hugePageBytes;
    const last = ranges.at(-1);
    if (last?.[1] === from) last[1] = from + hugePageBytes;
    else ranges.push([from, from + hugePageBytes]);
  });
  return ranges;
}

/** Gives the memfd back; mappings made of it stay valid. */
export function closeImage(image: SnapshotImage): void {
  if (image.memfd >= 0) closeFd(image.memfd);
}

/** The image without the second copy of its memory. */
export function withoutRuns(image: SnapshotImage): SnapshotImage {
  return { ...image, runs: null };
}

/** Bytes of an image that has a memfd, from `offset` on. */
export function readImage(image: SnapshotImage, offset: number, sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  readFd(image.memfd, bytes, image.memfdOffset + offset);
  return bytes;
}
