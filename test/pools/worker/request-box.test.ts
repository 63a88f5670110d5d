/** Requests through shared memory: what is left is what is found, in order, and a sleeper is called exactly when it must be. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { SLOTS } from '../../../pools/worker/messages.ts';
import { INPUT_BYTES, RequestBox } from '../../../pools/worker/request-box.ts';

/** Both ends over one buffer, as two threads have them. */
function boxes(): [pool: RequestBox, worker: RequestBox] {
  const pool = new RequestBox();
  return [pool, new RequestBox(pool.buffer)];
}

const EMPTY = { calledNs: 0, input: new Uint8Array() };

const request = fc.record({
  functionNumber: fc.nat({ max: 2 ** 31 }),
  calledNs: fc.double({ min: 0, max: 1e17, noNaN: true }),
  input: fc.uint8Array({ maxLength: INPUT_BYTES }),
  isPosted: fc.boolean(),
});

test('RequestBox.next() finds what was left, in the order it was left, whichever slots it is in', () => {
  const rounds = fc.array(fc.array(request, { maxLength: SLOTS }), { maxLength: 20 });
  fc.assert(
    fc.property(rounds, fc.shuffledSubarray([...Array(SLOTS).keys()], { minLength: SLOTS }), (all, slots) => {
      const [pool, worker] = boxes();
      let ticket = 0;
      for (const round of all) {
        for (const [at, { functionNumber, calledNs, input, isPosted }] of round.entries()) {
          assert.equal(pool.hasRoom, true);
          const slot = slots[at] as number;
          if (isPosted) pool.leavePosted(slot, ++ticket);
          else pool.leave(slot, ++ticket, functionNumber, { calledNs, input });
        }
        ticket -= round.length;
        for (const { functionNumber, calledNs, input, isPosted } of round) {
          assert.equal(worker.next(), true);
          assert.deepEqual([worker.ticket, worker.isPosted], [++ticket, isPosted]);
          if (isPosted) continue;
          const { slot } = worker;
          assert.deepEqual([worker.functionNumber(slot), worker.calledNs(slot)], [functionNumber, calledNs]);
          assert.deepEqual([...worker.input(slot)], [...input]);
        }
        assert.equal(worker.next(), false);
      }
    }),
    { numRuns: 60 },
  );
});

test('RequestBox.hasRoom is false when no more places are left, and true once some were looked at', () => {
  const [pool, worker] = boxes();
  let left = 0;
  for (; pool.hasRoom; left++) pool.leave(left % SLOTS, left + 1, 0, EMPTY);
  assert.ok(left > SLOTS);
  // The one that a worker with nothing to run is sent without being asked.
  pool.leave(0, left + 1, 0, EMPTY);
  for (let ticket = 1; ticket <= left + 1; ticket++) {
    assert.equal(worker.next(), true);
    assert.equal(worker.ticket, ticket);
  }
  assert.equal(worker.next(), false);
  assert.equal(pool.hasRoom, true);
});

test('RequestBox.mustCall() says so for a sleeper, once, and not while the worker is awake', () => {
  const [pool, worker] = boxes();
  pool.leave(0, 1, 0, EMPTY);
  assert.equal(pool.mustCall(), true);
  pool.leave(1, 2, 0, EMPTY);
  assert.equal(pool.mustCall(), false);
  while (worker.next());
  assert.equal(worker.sleep(), true);
  pool.leave(0, 3, 0, EMPTY);
  assert.equal(pool.mustCall(), true);
});

test('RequestBox.sleep() is refused when a request came that nobody was called for', () => {
  const [pool, worker] = boxes();
  pool.leave(0, 1, 0, EMPTY);
  assert.equal(pool.mustCall(), true);
  assert.equal(worker.next(), true);
  // Left while the worker counts as awake: it must not sleep over it.
  pool.leave(1, 2, 0, EMPTY);
  assert.equal(pool.mustCall(), false);
  assert.equal(worker.sleep(), false);
  assert.equal(worker.next(), true);
  assert.equal(worker.sleep(), true);
});

test('RequestBox.handler() is the head that was left with a call, beside its input, and none of the call before', () => {
  const heads = fc.record({ head: fc.string({ minLength: 1, maxLength: 200 }), channelNumber: fc.nat({ max: 63 }) });
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.option(heads), fc.uint8Array({ maxLength: 800 })), { maxLength: 20 }), (calls) => {
      const [pool, worker] = boxes();
      for (const [at, [handler, input]] of calls.entries()) {
        const head = Buffer.from(handler?.head ?? '').toString();
        pool.leave(3, at + 1, 0, { calledNs: 1, input }, handler === null ? undefined : { ...handler, head });
        assert.equal(worker.next(), true);
        assert.deepEqual(worker.handler(3), handler === null ? undefined : { ...handler, head });
        const found = worker.input(3);
        assert.deepEqual([...found], [...input]);
        // A copy: the slot is written again as soon as its request was answered.
        assert.equal(found.buffer === pool.buffer, false);
      }
    }),
  );
});
