/** Answers through shared memory: what is left is what is taken, in order, once, and called for when it must be. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Outcome } from '../../../host/outcome.ts';
import { AnswerBox, OUTPUT_BYTES } from '../../../pools/worker/answer-box.ts';
import { SLOTS } from '../../../pools/worker/messages.ts';

const count = fc.nat({ max: 2 ** 31 });
const durationNs = fc.double({ min: 0, max: 1e15, noNaN: true });
const output = fc.uint8Array({ maxLength: OUTPUT_BYTES / 2 });

const PLAIN = { noNullPrototype: true };
const phases = fc.record(
  {
    queue: durationNs,
    compile: fc.constant(0),
    instantiate: durationNs,
    restore: durationNs,
    run: durationNs,
    collect: durationNs,
  },
  PLAIN,
);
const usage = fc.record({ memoryBytes: count, inputBytes: count, hostCalls: count }, PLAIN);
const start = fc.constantFrom('cold' as const, 'restored' as const, 'ready' as const);

const outcomes: fc.Arbitrary<Outcome> = fc
  .record({ exitCode: fc.nat({ max: 255 }), stdout: output, stderr: output, start, phases, usage })
  .map(({ exitCode, ...told }) => (exitCode === 0 ? { kind: 'ok', ...told } : { kind: 'exit', exitCode, ...told }));

/** Both ends over one buffer, as two threads have them. */
function boxes(): [worker: AnswerBox, pool: AnswerBox] {
  const pool = new AnswerBox();
  return [new AnswerBox(pool.buffer), pool];
}

const bytesAsArrays = ({ stdout, stderr, ...rest }: Outcome): unknown => ({
  ...rest,
  stdout: [...stdout],
  stderr: [...stderr],
});

test('AnswerBox.take() tells what was left, in the order it was left, whichever slots it is in', () => {
  const rounds = fc.array(fc.array(outcomes, { maxLength: SLOTS }), { maxLength: 6 });
  fc.assert(
    fc.property(rounds, fc.shuffledSubarray([...Array(SLOTS).keys()], { minLength: SLOTS }), (all, slots) => {
      const [worker, pool] = boxes();
      let ticket = 0;
      for (const round of all) {
        const left = round.map((outcome, at) => {
          assert.equal(worker.leave(slots[at] as number, ++ticket, outcome), true);
          return [ticket, bytesAsArrays(outcome)];
        });
        const taken: unknown[] = [];
        pool.take((told, outcome) => taken.push([told, bytesAsArrays(outcome)]));
        assert.deepEqual(taken, left);
      }
    }),
    { numRuns: 60 },
  );
});

const OK: Outcome = {
  kind: 'ok',
  stdout: new Uint8Array(),
  stderr: new Uint8Array(),
  start: 'ready',
  phases: { queue: 0, compile: 0, instantiate: 0, restore: 0, run: 0, collect: 0 },
  usage: { memoryBytes: 0, inputBytes: 0, hostCalls: 0 },
};

test('AnswerBox.mustCall() says so once until the pool looks again', () => {
  const [worker, pool] = boxes();
  worker.leave(0, 1, OK);
  assert.equal(worker.mustCall(), true);
  worker.leave(1, 2, OK);
  assert.equal(worker.mustCall(), false);
  const taken: number[] = [];
  pool.take((ticket) => {
    taken.push(ticket);
    // Left while the pool is looking: called for, and found all the same.
    if (ticket === 1) {
      worker.leave(2, 3, OK);
      assert.equal(worker.mustCall(), true);
    }
  });
  assert.deepEqual(taken, [1, 2, 3]);
  pool.take((ticket) => taken.push(ticket));
  assert.deepEqual(taken, [1, 2, 3]);
});

test('AnswerBox.take() may be called by whoever is told', () => {
  const [worker, pool] = boxes();
  for (let slot = 0; slot < 4; slot++) worker.leave(slot, slot + 1, OK);
  const taken: number[] = [];
  const onOutcome = (ticket: number): void => {
    taken.push(ticket);
    pool.take(onOutcome);
  };
  pool.take(onOutcome);
  assert.deepEqual(taken, [1, 2, 3, 4]);
});

test('AnswerBox.leave() refuses what does not fit, and what ended otherwise', () => {
  const [worker, pool] = boxes();
  const half = new Uint8Array(OUTPUT_BYTES / 2);
  assert.equal(worker.leave(0, 1, { ...OK, stdout: half, stderr: new Uint8Array(OUTPUT_BYTES / 2 + 1) }), false);
  assert.equal(worker.leave(0, 1, { ...OK, kind: 'trap', reason: 'unreachable', message: '' }), false);
  pool.take(() => assert.fail('nothing was left'));
  assert.equal(worker.leave(0, 1, { ...OK, stdout: half, stderr: half }), true);
});
