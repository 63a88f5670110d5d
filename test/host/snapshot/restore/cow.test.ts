/** Copy-on-write restores over an image that huge pages back, where pages that were only read stay mapped. */

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import * as fc from 'fast-check';
import { hasCow } from '../../../../host/linux/memory.ts';
import { hugePageSizeBytes, pageSizeBytes } from '../../../../host/linux/page-size.ts';
import { hasPagemapScan } from '../../../../host/linux/pagemap.ts';
import { closeImage, createImage, type SnapshotImage } from '../../../../host/snapshot/image.ts';
import { CowRestorer } from '../../../../host/snapshot/restore/cow.ts';
import { MERGE_BYTES } from '../../../../host/snapshot/restore/hot-pages.ts';
import { WASM_PAGE_BYTES } from '../../../../host/wasm-page.ts';
import { repetitions } from '../../../repetitions.ts';

const SIZE_BYTES = 8 * 2 ** 20 + WASM_PAGE_BYTES;

const content = new Uint8Array(SIZE_BYTES).map((_, at) => (at * 31 + (at >> 12)) & 0xff);

function openImage(bytes: Uint8Array): SnapshotImage {
  return createImage({
    digest: '0'.repeat(64),
    memoryBytes: bytes.length,
    globals: [],
    tables: [],
    dropped: [],
    runs: [{ offset: 0, bytes }],
  });
}

const image = openImage(content);
after(() => closeImage(image));

function whatIsMissing(): string | false {
  if (!hasCow().ok) return 'no copy-on-write here';
  if (!hasPagemapScan()) return 'no PAGEMAP_SCAN here (Linux 6.7)';
  const vm = restored();
  if (vm === undefined) return 'this V8 puts memories off the grid of huge pages';
  // A machine that is short of memory gives some of them, or none.
  return vm.restorer.keepsRead ? false : 'too few huge pages to be had here';
}

interface Restored {
  readonly restorer: CowRestorer;
  readonly bytes: Uint8Array;
}

/** A restorer on a memory that lies on the grid of huge pages; others are held until one does. */
function restored(of: SnapshotImage = image): Restored | undefined {
  const pages = of.snapshot.memoryBytes / WASM_PAGE_BYTES;
  const elsewhere: WebAssembly.Memory[] = [];
  while (elsewhere.length < 20) {
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const restorer = new CowRestorer(of);
    restorer.attach(memory);
    if (!restorer.isMisplaced) return { restorer, bytes: new Uint8Array(memory.buffer) };
    elsewhere.push(memory);
  }
  return undefined;
}

const missing = whatIsMissing();

function restoreOnce({ restorer, bytes }: Restored): void {
  restorer.observe();
  assert.equal(restorer.restore(), true);
  assert.equal(Buffer.compare(bytes, content), 0, 'the memory is not as the image');
}

const place = fc.oneof(
  fc.constantFrom(0, 1, 4095, 4096, 2 ** 21 - 1, 2 ** 21, SIZE_BYTES - WASM_PAGE_BYTES, SIZE_BYTES - 1),
  fc.nat({ max: 40_000 }),
  fc.nat({ max: SIZE_BYTES - 1 }),
);

test('CowRestorer.restore() puts back every byte, wherever runs write and however much', { skip: missing }, () => {
  const writes = fc.array(fc.record({ place, length: fc.constantFrom(1, 1, 1, 8, 5000, 70_000) }), { maxLength: 45 });
  fc.assert(
    fc.property(fc.array(writes, { minLength: 1, maxLength: 12 }), (runs) => {
      const vm = restored() as Restored;
      for (const run of runs) {
        for (const { place: at, length } of run) vm.bytes.fill(vm.bytes[at] === 1 ? 2 : 1, at, at + length);
        restoreOnce(vm);
      }
    }),
    { numRuns: repetitions(40) },
  );
});

test('CowRestorer.restore() keeps what was only read, and copies what each run writes', { skip: missing }, () => {
  const vm = restored() as Restored;
  assert.equal(vm.restorer.keepsRead, true);
  for (let run = 0; run < 300; run++) {
    vm.bytes[100] = run;
    vm.bytes[9000] = run;
    restoreOnce(vm);
  }
  assert.equal(vm.restorer.keepsRead, true);
  assert.ok(vm.restorer.hotPageCount >= 2);
});

test('CowRestorer.restore() drops everything once writes are all over the memory', { skip: missing }, () => {
  const few = restored() as Restored;
  for (let run = 0; run < 40; run++) {
    for (let at = 0; at < 40; at++) few.bytes[at * 200_000] = 1;
    restoreOnce(few);
  }
  assert.equal(few.restorer.keepsRead, false);
});

test('CowRestorer.restore() keeps what was only read until more than eight huge pages were written to', {
  skip: missing,
}, () => {
  const hugePageBytes = hugePageSizeBytes();
  const large = openImage(new Uint8Array(10 * hugePageBytes).fill(7));
  try {
    if (large.hugeBytes < large.snapshot.memoryBytes) return;
    for (const [written, isKept] of [
      [8, true],
      [9, false],
    ] as const) {
      const vm = restored(large);
      if (vm === undefined) return;
      for (let page = 0; page < written; page++) vm.bytes[(page + 1) * hugePageBytes - 1] = 1;
      vm.restorer.observe();
      assert.equal(vm.restorer.restore(), true);
      assert.equal(vm.restorer.keepsRead, isKept, `${written} huge pages`);
      assert.ok(vm.bytes.every((byte) => byte === 7));
    }
  } finally {
    closeImage(large);
  }
});

const small = openImage(new Uint8Array(WASM_PAGE_BYTES).fill(7));
after(() => closeImage(small));

const noCow = hasCow().ok ? false : 'no copy-on-write here';

test('CowRestorer keeps nothing that was read of an image without huge pages, and is nowhere misplaced', {
  skip: noCow,
}, () => {
  const restorer = new CowRestorer(small);
  assert.equal(restorer.keepsRead, false);
  restorer.attach(new WebAssembly.Memory({ initial: 1, maximum: 1 }));
  assert.equal(restorer.isMisplaced, false);
  assert.equal(restorer.hotPageCount, 0);
});

// Runs 1 to 4, 8, 16 and so on are looked at.
test('CowRestorer.observe() learns which pages are hot from the runs that are looked at alone', { skip: noCow }, () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const bytes = new Uint8Array(memory.buffer);
  const restorer = new CowRestorer(small);
  restorer.attach(memory);
  const pageBytes = pageSizeBytes();
  const run = (at: number): number => {
    bytes[at] = 1;
    restorer.observe();
    assert.equal(restorer.restore(), true);
    return restorer.hotPageCount;
  };
  assert.deepEqual([run(0), run(0), run(0), run(0)], [1, 1, 1, 1]);
  const last = WASM_PAGE_BYTES - pageBytes;
  if (last - pageBytes >= MERGE_BYTES) assert.deepEqual([run(last), run(last), run(last)], [1, 1, 1]);
  assert.ok(bytes.every((byte) => byte === 7));
});

test('CowRestorer.restore() has nothing to drop after runs that wrote nothing', { skip: missing }, () => {
  const vm = restored() as Restored;
  for (let run = 0; run < 20; run++) restoreOnce(vm);
  assert.deepEqual([vm.restorer.keepsRead, vm.restorer.hotPageCount], [true, 0]);
});
