/** Guests of the waiting lane that compute take turns: nobody beside them waits for their end, and none is left out. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CAN_SUSPEND } from '../../../host/waiting/jspi.ts';
import { WASM_PAGE_BYTES } from '../../../host/wasm-page.ts';
import { deploy, input, openPool, stdoutOf, until } from '../fixture.ts';
import { deployText } from '../text-guest.ts';

const skip = CAN_SUSPEND ? false : 'this Node cannot suspend a guest';

/** Does as `body` says, with `$rest` to wait and `$say` to write. */
function guest(waitMs: number, body: string, pages = 1): string {
  return `(module
    (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
    (memory (export "memory") ${pages})
    (data (i32.const 0) "\\40\\00\\00\\00\\06\\00\\00\\00")
    (data (i32.const 64) "waited")
    (func $say (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16))))
    (func $rest
      (i32.store (i32.const 144) (i32.const 1))
      (i64.store (i32.const 152) (i64.const ${waitMs}000000))
      (drop (call $poll (i32.const 128) (i32.const 256) (i32.const 1) (i32.const 320))))
    (func (export "_start") (local $left i64) ${body}))`;
}

const FOREVER = '(loop $again (br $again))';
/** Nearly all of its units are charged by a host function. */
const ASKS_FOREVER = '(loop $again (drop (call $random (i32.const 1024) (i32.const 2000000))) (br $again))';

/** Steps of so many millions, each of some units. */
const steps = (millions: number): string => `(local.set $left (i64.const ${millions}000000))
  (loop $again (br_if $again (i64.ne (i64.const 0) (local.tee $left (i64.sub (local.get $left) (i64.const 1))))))`;

for (const [when, body, pages] of [
  ['from its beginning', FOREVER, 1],
  ['after it waited', `(call $rest) ${FOREVER}`, 1],
  ['in host functions', ASKS_FOREVER, 32],
  ['in host functions after it waited', `(call $rest) ${ASKS_FOREVER}`, 32],
] as const)
  test(`A guest that computes ${when} keeps nobody of its thread waiting for its end`, { skip }, async (context) => {
    const pool = openPool(context, { threads: 1, spareThreads: 0 });
    const limits = { memoryBytes: pages * WASM_PAGE_BYTES };
    const spins = await deployText(context, pool, guest(1, body, pages), { limits });
    const waits = await deployText(context, pool, guest(20, '(call $rest) (call $say)'));
    const echo = await deploy(pool, 'echo');
    const controller = new AbortController();
    const ends: string[] = [];
    const spinning = pool.invoke(spins, input(), controller.signal).then((outcome) => {
      ends.push('computes');
      return outcome;
    });
    await until('it takes turns', () => pool.stats().suspended === 1);
    const waiting = Array.from({ length: 200 }, async () => {
      const outcome = await pool.invoke(waits, input());
      ends.push('waits');
      return outcome;
    });
    for (const outcome of await Promise.all(waiting))
      assert.deepEqual([outcome.kind, stdoutOf(outcome)], ['ok', 'waited']);
    assert.equal(stdoutOf(await pool.invoke(echo, input('here'))), 'here', 'nor a function that never waits');
    assert.equal(ends.length, 200);
    controller.abort();
    const { kind, usage } = await spinning;
    assert.equal(kind, 'aborted');
    assert.ok((usage.units ?? 1) > 0);
    assert.equal(pool.stats().unitsReplaced, 0);
  });

test('Guests that compute for several slices come to the same, and cost the same, as alone', {
  skip,
}, async (context) => {
  const pool = openPool(context, { threads: 1, spareThreads: 0 });
  const computes = await deployText(context, pool, guest(1, `(call $rest) ${steps(40)} (call $say)`));
  const alone = await pool.invoke(computes, input());
  assert.equal(alone.kind, 'ok');
  const together = await Promise.all(Array.from({ length: 8 }, () => pool.invoke(computes, input())));
  for (const outcome of together) {
    assert.deepEqual([outcome.kind, stdoutOf(outcome)], ['ok', 'waited']);
    assert.equal(outcome.usage.units, alone.usage.units);
    assert.equal(outcome.usage.hostCalls, alone.usage.hostCalls);
  }
  assert.equal(pool.stats().suspended, 0);
});

