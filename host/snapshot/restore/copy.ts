/** Restores by copying the whole image back: works everywhere, and costs what the memory's size costs. */

import type { SnapshotImage } from '../image.ts';
import type { Restorer } from './restorer.ts';

/** `fresh` keeps nothing: its micro-VM is made anew for each call, filled as `copy` fills it. */
export function createCopyRestorer({ snapshot, runs }: SnapshotImage, strategy: 'copy' | 'fresh'): Restorer {
  if (runs === null) throw new TypeError(`Cannot restore by ${strategy}: the image has its memory in a memfd alone`);
  let filled: { readonly target: Uint8Array; readonly source: Uint8Array }[] = [];
  let zeroed: Uint8Array[] = [];
  const view = (memory: WebAssembly.Memory): void => {
    const bytes = new Uint8Array(memory.buffer, 0, snapshot.memoryBytes);
    [filled, zeroed] = [[], []];
    let end = 0;
    for (const { offset, bytes: source } of runs) {
      if (offset > end) zeroed.push(bytes.subarray(end, offset));
      filled.push({ target: bytes.subarray(offset, offset + source.length), source });
      end = offset + source.length;
    }
    if (bytes.length > end) zeroed.push(bytes.subarray(end));
  };
  return {
    strategy,
    sizeBytes: snapshot.memoryBytes,
    attach(memory) {
      view(memory);
      for (const { target, source } of filled) target.set(source);
    },
    regrown(memory) {
      view(memory);
      return true;
    },
    observe() {},
    restore() {
      if (strategy === 'fresh') return false;
      for (const { target, source } of filled) target.set(source);
      for (const gap of zeroed) gap.fill(0);
      return true;
    },
  };
}
