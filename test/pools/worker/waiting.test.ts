/** The waiting lane: guests that wait hold no thread; each is ended alone, and nobody's end is another's. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { isNebulaError } from '../../../host/errors.ts';
import type { FunctionDefinition } from '../../../host/definition/definition.ts';
import type { Outcome } from '../../../host/outcome.ts';
import type { Recorded } from '../../../host/wasi/session/run-reader.ts';
import { CAN_SUSPEND } from '../../../host/waiting/jspi.ts';
import type { Executor } from '../../../pools/executor.ts';
import { SLOTS } from '../../../pools/worker/messages.ts';
import { define, renamed, type DefinitionOverrides } from '../../definition.ts';
import { commandComponent, defineComponent } from '../../host/component/components.ts';
import { assemble } from '../../wat.ts';
import { deploy, input, openPool, stdoutOf, until } from '../fixture.ts';

const skip = CAN_SUSPEND ? false : 'this Node cannot suspend a guest';

/** Writes `text`, waits, writes it again, and then does as `after` says. */
function waiter(waitMs: number, after: string = '', text: string = 'waited'): string {
  return `(module
    (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "\\40\\00\\00\\00\\06\\00\\00\\00")
    (data (i32.const 64) "${text}")
    (func $say (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16))))
    (func $rest
      (i32.store (i32.const 144) (i32.const 1))
      (i64.store (i32.const 152) (i64.const ${waitMs}000000))
      (drop (call $poll (i32.const 128) (i32.const 256) (i32.const 1) (i32.const 320))))
    (func (export "_start") (call $say) (call $rest) (call $say) ${after}))`;
}

const SPIN = '(loop $again (br $again))';

