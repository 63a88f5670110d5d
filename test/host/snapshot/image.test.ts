import assert from 'node:assert/strict';
import { fstatSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { hasCow } from '../../../host/linux/memory.ts';
import { hugePageSizeBytes } from '../../../host/linux/page-size.ts';
import {
  closeImage,
  createImage,
  denseRanges,
  readImage,
  withoutRuns,
  type SnapshotImage,
} from '../../../host/snapshot/image.ts';
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

const created = (memoryBytes: number, runs: Snapshot['runs'] = []): SnapshotImage =>
  createImage({ ...EMPTY, digest: 'ab'.repeat(32), memoryBytes, runs });

const RUN = { offset: 8192, bytes: new Uint8Array(4096).fill(7) };

test('createImage() has no file for a module without memory, and says so', () => {
  const runs: Snapshot['runs'] = [];
  assert.deepEqual(created(0, runs), {
    snapshot: { ...EMPTY, digest: 'ab'.repeat(32), memoryBytes: 0 },
    runs,
    memfd: -1,
    memfdOffset: 0,
    hugeBytes: 0,
    memfdMissing: 'the module has no memory',
  });
});

const noCow = hasCow().ok ? false : 'no copy-on-write here';

test('createImage() puts a small memory at the beginning of a file of its size, without huge pages', {
  skip: noCow,
}, () => {
  const image = created(65_536, [RUN]);
  try {
    const { memfd, memfdMissing, memfdOffset, hugeBytes } = image;
    assert.ok(memfd > 2);
    assert.deepEqual([memfdMissing, memfdOffset, hugeBytes], ['', 0, 0]);
    assert.equal(fstatSync(memfd).size, 65_536);
    assert.deepEqual(readImage(image, 8192, 4096), RUN.bytes);
    assert.deepEqual(readImage(image, 4096, 4096), new Uint8Array(4096));
    assert.equal(withoutRuns(image).runs, null);
    assert.equal(withoutRuns(image).memfd, memfd);
  } finally {
    closeImage(image);
  }
  assert.throws(() => fstatSync(image.memfd), { code: 'EBADF' });
  closeImage(created(0));
});

const openFiles = (): number => readdirSync('/proc/self/fd').length;

test('createImage() closes the file that it could not fill, and says what was wrong', { skip: noCow }, () => {
  const before = openFiles();
  const image = created(65_536, [{ ...RUN, offset: -8192 }]);
  assert.equal(openFiles(), before);
  assert.equal(image.memfd, -1);
  assert.match(image.memfdMissing, /EINVAL|[Ii]nvalid/);
  assert.equal(image.runs?.length, 1);
});
