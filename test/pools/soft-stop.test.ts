/** Guests that count units: their deadlines, aborts and limits end them, and their threads live on. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { FunctionDefinition } from '../../host/definition/definition.ts';
import type { Outcome } from '../../host/outcome.ts';
import type { Executor } from '../../pools/executor.ts';
import { createInThreadExecutor } from '../../pools/in-thread/executor.ts';
import { LONGEST_GRACE_MS } from '../../pools/worker/grace.ts';
import { commandComponent, defineComponent } from '../host/component/components.ts';
import { define, renamed, type DefinitionOverrides } from '../definition.ts';
import { loudLoop, loudOutput } from '../loud-loop.ts';
import { assemble } from '../wat.ts';
import { deploy, input, median, openPool, stdoutOf, until } from './fixture.ts';

const COUNTING = { wish: 'always' } as const;

/** Deploys a module of its own. */
async function deployBytes(
  context: TestContext,
  executor: Executor,
  bytes: Uint8Array,
  overrides: DefinitionOverrides = {},
): Promise<FunctionDefinition> {
  const folder = mkdtempSync(join(tmpdir(), 'nebula-soft-stop-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'guest.wasm');
  writeFileSync(path, bytes);
  const definition = await define('guest', path, { ...COUNTING, ...overrides });
  await executor.deploy(definition);
  return definition;
}

/** Loops without end where it has input; else exits with how often it has run in its state. */
const LOOP_ON_INPUT = `(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (global $runs (mut i32) (i32.const 0))
  (func (export "_start")
    (global.set $runs (i32.add (global.get $runs) (i32.const 1)))
    (i32.store (i32.const 100) (i32.add (i32.load (i32.const 100)) (i32.const 1)))
    (i32.store (i32.const 0) (i32.const 64))
    (i32.store (i32.const 4) (i32.const 16))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (if (i32.load (i32.const 8)) (then (loop $forever (br $forever))))
    (call $exit (i32.add (i32.load (i32.const 100)) (i32.mul (global.get $runs) (i32.const 10))))))`;

/** Calls of a guest that never ends, and for how long at most they are made. */
const CALLS = 1000;
const LONGEST_MS = 20_000;

/** Milliseconds by which an outcome came after its deadline. */
async function lateMs(call: Promise<Outcome>, timeoutMs: number): Promise<number> {
  const startedMs = performance.now();
  assert.equal((await call).kind, 'timeout');
  return performance.now() - startedMs - timeoutMs;
}

test('invoke() ends a guest that counts right after its deadline, and its thread lives on', async (context) => {
  const pool = openPool(context);
  const forever = await deploy(pool, 'guests/forever', { ...COUNTING, limits: { timeoutMs: 5 } });
  const late: number[] = [];
  const beganMs = performance.now();
  while (late.length < CALLS && performance.now() - beganMs < LONGEST_MS)
    late.push(await lateMs(pool.invoke(forever, input()), 5));
  const { unitsReplaced, stops, pauses } = pool.stats();
  assert.ok(unitsReplaced <= 1, `${unitsReplaced} threads were ended over ${late.length} calls`);
  // On a busy machine the time of some is up before their thread has taken them up.
  assert.ok(stops > late.length / 10 && pauses === 0, `${stops} stops, ${pauses} pauses`);
  assert.ok(median(late) < LONGEST_GRACE_MS, `late by ${median(late)} ms, as one is that is stopped with its thread`);
});

test('invoke() after a guest that was ended finds the state of the snapshot', async (context) => {
  for (const strategy of ['fresh', 'copy', 'cow'] as const) {
    const pool = openPool(context, { threads: 1, spareThreads: 0 });
    const guest = await deployBytes(context, pool, await assemble(LOOP_ON_INPUT), { strategy });
    for (let round = 0; round < 5; round++) {
      assert.equal((await pool.invoke(guest, { ...input('loop'), timeoutMs: 30 })).kind, 'timeout');
      const next = await pool.invoke(guest, input());
      assert.deepEqual([next.kind, next.kind === 'exit' && next.exitCode], ['exit', 11], strategy);
    }
  }
});

test('invoke() of a guest that was ended tells what it wrote and used', async (context) => {
  const pool = openPool(context);
  let counted = 0;
  for (const chunks of [0, 1, 17, 300]) {
    const loud = await deployBytes(context, pool, await loudLoop(chunks), { limits: { timeoutMs: 1000 } });
    const outcome = await pool.invoke(loud, input('12345'));
    assert.equal(outcome.kind, 'timeout');
    assert.equal(new TextDecoder().decode(outcome.stderr), 'err');
    assert.ok(stdoutOf(outcome) === loudOutput(chunks), `${outcome.stdout.length} bytes of ${chunks} chunks`);
    const { inputBytes, hostCalls, units = 0 } = outcome.usage;
    assert.deepEqual([inputBytes, hostCalls], [3, 2 + chunks]);
    counted += units;
  }
  assert.ok(counted > 0);
  assert.ok(pool.stats().stops > 0);
});

test('invoke() that is aborted ends a guest that counts, with what it wrote', async (context) => {
  const pool = openPool(context, { threads: 1, spareThreads: 0 });
  const loud = await deployBytes(context, pool, await loudLoop(20), { limits: { timeoutMs: 0 } });
  let counted = 0;
  for (let call = 0; call < 3; call++) {
    const controller = new AbortController();
    const outcome = pool.invoke(loud, input(), controller.signal);
    await until('it runs', () => pool.stats().running === 1, 20_000);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    controller.abort();
    const { kind, stdout, usage } = await outcome;
    assert.deepEqual([kind, stdout.length], ['aborted', 20_000]);
    counted += usage.units ?? 0;
  }
  assert.ok(counted > 0);
  assert.ok(pool.stats().stops > 0);
});

test('invoke() ends a guest that sleeps, at its deadline and when it is aborted', async (context) => {
  const pool = openPool(context, { threads: 1, spareThreads: 0 });
  const sleep = await deploy(pool, 'sleep', COUNTING);
  const startedMs = performance.now();
  const late = await pool.invoke(sleep, { ...input('50'), timeoutMs: 30 });
  assert.deepEqual(late.kind === 'timeout' && late.timeoutMs, 30);
  const controller = new AbortController();
  const aborted = pool.invoke(sleep, input('50'), controller.signal);
  await until('it runs', () => pool.stats().running === 1, 20_000);
  controller.abort();
  assert.equal((await aborted).kind, 'aborted');
  assert.ok(performance.now() - startedMs < 40_000);
  assert.equal(stdoutOf(await pool.invoke(sleep, input('0.01'))), 'slept 0.01 s\n');
});

test('invoke() counts the same units for the same call, wherever and whenever it runs', async (context) => {
  const seen = new Set<number | undefined>();
  for (const executor of [openPool(context), openPool(context), createInThreadExecutor()]) {
    context.after(() => executor.close(0));
    const sort = await deploy(executor, 'sieve', COUNTING);
    for (let call = 0; call < 5; call++) seen.add((await executor.invoke(sort, input('20000'))).usage.units);
  }
  assert.equal(seen.size, 1, [...seen].join(' '));
  assert.ok(([...seen][0] ?? 0) > 10_000);
});

test('invoke() holds limits.units to the unit', async (context) => {
  const pool = openPool(context);
  const free = await deploy(pool, 'sieve', COUNTING);
  const { units = 0 } = (await pool.invoke(free, input('20000'))).usage;
  const enough = await deploy(pool, 'sieve', { ...COUNTING, limits: { units } });
  assert.equal((await pool.invoke(enough, input('20000'))).kind, 'ok');
  const short = await deploy(pool, 'sieve', { ...COUNTING, limits: { units: units - 1 } });
  for (let call = 0; call < 3; call++) {
    const outcome = await pool.invoke(short, input('20000'));
    assert.equal(outcome.kind, 'limit');
    assert.deepEqual(outcome.kind === 'limit' && [outcome.limit, outcome.allowed], ['units', units - 1]);
  }
  const endless = await deploy(pool, 'guests/forever', { ...COUNTING, limits: { units: 100_000_000, timeoutMs: 0 } });
  assert.equal((await pool.invoke(endless, input())).kind, 'limit');
});

test('invoke() holds limits.cpuMs, and does not count what a guest waits', async (context) => {
  const pool = openPool(context);
  const forever = await deploy(pool, 'guests/forever', { ...COUNTING, limits: { cpuMs: 30 } });
  const outcome = await pool.invoke(forever, input());
  assert.deepEqual(outcome.kind === 'limit' && [outcome.limit, outcome.allowed], ['cpuMs', 30]);
  assert.ok((outcome.usage.cpuNs ?? 0) >= 30e6);
  const sleep = await deploy(pool, 'sleep', { ...COUNTING, limits: { cpuMs: 200 } });
  const slept = await pool.invoke(sleep, input('0.5'));
  assert.equal(slept.kind, 'ok');
  assert.ok((slept.usage.cpuNs ?? Infinity) < 200e6);
});

test('invokeHere() ends a guest that counts at its deadline and at its limits, in the thread of its caller', async (context) => {
  const executor = createInThreadExecutor();
  context.after(() => executor.close(0));
  const forever = await deploy(executor, 'guests/forever', { ...COUNTING, limits: { timeoutMs: 20 } });
  for (const [timeoutMs, expected] of [
    [0, 20],
    [10, 10],
    [60_000, 20],
  ] as const) {
    const outcome = await executor.invoke(forever, { ...input(), timeoutMs });
    assert.deepEqual(outcome.kind === 'timeout' && outcome.timeoutMs, expected);
  }
  const bounded = await deploy(executor, 'guests/forever', { ...COUNTING, limits: { units: 1000 } });
  assert.equal((await executor.invoke(bounded, input())).kind, 'limit');
  assert.equal(executor.stats().stops, 4);
});

test('deploy() ends an initialisation that loops at the deadline, and lets it use more units than a call', async (context) => {
  const pool = openPool(context, { threads: 1, spareThreads: 0 });
  const init = { export: 'nebula_init' };
  const endless = deploy(pool, 'guests/init-forever', { ...COUNTING, init, limits: { timeoutMs: 50 } });
  await assert.rejects(endless, /nebula_init ended with its deadline of 50 ms/);
  const reactor = `(module
    (memory (export "memory") 1)
    (func (export "_initialize") (local $i i32)
      (loop $more
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $more (i32.lt_u (local.get $i) (i32.const 1000000)))))
    (func (export "handle")))`;
  const guest = await deployBytes(context, pool, await assemble(reactor), { limits: { units: 1000 } });
  const { kind, usage } = await pool.invoke(guest, input());
  assert.ok(kind === 'ok' && (usage.units ?? Infinity) <= 1000, `${kind} ${usage.units}`);
});

test('invoke() ends a component that counts at its deadline, at its limit, asleep and aborted', async (context) => {
  const pool = openPool(context, { threads: 1, spareThreads: 0 });
  const deployed = async (from: string | Uint8Array, limits = {}): Promise<FunctionDefinition> => {
    const made = await defineComponent(await commandComponent(from), { ...COUNTING, limits });
    const definition = { ...made, ...renamed('component') };
    await pool.deploy(definition);
    return definition;
  };
  const loud = await deployed(await loudLoop(40));
  const late = await pool.invoke(loud, { ...input('12345'), timeoutMs: 2000 });
  assert.deepEqual([late.kind, new TextDecoder().decode(late.stderr), late.usage.inputBytes], ['timeout', 'err', 3]);
  assert.ok(stdoutOf(late) === loudOutput(40), `${late.stdout.length} bytes`);
  const echo = await deployed('echo');
  const echoed = await pool.invoke(echo, input('text'));
  assert.equal(stdoutOf(echoed), 'text');
  const { units = 0 } = echoed.usage;
  assert.ok(units > 0);
  assert.equal((await pool.invoke(echo, input('text'))).usage.units, units);
  const exact = await deployed('echo', { units });
  assert.equal((await pool.invoke(exact, input('text'))).kind, 'ok');
  const short = await deployed('echo', { units: units - 1 });
  const ended = await pool.invoke(short, input('text'));
  assert.deepEqual(ended.kind === 'limit' && ended.limit, 'units');
  const sleep = await deployed('sleep');
  assert.equal((await pool.invoke(sleep, { ...input('50'), timeoutMs: 50 })).kind, 'timeout');
  const controller = new AbortController();
  const aborted = pool.invoke(sleep, input('50'), controller.signal);
  await until('it runs', () => pool.stats().running === 1, 20_000);
  controller.abort();
  assert.equal((await aborted).kind, 'aborted');
  assert.equal(stdoutOf(await pool.invoke(sleep, input('0.01'))), 'slept 0.01 s\n');
});
