import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hugePageSizeBytes } from '../../../host/linux/page-size.ts';
import { denseRanges } from '../../../host/snapshot/image.ts';
import type { Snapshot } from '../../../host/snapshot/snapshot.ts';

const MIB = 2 ** 20;
const EMPTY = { digest: '', globals: [], tables: [], dropped: [] };

function snapshotOf(memoryBytes: number, runs: readonly (readonly [from: number, to: number])[]): Snapshot {
  return {
    ...EMPTY,
    memoryBytes,
    runs: runs.map(([from, to]) => ({ offset: from, bytes: new Uint8Array(to - from) })),
  };
}

for (const pageBytes of [4096, 16_384]) {
  const huge = hugePageSizeBytes(pageBytes);
  test(`denseRanges() joins the huge pages that are half full, on a machine with pages of ${pageBytes} bytes`, () => {
    const snapshot = snapshotOf(4 * huge, [
      [0, huge / 2],
      [huge, 2 * huge],
      [3 * huge, 3.5 * huge - pageBytes],
    ]);
    assert.deepEqual(denseRanges(snapshot, 0, huge), [[0, 2 * huge]]);
  });

  test(`denseRanges() counts from where the image begins, with pages of ${pageBytes} bytes`, () => {
    const snapshot = snapshotOf(2 * huge, [[0, huge]]);
    assert.deepEqual(denseRanges(snapshot, huge / 2 + pageBytes, huge), [[huge, 2 * huge]]);
    assert.deepEqual(denseRanges(snapshot, huge, huge), [[huge, 2 * huge]]);
  });
}

test('denseRanges() is empty for what is smaller than a huge page', () => {
  assert.deepEqual(denseRanges(snapshotOf(MIB, [[0, MIB]]), 0, 2 * MIB), []);
  assert.deepEqual(denseRanges(snapshotOf(8 * MIB, [[0, 8 * MIB]]), 0, 32 * MIB), []);
});
