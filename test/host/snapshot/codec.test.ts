import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { isNebulaError, type NebulaError } from '../../../host/errors.ts';
import { decodeSnapshot, encodeSnapshot, SNAPSHOT_VERSION } from '../../../host/snapshot/codec.ts';
import { GRAIN_BYTES, type GlobalState, type PageRun, type Snapshot } from '../../../host/snapshot/snapshot.ts';

const index = fc.nat({ max: 0xffff_ffff });
const lane = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const reference = fc.option(fc.nat({ max: 0x7fff_ffff }));

const globalState: fc.Arbitrary<GlobalState> = fc.oneof(
  fc.record({ index, kind: fc.constant('i32' as const), value: fc.integer() }),
  fc.record({ index, kind: fc.constant('i64' as const), value: lane }),
  fc.record({ index, kind: fc.constant('bits' as const), lanes: fc.array(lane, { minLength: 1, maxLength: 2 }) }),
  fc.record({ index, kind: fc.constant('reference' as const), functionIndex: reference }),
);

/** Runs from the gaps before them and their sizes, in pages. */
function runsOf(shapes: readonly (readonly [gap: number, pages: number, fill: number])[]): PageRun[] {
  let page = 0;
  return shapes.map(([gap, pages, fill]) => {
    const offset = (page + gap) * GRAIN_BYTES;
    page += gap + pages;
    return { offset, bytes: new Uint8Array(pages * GRAIN_BYTES).fill(fill) };
  });
}

const shape = fc.tuple(fc.nat({ max: 5 }), fc.integer({ min: 1, max: 3 }), fc.nat({ max: 255 }));

const snapshots: fc.Arbitrary<Snapshot> = fc.record({
  digest: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex')),
  memoryBytes: fc
    .integer({ min: 1, max: 65_536 })
    .map((pages) => (pages + 1) * 65_536)
    .map((bytes) => Math.min(bytes, 2 ** 32)),
  runs: fc.array(shape, { maxLength: 4 }).map(runsOf),
  globals: fc.array(globalState, { maxLength: 6 }),
  tables: fc.array(fc.record({ index, elements: fc.array(reference, { maxLength: 20 }) }), { maxLength: 3 }),
  dropped: fc.array(fc.record({ kind: fc.constantFrom('data' as const, 'element' as const), index }), { maxLength: 4 }),
});

const bytesOf = (runs: readonly PageRun[]): unknown => runs.map(({ offset, bytes }) => [offset, [...bytes]]);

function refusalOf(file: Uint8Array): NebulaError {
  try {
    decodeSnapshot(file);
  } catch (error) {
    assert.ok(isNebulaError(error), `expected a NebulaError, got ${String(error)}`);
    return error;
  }
  throw assert.fail('the snapshot was accepted');
}

/** A file with the right checksum, so that what is wrong in it must be found otherwise. */
function sealed(content: Uint8Array): Uint8Array {
  return new Uint8Array(Buffer.concat([content, createHash('sha256').update(content).digest()]));
}

const EMPTY: Snapshot = { digest: 'ab'.repeat(32), memoryBytes: 0, runs: [], globals: [], tables: [], dropped: [] };
const SMALL: Snapshot = {
  digest: '0123456789abcdef'.repeat(4),
  memoryBytes: 65_536,
  runs: [{ offset: GRAIN_BYTES, bytes: new Uint8Array(GRAIN_BYTES).fill(9) }],
  globals: [
    { index: 0, kind: 'i32', value: -2 },
    { index: 1, kind: 'i64', value: -3n },
    { index: 2, kind: 'bits', lanes: [0x7ff0_0000_dead_beefn, -1n] },
    { index: 3, kind: 'reference', functionIndex: null },
  ],
  tables: [{ index: 0, elements: [1, null, 0] }],
  dropped: [{ kind: 'element', index: 1 }],
};

