import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { copyRuns, GRAIN_BYTES, imageBytes, nonZeroPages, type PageRun } from '../../../host/snapshot/snapshot.ts';

/** A memory of eight grains with a byte at each of these places. */
function memoryWith(places: readonly number[]): Uint8Array {
  const memory = new Uint8Array(8 * GRAIN_BYTES);
  for (const place of places) memory[place] = 1;
  return memory;
}

test('nonZeroPages() finds a grain by its first and by its last byte', () => {
  assert.deepEqual(nonZeroPages(memoryWith([0, 2 * GRAIN_BYTES - 1, 7 * GRAIN_BYTES])), [0, 1, 7]);
  assert.deepEqual(nonZeroPages(memoryWith([8 * GRAIN_BYTES - 1])), [7]);
  assert.deepEqual(nonZeroPages(memoryWith([])), []);
  assert.deepEqual(nonZeroPages(new Uint8Array()), []);
});

test('nonZeroPages() reads a part of a larger buffer by its own places', () => {
  const whole = memoryWith([GRAIN_BYTES, 4 * GRAIN_BYTES]);
  assert.deepEqual(nonZeroPages(whole.subarray(GRAIN_BYTES, 4 * GRAIN_BYTES)), [0]);
});

test('copyRuns() joins neighbours, in one shared buffer', () => {
  const memory = memoryWith([GRAIN_BYTES, 2 * GRAIN_BYTES + 5, 6 * GRAIN_BYTES]);
  const runs = copyRuns(memory, [1, 2, 6]);
  assert.deepEqual(
    runs.map(({ offset, bytes }) => [offset, bytes.length]),
    [
      [GRAIN_BYTES, 2 * GRAIN_BYTES],
      [6 * GRAIN_BYTES, GRAIN_BYTES],
    ],
  );
  const [first, second] = runs as [PageRun, PageRun];
  assert.ok(first.bytes.buffer instanceof SharedArrayBuffer);
  assert.equal(first.bytes.buffer, second.bytes.buffer);
  assert.equal(first.bytes.buffer.byteLength, 3 * GRAIN_BYTES);
  assert.deepEqual([first.bytes[0], first.bytes[GRAIN_BYTES + 5], second.bytes[0]], [1, 1, 1]);
  assert.deepEqual(copyRuns(memory, []), []);
});

test('copyRuns() of nonZeroPages() and zeros besides are the memory', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 8 * GRAIN_BYTES - 1 }), { maxLength: 12 }), (places) => {
      const memory = memoryWith(places);
      const runs = copyRuns(memory, nonZeroPages(memory));
      const again = new Uint8Array(memory.length);
      let end = -1;
      for (const { offset, bytes } of runs) {
        assert.ok(offset > end, 'runs are ascending and apart');
        end = offset + bytes.length;
        again.set(bytes, offset);
      }
      assert.deepEqual(again, memory);
    }),
    { numRuns: 50 },
  );
});

test('imageBytes() are those of all runs', () => {
  const snapshot = { digest: '', memoryBytes: 8 * GRAIN_BYTES, globals: [], tables: [], dropped: [] };
  const runs = copyRuns(memoryWith([]), [0, 1, 5]);
  assert.equal(imageBytes({ ...snapshot, runs }), 3 * GRAIN_BYTES);
  assert.equal(imageBytes({ ...snapshot, runs: [] }), 0);
});
