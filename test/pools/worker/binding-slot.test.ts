import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLine, Line, SLOT, SlotMemory } from '../../../pools/worker/binding-slot.ts';

const PLACES = 1024;

/** A line both of whose counts are at `start`. */
function lineAt(start: number): readonly [worker: Line, pool: Line] {
  const shared = createLine();
  new Int32Array(shared).fill(start, 0, 2);
  return [new Line(shared), new Line(shared)];
}

for (const start of [0, 2 ** 31 - 3, -3]) {
  test(`Line hands slots on in order, and has room for ${PLACES}, also where its counts wrap: from ${start}`, () => {
    const [worker, pool] = lineAt(start);
    assert.equal(pool.next, undefined);
    for (let number = 1; number <= PLACES; number++) {
      assert.ok(worker.hasRoom);
      worker.tell(number);
    }
    assert.ok(!worker.hasRoom);
    for (let number = 1; number <= PLACES; number++) {
      assert.equal(pool.next, number);
      pool.advance();
      assert.ok(worker.hasRoom);
    }
    assert.equal(pool.next, undefined);
    assert.equal(pool.told, (start + PLACES) | 0);
  });
}

test('SlotMemory tells one side what the other has said, and its signal changes with each answer', () => {
  const worker = new SlotMemory();
  const pool = new SlotMemory(worker.shared);
  assert.equal(worker.state, SLOT.idle);
  worker.ask(7, 3, 5, true);
  assert.deepEqual([pool.state, pool.run, pool.index, pool.length, pool.isBlocking], [SLOT.asked, 7, 3, 5, true]);
  const seen = worker.signal;
  pool.say(SLOT.later, 0, false);
  pool.say(SLOT.answered, 9, true);
  assert.deepEqual([worker.state, worker.length, worker.isAtOnce], [SLOT.answered, 9, true]);
  assert.equal(worker.signal, seen + 2);
  worker.ask(8, 0, 0, false);
  assert.deepEqual([pool.state, pool.run, pool.isBlocking], [SLOT.asked, 8, false]);
});