test('decodeSnapshot() gives back what encodeSnapshot() was given', () => {
  fc.assert(
    fc.property(snapshots.map(structuredClone<Snapshot>), (snapshot) => {
      const { runs, ...rest } = decodeSnapshot(encodeSnapshot(snapshot));
      const { runs: expected, ...restExpected } = snapshot;
      assert.deepEqual(rest, restExpected);
      assert.deepEqual(bytesOf(runs), bytesOf(expected));
    }),
    { numRuns: 60 },
  );
  assert.deepEqual(decodeSnapshot(encodeSnapshot(EMPTY)), EMPTY);
});

test('decodeSnapshot() reads runs into shared memory, which threads need not copy', () => {
  const [run] = decodeSnapshot(encodeSnapshot(SMALL)).runs;
  assert.ok(run?.bytes.buffer instanceof SharedArrayBuffer);
});

test('encodeSnapshot() takes a table of a million elements', () => {
  const elements = Array.from({ length: 1_000_000 }, (_, at) => (at % 3 === 0 ? null : at));
  const { tables } = decodeSnapshot(encodeSnapshot({ ...EMPTY, tables: [{ index: 0, elements }] }));
  assert.deepEqual(tables[0]?.elements, elements);
});

test('decodeSnapshot() refuses a file with any one byte changed', () => {
  const file = encodeSnapshot(SMALL);
  for (let at = 0; at < file.length; at++) {
    for (const flip of at < 200 || at > file.length - 200 ? [1, 0x80, 0xff] : [1 << (at % 8)]) {
      const corrupt = file.slice();
      corrupt[at] = (corrupt[at] as number) ^ flip;
      const { key } = refusalOf(corrupt);
      assert.equal(key, at >= 8 && at < 12 ? 'SNAPSHOT_VERSION' : 'SNAPSHOT_CORRUPT', `byte ${at}`);
    }
  }
});

test('decodeSnapshot() refuses a file that is cut off anywhere, or too long', () => {
  const file = encodeSnapshot(SMALL);
  for (let end = 0; end < file.length; end++) assert.equal(refusalOf(file.subarray(0, end)).key, 'SNAPSHOT_CORRUPT');
  assert.equal(refusalOf(new Uint8Array([...file, 0])).key, 'SNAPSHOT_CORRUPT');
  assert.equal(refusalOf(sealed(new Uint8Array([...file.subarray(0, -32), 0]))).key, 'SNAPSHOT_CORRUPT');
});

test('decodeSnapshot() reads a file at any place of a larger buffer', () => {
  const file = encodeSnapshot(SMALL);
  const larger = new Uint8Array(file.length + 20).fill(0xaa);
  larger.set(file, 7);
  assert.deepEqual(decodeSnapshot(larger.subarray(7, 7 + file.length)).globals, SMALL.globals);
});

test('decodeSnapshot() names the version it found', () => {
  const file = encodeSnapshot(EMPTY);
  new DataView(file.buffer).setUint32(8, 77, true);
  const refusal = refusalOf(file);
  assert.equal(refusal.key, 'SNAPSHOT_VERSION');
  assert.deepEqual(refusal.fields, { expected: SNAPSHOT_VERSION, got: 77 });
});

test('decodeSnapshot() believes no count that the file cannot hold', () => {
  const content = encodeSnapshot(EMPTY).slice(0, -32);
  // Offsets of the counts of runs, globals, tables and dropped segments in a snapshot that has none of them.
  for (const at of [52, 56, 60, 64]) {
    const hostile = content.slice();
    new DataView(hostile.buffer).setUint32(at, 0xffff_ffff, true);
    const before = process.memoryUsage().rss;
    assert.equal(refusalOf(sealed(hostile)).key, 'SNAPSHOT_CORRUPT', `count at ${at}`);
    assert.ok(process.memoryUsage().rss - before < 64 * 1024 * 1024);
  }
});

