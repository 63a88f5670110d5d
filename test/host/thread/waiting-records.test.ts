/** What records of guests that wait keep once these have ended: a burst leaves nothing. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WaitingRecords, type NewRecord } from '../../../host/thread/waiting-records.ts';
import { WAITING_FIRST_BYTES, type StreamBuffer } from '../../../host/wasi/session/record-layout.ts';

/** Records, and the bytes that either side holds by what was announced. */
function open() {
  const held = new Map<string, number>();
  const records = new WaitingRecords((told: NewRecord | StreamBuffer) => {
    const [name, memory] =
      'shared' in told ? [`${told.record}`, told.shared] : [`${told.record}.${told.stream}`, told.buffer];
    if (memory === undefined) held.delete(name);
    else held.set(name, memory.byteLength);
  });
  const heldBytes = (): number => [...held.values()].reduce((sum, bytes) => sum + bytes, 0);
  return { records, heldBytes };
}

test('WaitingRecords keeps no buffer that a guest has outgrown the first with', () => {
  const { records, heldBytes } = open();
  const taken = Array.from({ length: 100 }, () => records.take());
  const firstBytes = heldBytes();
  for (const record of taken) {
    assert.equal(record.stdout.begin().length, WAITING_FIRST_BYTES);
    record.stderr.begin();
    record.stdout.grow(0, 1024 * 1024);
    record.stderr.grow(0, 512 * 1024);
  }
  assert.ok(heldBytes() > 100 * 1024 * 1024);
  for (const record of taken) records.give(record);
  assert.equal(heldBytes(), firstBytes);
  assert.equal(records.take().stdout.begin().length, WAITING_FIRST_BYTES);
});

test('WaitingRecords.trim() lets go of records on either side, and gives their numbers again', () => {
  const { records, heldBytes } = open();
  const taken = Array.from({ length: 100 }, () => records.take());
  for (const record of taken) records.give(record);
  records.trim(99);
  const { number } = records.take();
  assert.ok(heldBytes() < 100 * WAITING_FIRST_BYTES);
  const numbers = new Set([number, ...Array.from({ length: 99 }, () => records.take().number)]);
  assert.deepEqual([numbers.size, Math.max(...numbers)], [100, 100]);
  records.trim(1000);
});