test('A deadline and a limit of processor time end guests that take turns, each by itself', {
  skip,
}, async (context) => {
  const pool = openPool(context, { threads: 1, spareThreads: 0 });
  const body = `(call $say) (call $rest) ${FOREVER}`;
  const late = await deployText(context, pool, guest(1, body), { limits: { timeoutMs: 150 } });
  const dear = await deployText(context, pool, guest(1, body), { limits: { cpuMs: 30 } });
  const counted = await deployText(context, pool, guest(1, body), { limits: { units: 20_000_000 } });
  const calls = [late, dear, counted].flatMap((each) => Array.from({ length: 5 }, () => pool.invoke(each, input())));
  const outcomes = await Promise.all(calls);
  assert.deepEqual(
    outcomes.map((outcome) => (outcome.kind === 'limit' ? outcome.limit : outcome.kind)),
    ['timeout', 'cpuMs', 'units'].flatMap((each) => Array.from({ length: 5 }, () => each)),
  );
  for (const outcome of outcomes) assert.equal(stdoutOf(outcome), 'waited');
  for (const { usage } of outcomes.slice(5, 10)) {
    // One that others' slices were charged to would have had four fifths less of its own.
    assert.ok((usage.cpuNs ?? 0) >= 30e6 && (usage.units ?? 0) > 0);
  }
  assert.equal(pool.stats().unitsReplaced, 0);
  const quick = await deployText(context, pool, guest(1, '(call $rest) (call $say)'));
  assert.equal((await pool.invoke(quick, input())).kind, 'ok');
  assert.equal(pool.stats().suspended, 0);
});

/** Catches whatever ends it, and computes on. */
const STUBBORN = `(call $rest) (loop $more (try (do ${FOREVER}) (catch_all)) (br $more))`;

test('A guest that catches whatever it can runs no more once it was dropped between its turns', {
  skip,
}, async (context) => {
  const pool = openPool(context, { threads: 1, spareThreads: 0 });
  const quick = await deployText(context, pool, guest(1, '(call $rest) (call $say)'));
  for (let round = 0; round < 2; round++) {
    const stubborn = await deployText(context, pool, guest(300, STUBBORN));
    const controller = new AbortController();
    const computing = Array.from({ length: 6 }, () => pool.invoke(stubborn, input(), controller.signal));
    await until('they wait', () => pool.stats().suspended === 6);
    await new Promise((resolve) => setTimeout(resolve, 400));
    controller.abort();
    for (const { kind } of await Promise.all(computing)) assert.equal(kind, 'aborted');
    assert.equal((await pool.invoke(quick, input())).kind, 'ok');
    assert.equal(pool.stats().suspended, 0);
  }
  assert.equal(pool.stats().unitsReplaced, 0);
});

test('Calls that compute for long are not run all at once in one thread', {
  skip,
}, async (context) => {
  const pool = openPool(context, { threads: 1, spareThreads: 0 });
  const computes = await deployText(context, pool, guest(1, `${steps(60)} (call $say)`));
  assert.equal((await pool.invoke(computes, input())).kind, 'ok');
  const calls = Array.from({ length: 6 }, () => pool.invoke(computes, input()));
  let most = 0;
  const watch = setInterval(() => (most = Math.max(most, pool.stats().suspended)), 1);
  for (const { kind } of await Promise.all(calls)) assert.equal(kind, 'ok');
  clearInterval(watch);
  assert.ok(most <= 2, `${most} at once`);
});

test('stats() counts each guest whose time is up while others have their turns as stopped', {
  skip,
}, async (context) => {
  const pool = openPool(context, { threads: 1, spareThreads: 0 });
  const spins = await deployText(context, pool, guest(1, FOREVER), { limits: { timeoutMs: 400 } });
  const outcomes = await Promise.all(Array.from({ length: 4 }, () => pool.invoke(spins, input())));
  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    Array.from({ length: 4 }, () => 'timeout'),
  );
  const started = outcomes.filter(({ phases }) => phases.run > 50e6).length;
  assert.ok(started > 1, `${started} took turns`);
  await until('they are counted', () => pool.stats().stops >= started);
});