test('decodeSnapshot() refuses sizes, runs and lanes that no capture makes', () => {
  const page = new Uint8Array(GRAIN_BYTES);
  const [one, two] = [
    { offset: 0, bytes: page },
    { offset: GRAIN_BYTES, bytes: page },
  ];
  const behind = { offset: 65_536, bytes: page };
  const part = { offset: 0, bytes: page.subarray(1) };
  const wrong: [detail: string, Partial<Snapshot>][] = [
    ['a memory of 65537 bytes, near byte 52', { memoryBytes: 65_537 }],
    ['a memory of 4295032832 bytes, near byte 52', { memoryBytes: 2 ** 32 + 65_536 }],
    ['a size beyond all bounds, near byte 52', { memoryBytes: 2 ** 60 }],
    ['a run at 0, before the end of the last at 8192, near byte 8272', { memoryBytes: 65_536, runs: [two, one] }],
    ['a run at 0, before the end of the last at 4096, near byte 8272', { memoryBytes: 65_536, runs: [one, one] }],
    ["a run that ends at 69632, behind the memory's end, near byte 4164", { memoryBytes: 65_536, runs: [behind] }],
    ['a run that is not whole grains, near byte 4164', { memoryBytes: 65_536, runs: [{ offset: 8, bytes: page }] }],
    ['a run that is not whole grains, near byte 4163', { memoryBytes: 65_536, runs: [part] }],
    ['a global of 0 lanes, near byte 66', { globals: [{ index: 0, kind: 'bits', lanes: [] }] }],
    ['a global of 3 lanes, near byte 66', { globals: [{ index: 0, kind: 'bits', lanes: [1n, 2n, 3n] }] }],
  ];
  for (const [detail, parts] of wrong) {
    const { key, fields } = refusalOf(encodeSnapshot({ ...EMPTY, ...parts }));
    assert.deepEqual([key, fields], ['SNAPSHOT_CORRUPT', { detail }]);
  }
});

test('decodeSnapshot() takes runs that touch, up to the end of the memory, and a memory of 4 GiB', () => {
  const bytes = new Uint8Array(GRAIN_BYTES);
  const runs = [60_000 - (60_000 % GRAIN_BYTES), 65_536 - GRAIN_BYTES].map((offset) => ({ offset, bytes }));
  assert.equal(decodeSnapshot(encodeSnapshot({ ...EMPTY, memoryBytes: 65_536, runs })).runs.length, 2);
  assert.equal(decodeSnapshot(encodeSnapshot({ ...EMPTY, memoryBytes: 2 ** 32 })).memoryBytes, 2 ** 32);
});

const detailOf = (file: Uint8Array): unknown => refusalOf(file).fields['detail'];

test('decodeSnapshot() says what is wrong with a file: its beginning, its checksum, its length, its kinds', () => {
  const file = encodeSnapshot(SMALL);
  const content = file.subarray(0, -32);
  assert.equal(detailOf(file.with(0, 0)), 'this is no snapshot: the magic bytes are missing, near byte 8');
  assert.equal(detailOf(file.with(20, (file[20] as number) ^ 1)), 'the checksum is wrong, near byte 12');
  assert.equal(detailOf(file.subarray(0, 39)), 'the file is cut off, near byte 0');
  assert.equal(detailOf(sealed(new Uint8Array([...content, 0, 0]))), `2 bytes too many, near byte ${content.length}`);
  // The run's bytes end one short of its size, the last segment's index one short of a number.
  assert.equal(detailOf(sealed(content.subarray(0, 68 + GRAIN_BYTES - 1))), 'the file is cut off, near byte 68');
  assert.equal(detailOf(sealed(content.subarray(0, -1))), `the file is cut off, near byte ${content.length - 4}`);
  const unknown = encodeSnapshot({ ...EMPTY, dropped: [{ kind: 'data', index: 1 }] }).subarray(0, -32);
  assert.equal(detailOf(sealed(unknown.with(68, 2))), 'an unknown kind, near byte 69');
});
