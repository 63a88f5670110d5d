import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { BinaryReader, BinaryWriter } from '../../../host/module/binary.ts';

const readerOf = (...bytes: readonly number[]): BinaryReader => new BinaryReader(Uint8Array.from(bytes));
const written = (write: (writer: BinaryWriter) => unknown): number[] => {
  const writer = new BinaryWriter();
  write(writer);
  return [...writer.toBytes()];
};
const invalid = (detail: string, offset: number): object => ({ key: 'MODULE_INVALID', fields: { detail, offset } });

/** Source: Wikipedia, LEB128, and the widest of 32 bits. */
const UNSIGNED: readonly (readonly [number, readonly number[]])[] = [
  [0, [0]],
  [127, [0x7f]],
  [128, [0x80, 0x01]],
  [16_383, [0xff, 0x7f]],
  [16_384, [0x80, 0x80, 0x01]],
  [624_485, [0xe5, 0x8e, 0x26]],
  [0xffff_ffff, [0xff, 0xff, 0xff, 0xff, 0x0f]],
];

const SIGNED: readonly (readonly [number, readonly number[]])[] = [
  [0, [0]],
  [63, [0x3f]],
  [64, [0xc0, 0x00]],
  [-1, [0x7f]],
  [-64, [0x40]],
  [-65, [0xbf, 0x7f]],
  [-123_456, [0xc0, 0xbb, 0x78]],
  [2 ** 31 - 1, [0xff, 0xff, 0xff, 0xff, 0x07]],
  [-(2 ** 31), [0x80, 0x80, 0x80, 0x80, 0x78]],
];

test('BinaryReader.u32() and BinaryWriter.u32() are unsigned LEB128', () => {
  for (const [value, bytes] of UNSIGNED) {
    const reader = readerOf(...bytes, 0xaa);
    assert.equal(reader.u32(), value);
    assert.equal(reader.offset, bytes.length);
    assert.deepEqual(
      written((writer) => writer.u32(value)),
      bytes,
    );
  }
  assert.equal(readerOf(0x83, 0x80, 0x80, 0x80, 0x00).u32(), 3);
});

test('BinaryReader.u32() refuses more than 32 bits, more than 5 bytes, and an end within', () => {
  assert.throws(() => readerOf(0xff, 0xff, 0xff, 0xff, 0x1f).u32(), invalid('an integer of more than 32 bits', 5));
  assert.throws(
    () => readerOf(0x80, 0x80, 0x80, 0x80, 0x80, 0x00).u32(),
    invalid('an integer of more than 5 bytes', 5),
  );
  assert.throws(() => readerOf(0x80).u32(), invalid('unexpected end', 1));
  assert.throws(() => readerOf().u32(), invalid('unexpected end', 0));
  assert.throws(() => new BinaryReader(Uint8Array.of(1, 2), 0, 0).u32(), invalid('unexpected end', 0));
});

test('BinaryReader.s33() and BinaryWriter.s32() are signed LEB128', () => {
  for (const [value, bytes] of SIGNED) {
    assert.equal(readerOf(...bytes).s33(), value);
    assert.deepEqual(
      written((writer) => writer.s32(value)),
      bytes,
    );
  }
  assert.equal(readerOf(0xff, 0xff, 0xff, 0xff, 0x0f).s33(), 2 ** 32 - 1);
  assert.throws(
    () => readerOf(0x80, 0x80, 0x80, 0x80, 0x80, 0x00).s33(),
    invalid('an integer of more than 5 bytes', 5),
  );
});

test('BinaryReader.skipLeb() passes over so many bytes at the most', () => {
  const reader = readerOf(0x80, 0x80, 0x00, 0x05);
  reader.skipLeb(3);
  assert.equal(reader.offset, 3);
  reader.skipLeb(1);
  assert.equal(reader.atEnd, true);
  assert.throws(() => readerOf(0x80, 0x80, 0x00).skipLeb(2), invalid('an integer of more than 2 bytes', 2));
});

test('BinaryReader.skip() and u8() go to the end and not beyond', () => {
  const reader = new BinaryReader(Uint8Array.of(1, 2, 3, 4), 1, 3);
  reader.skip(2);
  assert.equal(reader.atEnd, true);
  assert.throws(() => reader.u8(), invalid('unexpected end', 3));
  assert.throws(() => new BinaryReader(Uint8Array.of(1, 2, 3), 0, 2).skip(3), invalid('unexpected end', 2));
  assert.equal(new BinaryReader(Uint8Array.of(7)).u8(), 7);
});

test('BinaryReader.name() is UTF-8, kept as it is, and refused by where it begins', () => {
  const text = '\ufeffgrün';
  assert.equal(new BinaryReader(Uint8Array.from(written((writer) => writer.name(text)))).name(), text);
  assert.throws(() => readerOf(9, 2, 0xc3, 0x28).name(), invalid('unexpected end', 4));
  const reader = readerOf(0, 2, 0xc3, 0x28);
  reader.u8();
  assert.throws(() => reader.name(), invalid('a name that is not UTF-8', 1));
});

test('BinaryWriter grows by whatever is written, in any pieces', () => {
  const piece = fc.uint8Array({ maxLength: 130 });
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const writer = new BinaryWriter();
      for (const [index, bytes] of pieces.entries()) {
        if (index % 3 === 0) writer.bytes(bytes);
        else if (index % 3 === 1) writer.raw(...bytes);
        else writer.append(new BinaryWriter().run(bytes, 0, bytes.length));
      }
      const whole = Buffer.concat(pieces);
      assert.equal(writer.sizeBytes, whole.length);
      assert.deepEqual(Buffer.from(writer.toBytes()), whole);
    }),
    { numRuns: 100 },
  );
});

test('BinaryWriter.run() copies from start to end, and sized() puts the size before', () => {
  const bytes = Uint8Array.from({ length: 300 }, (_, index) => index % 251);
  for (const [start, end] of [
    [0, 0],
    [5, 5],
    [7, 3],
    [10, 57],
    [10, 58],
    [10, 59],
    [0, 300],
  ] as const) {
    assert.deepEqual(
      written((writer) => writer.u8(1).run(bytes, start, end)),
      [1, ...bytes.slice(start, Math.max(start, end))],
    );
  }
  const content = new BinaryWriter().bytes(bytes.subarray(0, 200));
  assert.deepEqual(
    written((writer) => writer.sized(content)),
    [0xc8, 0x01, ...bytes.subarray(0, 200)],
  );
});
