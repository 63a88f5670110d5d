import assert from 'node:assert/strict';
import { test } from 'node:test';
import { array, assert as check, constant, integer, oneof, property, record, string, uint8Array } from 'fast-check';
import { encodeFrame, FrameReader } from '../../../host/preparation/frames.ts';

const LIMIT_BYTES = 1 << 20;

const message = record({
  names: array(string({ unit: 'binary' })),
  nested: record({ size: integer(), bytes: uint8Array() }),
  parts: array(oneof(uint8Array({ maxLength: 300 }), constant(Buffer.from('a buffer')))),
});

/** Buffers arrive as plain arrays of bytes. */
const plain = (value: unknown): unknown =>
  JSON.stringify(value, function replace(this: Record<string, unknown>, key: string, shown: unknown) {
    const given = this[key];
    return given instanceof Uint8Array ? `bytes ${Buffer.from(given).toString('hex')}` : shown;
  });

test('FrameReader puts together what encodeFrame() wrote, however it is cut', () => {
  check(
    property(
      array(message, { maxLength: 4 }),
      array(integer({ min: 1, max: 50 }), { minLength: 1 }),
      (messages, cuts) => {
        const sent = Buffer.concat(messages.flatMap((each) => encodeFrame(each)));
        const got: unknown[] = [];
        const reader = new FrameReader(LIMIT_BYTES, (each) => got.push(each));
        for (let offset = 0, turn = 0; offset < sent.length; turn++) {
          const size = cuts[turn % cuts.length] as number;
          reader.push(sent.subarray(offset, offset + size));
          offset += size;
        }
        assert.deepEqual(got.map(plain), messages.map(plain));
      },
    ),
  );
});

test('encodeFrame() does not copy the bytes', () => {
  const bytes = new Uint8Array(1000);
  assert.ok(encodeFrame({ bytes }).includes(bytes));
});

test('encodeFrame() asks no Buffer for its numbers', () => {
  const bytes = Object.assign(Buffer.from('abc'), { toJSON: () => assert.fail('it was asked') });
  const nested = [{ bytes }, bytes];
  assert.equal(encodeFrame({ bytes, nested }).filter((piece) => piece === bytes).length, 3);
});

test('FrameReader refuses a frame above its limit before it takes memory for it', () => {
  const reader = new FrameReader(1000, () => assert.fail('no message is whole'));
  assert.throws(() => reader.push(Buffer.from('ffffffff00000000', 'hex')), RangeError);
  const other = new FrameReader(1000, () => assert.fail('no message is whole'));
  const [prefix] = encodeFrame({ bytes: new Uint8Array(5000) });
  assert.throws(() => other.push(prefix as Uint8Array), RangeError);
});