async function deployWaiter(
  context: TestContext,
  pool: Executor,
  wat: string,
  overrides: DefinitionOverrides = {},
): Promise<FunctionDefinition> {
  const folder = mkdtempSync(join(tmpdir(), 'nebula-waiting-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'waiter.wasm');
  writeFileSync(path, await assemble(wat));
  const definition = await define('waiter', path, {
    ...overrides,
    limits: { concurrency: 1000, memoryBytes: 65_536, ...overrides.limits },
  });
  await pool.deploy(definition);
  return definition;
}

const calls = (pool: Executor, definition: FunctionDefinition, count: number): Promise<Outcome[]> =>
  Promise.all(Array.from({ length: count }, () => pool.invoke(definition, input())));

test('invoke() of 300 guests that wait at once takes one thread, however few slots it has', {
  skip,
}, async (context) => {
  const pool = openPool(context, { threads: 1, spareThreads: 0 });
  const definition = await deployWaiter(context, pool, waiter(2000));
  let most = 0;
  const watch = setInterval(() => (most = Math.max(most, pool.stats().suspended)), 1);
  const outcomes = await calls(pool, definition, 300);
  clearInterval(watch);
  assert.ok(most > SLOTS, `${most} were suspended at once`);
  assert.deepEqual([...new Set(outcomes.map(stdoutOf))], ['waitedwaited']);
  assert.equal(pool.stats().suspended, 0);
  assert.equal((await pool.invoke(definition, input())).start, 'restored');
});

test('A component that has read what was there before it waits holds no thread, and an abort ends it alone at any moment', {
  skip,
}, async (context) => {
  const pool = openPool(context, { threads: 1, spareThreads: 0 });
  const made = await defineComponent(await commandComponent('sleep'), { wish: 'always' });
  const sleep = { ...made, ...renamed('sleep') };
  await pool.deploy(sleep);
  const waiting = Array.from({ length: 8 }, () => pool.invoke(sleep, input('2')));
  await until('all are suspended at once', () => pool.stats().suspended === 8);
  for (const { kind } of await Promise.all(waiting)) assert.equal(kind, 'ok');
  for (let call = 0; call < 200; call++) {
    const controller = new AbortController();
    const outcome = pool.invoke(sleep, input('50'), controller.signal);
    // From before it is taken up until it has been suspended for a while.
    for (const endMs = performance.now() + call / 80; performance.now() < endMs; ) continue;
    controller.abort();
    assert.equal((await outcome).kind, 'aborted');
  }
  assert.deepEqual([pool.stats().suspended, pool.stats().unitsReplaced], [0, 0]);
});

test('invoke() of another function runs beside guests that wait in the only thread, as does one more of theirs', {
  skip,
}, async (context) => {
  const pool = openPool(context, { threads: 1, spareThreads: 0 });
  const waits = await deployWaiter(context, pool, waiter(60_000), { limits: { timeoutMs: 0 } });
  const quick = await deployWaiter(context, pool, waiter(1));
  const echo = await deploy(pool, 'echo');
  const controller = new AbortController();
  const waiting = Array.from({ length: 5 }, () => pool.invoke(waits, input(), controller.signal));
  await until('all are suspended', () => pool.stats().suspended === 5);
  assert.equal(stdoutOf(await pool.invoke(echo, input('here'))), 'here');
  assert.equal((await pool.invoke(quick, input())).kind, 'ok');
  controller.abort();
  for (const { kind } of await Promise.all(waiting)) assert.equal(kind, 'aborted');
  assert.equal(pool.stats().unitsReplaced, 0);
});

test('invoke() spreads guests that wait over its threads, and takes no spare one', { skip }, async (context) => {
  const pool = openPool(context, { threads: 2, spareThreads: 1 });
  const waits = await deployWaiter(context, pool, waiter(60_000), { limits: { timeoutMs: 0 } });
  await until('all threads are there', () => pool.stats().units === 3);
  const controller = new AbortController();
  const waiting = Array.from({ length: 20 }, () => pool.invoke(waits, input(), controller.signal));
  await until('all are suspended', () => pool.stats().suspended === 20);
  const memories = pool.stats().memories;
  controller.abort();
  await Promise.all(waiting);
  assert.ok(memories >= 20);
  assert.equal(pool.stats().running, 0);
});

test('A deadline ends a guest that waits alone, and keeps what it wrote', { skip }, async (context) => {
  const pool = openPool(context, { threads: 1, spareThreads: 0 });
  const waits = await deployWaiter(context, pool, waiter(60_000), { limits: { timeoutMs: 50 } });
  const other = await deployWaiter(context, pool, waiter(300));
  const others = calls(pool, other, 4);
  const outcome = await pool.invoke(waits, input());
  assert.deepEqual([outcome.kind, stdoutOf(outcome)], ['timeout', 'waited']);
  assert.ok(outcome.usage.hostCalls >= 2);
  for (const each of await others) assert.deepEqual([each.kind, stdoutOf(each)], ['ok', 'waitedwaited']);
  assert.equal(pool.stats().unitsReplaced, 0);
  assert.equal((await pool.invoke(other, input())).kind, 'ok', 'the thread goes on');
});

test('Guests that are dropped give their memories back', { skip }, async (context) => {
  const pool = openPool(context, { threads: 1, spareThreads: 0, memories: 60 });
  const waits = await deployWaiter(context, pool, waiter(60_000), { limits: { timeoutMs: 0 } });
  for (let round = 0; round < 6; round++) {
    const controller = new AbortController();
    const waiting = Array.from({ length: 20 }, () => pool.invoke(waits, input(), controller.signal));
    await until('all are suspended', () => pool.stats().suspended === 20);
    controller.abort();
    for (const { kind } of await Promise.all(waiting)) assert.equal(kind, 'aborted');
  }
  assert.equal(pool.stats().unitsReplaced, 0);
});

test('Guests that wait fill the address space: one more is refused, and runs when there is room again', {
  skip,
}, async (context) => {
  const pool = openPool(context, { threads: 1, spareThreads: 0, memories: 20 });
  const waits = await deployWaiter(context, pool, waiter(60_000), { limits: { timeoutMs: 0 } });
  const controller = new AbortController();
  let refused = 0;
  const refuse = (error: unknown): string => {
    refused++;
    assert.ok(isNebulaError(error));
    return error.key;
  };
  const results = await Promise.all(
    Array.from({ length: 15 }, (_, at) => {
      const called = pool.invoke(waits, input(), controller.signal);
      // A guest under way takes two places: its memory's and its stack's.
      if (at === 14) void until('some are refused', () => refused > 0).then(() => controller.abort());
      return called.then(({ kind }) => kind, refuse);
    }),
  );
  assert.deepEqual([...new Set(results)].toSorted(), ['ADDRESS_SPACE', 'aborted']);
  const quick = await deployWaiter(context, pool, waiter(1));
  await until('there is room again', () => pool.stats().suspended === 0);
  assert.equal((await pool.invoke(quick, input())).kind, 'ok');
});

test('A guest that spins after it waited is ended with its thread: those that wait there are lost, and told so', {
  skip,
}, async (context) => {
  const pool = openPool(context, { threads: 1, spareThreads: 0 });
  const spins = await deployWaiter(context, pool, waiter(20, SPIN), { limits: { timeoutMs: 200 } });
  const waits = await deployWaiter(context, pool, waiter(60_000), { limits: { timeoutMs: 0 } });
  const waiting = pool.invoke(waits, input());
  await until('it is suspended', () => pool.stats().suspended === 1);
  const lost = assert.rejects(waiting, (error) => {
    assert.ok(isNebulaError(error) && error.key === 'WORKER_LOST');
    const { stdout, usage } = error.cause as Recorded;
    assert.deepEqual([new TextDecoder().decode(stdout), usage.hostCalls, usage.units], ['waited', 2, undefined]);
    return true;
  });
  const outcome = await pool.invoke(spins, input());
  assert.deepEqual([outcome.kind, stdoutOf(outcome)], ['timeout', 'waitedwaited']);
  await lost;
  assert.equal(pool.stats().unitsReplaced, 1);
});

test('deploy() and close() do not wait for a thread that a guest has kept since it went on', {
  skip,
}, async (context) => {
  const pool = openPool(context, { threads: 1, spareThreads: 0 });
  const spins = await deployWaiter(context, pool, waiter(20, SPIN), { limits: { timeoutMs: 400 } });
  const spinning = pool.invoke(spins, input());
  await until('it is suspended', () => pool.stats().suspended === 1);
  await new Promise((resolve) => setTimeout(resolve, 100));
  const echo = await deploy(pool, 'echo');
  assert.equal((await spinning).kind, 'timeout');
  assert.equal(stdoutOf(await pool.invoke(echo, input('here'))), 'here');
  await pool.close(60_000);
});

const readClock = (at: number): string => `(drop (call $time (i32.const 1) (i64.const 0) (i32.const ${at})))`;

/** Does as `waiter`, and computes for so many milliseconds after it waited. */
function busy(waitMs: number, busyMs: number): string {
  const clock = '(import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))';
  const compute = `${readClock(400)}(loop $again ${readClock(408)}
    (br_if $again (i64.lt_u (i64.sub (i64.load (i32.const 408)) (i64.load (i32.const 400))) (i64.const ${busyMs}000000))))`;
  return waiter(waitMs, compute).replace('(module', `(module ${clock}`);
}

test('The answer of a guest that waited does not wait for those whose time was up when its own was', {
  skip,
}, async (context) => {
  const pool = openPool(context, { threads: 1, spareThreads: 0 });
  const limits = { timeoutMs: 0 };
  const waits = await deployWaiter(context, pool, waiter(150), { limits });
  const spins = await deployWaiter(context, pool, waiter(150, SPIN), { limits });
  const computes = await deployWaiter(context, pool, busy(100, 300), { limits });
  const controller = new AbortController();
  const calls = [pool.invoke(computes, input()), pool.invoke(waits, input())];
  const spinning = pool.invoke(spins, input(), controller.signal);
  // Who spins does so until it is told that the others were answered.
  const ended = Promise.all(calls);
  void ended.then(() => controller.abort());
  const late = setTimeout(() => controller.abort(), 10_000);
  assert.equal((await spinning).kind, 'aborted');
  clearTimeout(late);
  assert.deepEqual(
    (await ended).map(({ kind }) => kind),
    ['ok', 'ok'],
  );
});

test('A call goes to no thread that a guest keeps since it went on, and waits where there is no other', {
  skip,
}, async (context) => {
  const pool = openPool(context, { threads: 1, spareThreads: 0 });
  const spins = await deployWaiter(context, pool, waiter(20, SPIN), { limits: { timeoutMs: 4_000 } });
  const echo = await deploy(pool, 'echo', { limits: { timeoutMs: 1_500 } });
  const spinning = pool.invoke(spins, input());
  await until('it is suspended', () => pool.stats().suspended === 1);
  await new Promise((resolve) => setTimeout(resolve, 60));
  const { kind } = await pool.invoke(echo, input('x'));
  assert.equal(kind, 'ok', 'it ran in the thread that was started in its place');
  assert.equal((await spinning).kind, 'timeout');
  assert.equal(pool.stats().unitsReplaced, 1);
});

test('A call runs in a free thread while a guest keeps another since it went on', { skip }, async (context) => {
  const pool = openPool(context, { threads: 2, spareThreads: 0 });
  const spins = await deployWaiter(context, pool, waiter(20, SPIN), { limits: { timeoutMs: 20_000 } });
  const echo = await deploy(pool, 'echo');
  await until('both threads are there', () => pool.stats().units === 2);
  const controller = new AbortController();
  const spinning = pool.invoke(spins, input(), controller.signal);
  await until('it is suspended', () => pool.stats().suspended === 1);
  for (let call = 0; call < 300; call++) {
    const outcomes = await Promise.all([pool.invoke(echo, input('x')), pool.invoke(echo, input('x'))]);
    assert.ok(outcomes.every(({ kind }) => kind === 'ok'));
  }
  assert.equal(pool.stats().suspended, 1, 'it has kept its thread all the time');
  controller.abort();
  assert.equal((await spinning).kind, 'aborted');
});

test('A guest that waited and then traps, exits or outgrows a limit ends as any other', { skip }, async (context) => {
  const pool = openPool(context, { threads: 1, spareThreads: 0 });
  const traps = await deployWaiter(context, pool, waiter(1, 'unreachable'));
  const exits = await deployWaiter(context, pool, waiter(1, '(call $exit (i32.const 3))'));
  const writes = await deployWaiter(context, pool, waiter(1, '(loop $again (call $say) (br $again))'), {
    limits: { outputBytes: 40_000 },
  });
  const waiting = await deployWaiter(context, pool, waiter(100));
  const others = calls(pool, waiting, 3);
  const [trap, exit, limit] = await Promise.all([traps, exits, writes].map((each) => pool.invoke(each, input())));
  assert.equal(trap?.kind, 'trap');
  assert.deepEqual(exit?.kind === 'exit' && exit.exitCode, 3);
  assert.deepEqual(limit?.kind === 'limit' && [limit.limit, limit.stdout.length], ['outputBytes', 40_000]);
  for (const { kind } of await others) assert.equal(kind, 'ok');
});

for (const [what, wat] of [
  ['before it waits', waiter(1).replace('(call $say) (call $rest)', `(call $say) ${SPIN} (call $rest)`)],
  ['after it waited', waiter(1, SPIN)],
] as const)
  test(`An abort ends a guest alone that counts units and spins ${what}`, { skip }, async (context) => {
    const pool = openPool(context, { threads: 1, spareThreads: 0 });
    const limits = { timeoutMs: 0 };
    const waits = await deployWaiter(context, pool, waiter(60_000), { limits });
    const spins = await deployWaiter(context, pool, wat, { limits, wish: 'always' });
    const quick = await deployWaiter(context, pool, waiter(1), { limits });
    const [ends, end] = [new AbortController(), new AbortController()];
    const waiting = pool.invoke(waits, input(), end.signal);
    await until('it is suspended', () => pool.stats().suspended === 1);
    const spinning = pool.invoke(spins, input(), ends.signal);
    await new Promise((resolve) => setTimeout(resolve, 200));
    ends.abort();
    assert.equal((await spinning).kind, 'aborted');
    assert.equal((await pool.invoke(quick, input())).kind, 'ok');
    assert.equal(pool.stats().suspended, 1);
    end.abort();
    assert.equal((await waiting).kind, 'aborted');
    assert.equal(pool.stats().unitsReplaced, 0);
  });

/** Catches whatever ends its wait, and waits again. */
const STUBBORN = `(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (i32.store (i32.const 144) (i32.const 1))
    (i64.store (i32.const 152) (i64.const 60000000000))
    (loop $again
      (try (do (drop (call $poll (i32.const 128) (i32.const 256) (i32.const 1) (i32.const 320)))) (catch_all))
      (br $again))))`;

test('A guest that catches whatever it can runs no more once it was dropped', { skip }, async (context) => {
  const pool = openPool(context, { threads: 1, spareThreads: 0 });
  const stubborn = await deployWaiter(context, pool, STUBBORN, { limits: { timeoutMs: 30 } });
  const quick = await deployWaiter(context, pool, waiter(1));
  for (const { kind } of await calls(pool, stubborn, 3)) assert.equal(kind, 'timeout');
  for (const { kind } of await calls(pool, quick, 3)) assert.equal(kind, 'ok');
  assert.equal(pool.stats().unitsReplaced, 0);
});

test('close() ends guests that wait, with what they wrote', { skip }, async (context) => {
  const pool = openPool(context, { threads: 1, spareThreads: 0 });
  const waits = await deployWaiter(context, pool, waiter(60_000), { limits: { timeoutMs: 0 } });
  const waiting = pool.invoke(waits, input());
  await until('it is suspended', () => pool.stats().suspended === 1);
  await pool.close(1);
  const outcome = await waiting;
  assert.deepEqual([outcome.kind, stdoutOf(outcome)], ['aborted', 'waited']);
});

test('undeploy() waits for guests that wait', { skip }, async (context) => {
  const pool = openPool(context, { threads: 1, spareThreads: 0 });
  const waits = await deployWaiter(context, pool, waiter(100));
  const waiting = pool.invoke(waits, input());
  await until('it is suspended', () => pool.stats().suspended === 1);
  await pool.undeploy(waits.id);
  assert.equal((await waiting).kind, 'ok');
});
