import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SnapshotImage } from '../../../../host/snapshot/image.ts';
import { createCopyRestorer } from '../../../../host/snapshot/restore/copy.ts';
import { GRAIN_BYTES, type PageRun } from '../../../../host/snapshot/snapshot.ts';
import { WASM_PAGE_BYTES } from '../../../../host/wasm-page.ts';

const snapshot = { digest: '', memoryBytes: WASM_PAGE_BYTES, globals: [], tables: [], dropped: [] };

function imageOf(runs: readonly PageRun[] | null): SnapshotImage {
  return { snapshot, runs, memfd: -1, memfdMissing: 'a test', memfdOffset: 0, hugeBytes: 0 };
}

const grain = (fill: number): Uint8Array => new Uint8Array(GRAIN_BYTES).fill(fill);

/** What a memory comes to by the run at each of these grains. */
function expectedOf(runs: readonly PageRun[]): Uint8Array {
  const bytes = new Uint8Array(WASM_PAGE_BYTES);
  for (const { offset, bytes: source } of runs) bytes.set(source, offset);
  return bytes;
}

const CASES: readonly (readonly [what: string, runs: readonly PageRun[]])[] = [
  [
    'runs with gaps before, between and behind them',
    [1, 2, 9].map((at) => ({ offset: at * GRAIN_BYTES, bytes: grain(at) })),
  ],
  [
    'a run at the beginning and one at the end',
    [0, 15].map((at) => ({ offset: at * GRAIN_BYTES, bytes: grain(at + 1) })),
  ],
  ['no run at all', []],
];

for (const [what, runs] of CASES) {
  test(`createCopyRestorer() fills a memory by ${what}, and puts all of it back`, () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
    const bytes = new Uint8Array(memory.buffer);
    const restorer = createCopyRestorer(imageOf(runs), 'copy');
    assert.deepEqual([restorer.strategy, restorer.sizeBytes], ['copy', WASM_PAGE_BYTES]);
    restorer.attach(memory);
    assert.deepEqual(bytes, expectedOf(runs));
    for (let round = 0; round < 2; round++) {
      bytes.fill(0xee);
      restorer.observe();
      assert.equal(restorer.restore(), true);
      assert.deepEqual(bytes, expectedOf(runs));
    }
  });
}

test('createCopyRestorer() for fresh fills a memory once and puts nothing back', () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const bytes = new Uint8Array(memory.buffer);
  const runs = [{ offset: 0, bytes: grain(3) }];
  const restorer = createCopyRestorer(imageOf(runs), 'fresh');
  restorer.attach(memory);
  assert.deepEqual(bytes, expectedOf(runs));
  bytes.fill(0xee);
  assert.equal(restorer.restore(), false);
  assert.ok(bytes.every((byte) => byte === 0xee));
});

test('createCopyRestorer() cannot do without the runs', () => {
  assert.throws(() => createCopyRestorer(imageOf(null), 'copy'), {
    message: 'Cannot restore by copy: the image has its memory in a memfd alone',
  });
});
