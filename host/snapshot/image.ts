/** A snapshot where every thread can reach it: its plain data, and where Linux has it a memfd to map. */

import { memfdCreate, sealFd, writeFd, ftruncateFd, closeFd, hasCow } from '../linux/memory.ts';
import { messageOf } from '../errors.ts';
import type { Snapshot } from './snapshot.ts';

/** Crosses threads as it is: the runs share their bytes, a file descriptor is the whole process's. */
export interface SnapshotImage {
  readonly snapshot: Snapshot;
  /** The sealed memfd that holds the memory, or -1. */
  readonly memfd: number;
  /** Why there is none. */
  readonly memfdMissing: string;
}

/** Puts a snapshot's memory into a memfd, unless the machine has none to give: then `copy` serves. */
export function createImage(snapshot: Snapshot): SnapshotImage {
  if (snapshot.memoryBytes === 0) return { snapshot, memfd: -1, memfdMissing: 'the module has no memory' };
  const support = hasCow();
  if (!support.ok) return { snapshot, memfd: -1, memfdMissing: support.reason };
  let memfd = -1;
  try {
    memfd = memfdCreate(`nebula-${snapshot.digest.slice(0, 12)}`);
    ftruncateFd(memfd, snapshot.memoryBytes);
    for (const run of snapshot.runs) writeFd(memfd, run.bytes, run.offset);
    sealFd(memfd);
    return { snapshot, memfd, memfdMissing: '' };
  } catch (error) {
    if (memfd >= 0) closeFd(memfd);
    return { snapshot, memfd: -1, memfdMissing: messageOf(error) };
  }
}

/** Gives the memfd back; mappings made of it stay valid. */
export function closeImage(image: SnapshotImage): void {
  if (image.memfd >= 0) closeFd(image.memfd);
}

/** Bytes of the image from `offset` on. */
export function readImage(snapshot: Snapshot, offset: number, sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  for (const run of snapshot.runs) {
    const from = Math.max(run.offset, offset);
    const to = Math.min(run.offset + run.bytes.length, offset + sizeBytes);
    if (from < to) bytes.set(run.bytes.subarray(from - run.offset, to - run.offset), from - offset);
  }
  return bytes;
}
