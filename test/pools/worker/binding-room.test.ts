import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasCow } from '../../../host/linux/memory.ts';
import { Room } from '../../../pools/worker/binding-room.ts';

const MIB = 2 ** 20;

test('Room makes memory once for what fits, and doubled for lengths that grow', () => {
  const room = new Room();
  const first = room.make(5000);
  assert.equal(first?.byteLength, 65_536);
  for (let length = 4097; length <= 65_536; length += 1000) assert.equal(room.make(length), undefined);
  assert.equal(room.bytes.buffer, first);
  let made = 0;
  for (let length = 65_537; length <= 2 * MIB; length += 1000) if (room.make(length) !== undefined) made++;
  assert.equal(made, 5);
  assert.equal(room.bytes.length, 2 * MIB);
});

test('Room gives pages back that were not used since the last look, and all of them at its end', {
  skip: !hasCow().ok,
}, () => {
  const room = new Room();
  room.make(MIB);
  room.bytes.fill(7);
  room.trim();
  assert.equal(room.bytes[MIB - 1], 7);
  room.make(10_000);
  room.trim();
  // Of whole pages, 64 KiB at the most.
  assert.deepEqual([room.bytes[9999], room.bytes[65_536], room.bytes[MIB - 1]], [7, 0, 0]);
  assert.ok(room.isFilled);
  room.trim();
  assert.deepEqual([room.bytes[0], room.isFilled], [0, false]);
  assert.equal(room.make(MIB), undefined);
  room.bytes.fill(7);
  const { bytes } = room;
  room.make(MIB + 1);
  assert.equal(bytes[0], 0);
  room.bytes.fill(7);
  room.release();
  assert.deepEqual([room.bytes[0], room.isFilled], [0, false]);
});
