/** Sessions: one instance for the calls of one caller. */

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools';
import { createNebula, type FunctionSession, type Nebula, type NebulaOptions } from '../../../lib/index.ts';
import { Turns } from '../../../lib/calls/turns.ts';
import { createNebulaOn } from '../../../lib/nebula.ts';
import { createInThreadExecutor } from '../../../pools/in-thread/executor.ts';
import { createWorkerExecutor } from '../../../pools/worker/pool.ts';
import { until } from '../../pools/fixture.ts';
import { assemble } from '../../wat.ts';
import { LIBRARY, WAITING } from './guests.ts';

/** Opens a file in its first call, and writes its input's first 5 bytes to it in each; answers where the file then stands. */
const APPENDS = `(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_tell" (func $tell (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "\\40\\00\\00\\00\\05\\00\\00\\00") (data (i32.const 32) "f")
  (global $fd (mut i32) (i32.const -1))
  (func (export "handle") (result i32)
    (if (i32.lt_s (global.get $fd) (i32.const 0))
      (then
        ;; Created, with the rights to write and to tell.
        (if (call $open (i32.const 3) (i32.const 0) (i32.const 32) (i32.const 1) (i32.const 1) (i64.const 96) (i64.const 0)
              (i32.const 0) (i32.const 8))
          (then unreachable))
        (global.set $fd (i32.load (i32.const 8)))))
    (drop (call $read (i32.const 0) (i32.const 16) (i32.const 1) (i32.const 8)))
    (if (call $write (global.get $fd) (i32.const 16) (i32.const 1) (i32.const 8)) (then unreachable))
    (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 8)))
    (i32.const 0))
  (func (export "told") (result i64)
    (if (call $tell (global.get $fd) (i32.const 8)) (then unreachable))
    (i64.load (i32.const 8))))`;

/** Calls a binding with its own name, and answers the answer's first character; what it could read in a call after that. */
const ASKS = `(module
  (import "nebula" "call" (func $call (param i32 i32 i32 i32) (result i32)))
  (import "nebula" "read" (func $read (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 8) "b.f")
  (func (export "ask") (result i32)
    (drop (call $call (i32.const 8) (i32.const 3) (i32.const 8) (i32.const 3)))
    (drop (call $read (i32.const 16) (i32.const 1) (i32.const 0)))
    (i32.load8_u (i32.const 16)))
  (func (export "left") (result i32) (call $read (i32.const 16) (i32.const 1) (i32.const 0))))`;

const ended = (message: RegExp): object => ({ code: 'ERR_NEBULA_SESSION_ENDED', httpStatus: 409, message });

async function open(options: NebulaOptions, limits = {}): Promise<Nebula> {
  // No spare thread, which would come later and be counted.
  const nebula = await createNebula({ threads: 1, spareThreads: 0, ...options });
  const given = { limits: { timeoutMs: 2000, ...limits } };
  await nebula.deploy(await assemble(LIBRARY), { name: 'library', ...given });
  await nebula.deploy(await assemble(WAITING), { name: 'waiting', budget: true, ...given });
  return nebula;
}

for (const executor of ['worker', 'in-thread'] as const) {
  for (const name of ['library', 'waiting'] as const) {
    test(`FunctionSession keeps its state, which nobody else sees, of ${name}, ${executor}`, async () => {
      await using nebula = await open({ executor });
      const handle = nebula.fn(name);
      await using one = await handle.session();
      await using other = await handle.session();
      assert.deepEqual(await Promise.all([1, 2, 3].map(() => one.call('count'))), [11, 22, 33]);
      assert.equal(await other.call('count'), 11);
      assert.equal(await handle.call('count'), 11);
      assert.equal(await one.call('count'), 44);
      await assert.rejects(one.call('add', 1), { code: 'ERR_NEBULA_ARGUMENT' });
      await assert.rejects(one.call('sub'), { code: 'ERR_NEBULA_ENTRY_MISMATCH' });
      await assert.rejects(one.handle(), { code: 'ERR_NEBULA_ENTRY_MISMATCH', message: /those of a library/ });
      const said = await one.with({ environment: { A: '1' } }).invoke('say');
      assert.deepEqual([said.value, Buffer.from(said.stdout).toString(), said.usage.hostCalls], [7, 'hello', 2]);
      assert.equal(await one.with({ environment: { A: '1' } }).call('variables'), 1);
      assert.equal(await one.call('variables'), 0);
      assert.deepEqual([await one.call('count'), one.ending], [55, undefined]);
    });

    const ENDINGS = [
      ['trap', [], 'ERR_NEBULA_GUEST_FAILED', /a trap \(unreachable\)/],
      ['exit', [3], 'ERR_NEBULA_GUEST_FAILED', /exit code 3/],
      ['exit', [0], 'ERR_NEBULA_GUEST_RESPONSE', /did not return/],
      ['spin', [], 'ERR_NEBULA_DEADLINE', /its deadline of 100 ms/],
    ] as const;

    for (const [path, values, code, message] of ENDINGS) {
      test(`FunctionSession ends with a call that does not return: ${path} ${values.join()} of ${name}, ${executor}`, async () => {
        await using nebula = await open({ executor });
        await using session = await nebula.fn(name).session();
        await session.call('count');
        const calls = [session.with({ timeoutMs: 100 }).call(path, ...values), session.call('count')];
        const [last, behind] = await Promise.allSettled(calls);
        assert.equal(last?.status === 'rejected' && (last.reason as { code: string }).code, code);
        assert.ok(behind?.status === 'rejected', 'nothing runs in another instance');
        await assert.rejects(Promise.reject(behind.reason as Error), ended(message));
        await assert.rejects(session.call('count'), ended(message));
        assert.match(session.ending ?? '', message);
        assert.equal(await nebula.fn(name).call('count'), 11);
      });
    }
  }

  test(`FunctionSession.handle() has a reactor's handler called, whose files stay open, ${executor}`, async () => {
    await using nebula = await open({ executor });
    const mounts = [{ guest: '/tmp', files: {}, access: 'read-write' }] as const;
    await nebula.deploy(await assemble(APPENDS), {
      name: 'appends',
      capabilities: { mounts },
      limits: { inputBytes: 5 },
    });
    await using session = await nebula.fn('appends').session();
    for (const at of [5n, 10n, 15n]) {
      const outcome = await session.handle('abcde');
      assert.deepEqual([outcome.kind, Buffer.from(outcome.stdout).toString()], ['ok', 'abcde']);
      assert.equal(await session.call('told'), at);
    }
    await assert.rejects(session.handle('abcdef'), { code: 'ERR_NEBULA_INPUT_TOO_LARGE' });
    await using other = await nebula.fn('appends').session();
    await other.handle('abcde');
    assert.deepEqual([await other.call('told'), await session.call('told')], [5n, 15n]);
  });

  test(`FunctionSession has the bindings of its function, ${executor}`, async () => {
    const asked: string[] = [];
    const bindings = { b: { f: (bytes: Uint8Array) => `${asked.push(Buffer.from(bytes).toString())}` } };
    await using nebula = await createNebula({ threads: 1, executor, bindings });
    await nebula.deploy(await assemble(ASKS), { name: 'asks', capabilities: { bindings: ['b'] }, budget: true });
    await using session = await nebula.fn('asks').session();
    assert.deepEqual([await session.call('ask'), await session.call('ask')], ['1'.charCodeAt(0), '2'.charCodeAt(0)]);
    assert.equal(await session.call('left'), 0, 'nothing of an answer is left to the next call');
    assert.deepEqual(asked, ['b.f', 'b.f']);
  });

  test(`FunctionSession of a component keeps its state, ${executor}`, async () => {
    await using nebula = await createNebula({ threads: 1, executor });
    await nebula.deploy(
      await parse(`(component
        (core module $m (global $n (mut i32) (i32.const 0))
          (func (export "count") (result i32) (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n))
          (func (export "trap") unreachable))
        (core instance $i (instantiate $m))
        (func (export "count") (result u32) (canon lift (core func $i "count")))
        (func (export "trap") (canon lift (core func $i "trap"))))`),
      { name: 'component' },
    );
    await using session = await nebula.fn('component').session();
    assert.deepEqual([await session.call('count'), await session.call('count')], [1, 2]);
    assert.equal(await nebula.fn('component').call('count'), 1);
    await assert.rejects(session.call('trap'), { code: 'ERR_NEBULA_GUEST_FAILED' });
    await assert.rejects(session.call('count'), ended(/a trap/));
  });

  test(`FunctionHandle.session() opens as many as limits.sessions says, ${executor}`, async () => {
    await using nebula = await open({ executor }, { sessions: 2 });
    const handle = nebula.fn('library');
    const first = await handle.session();
    await using _second = await handle.session();
    await assert.rejects(handle.session(), {
      code: 'ERR_NEBULA_SESSIONS_FULL',
      retryable: true,
      message: /2 are open/,
    });
    await using _other = await nebula.fn('waiting').session();
    await first.close();
    await assert.rejects(first.call('count'), ended(/its close/));
    await using third = await handle.session();
    await assert.rejects(third.call('trap'), { code: 'ERR_NEBULA_GUEST_FAILED' });
    await third.close();
    await using fourth = await handle.session();
    assert.equal(await fourth.call('count'), 11);
    for (const options of [{ idleMs: 0 }, { idleMs: 60_001 }, { idleMs: '5' }, { idle: 5 }, 5, null]) {
      await assert.rejects(handle.session(options as never), { code: 'ERR_NEBULA_ARGUMENT' });
    }
    await assert.rejects(nebula.fn('nobody').session(), { code: 'ERR_NEBULA_FUNCTION_NOT_FOUND' });
  });

  test(`FunctionSession ends when nobody calls, as limits.sessionIdleMs and its caller say, ${executor}`, async () => {
    await using nebula = await open({ executor }, { sessionIdleMs: 300 });
    const handle = nebula.fn('library');
    const { units } = nebula.stats().executor;
    const [standard, short] = [await handle.session(), await handle.session({ idleMs: 100 })];
    for (const [session, message] of [
      [short, /100 ms without a call/],
      [standard, /300 ms without a call/],
    ] as const) {
      await until('it has ended', () => session.ending !== undefined, 20_000);
      await assert.rejects(session.call('count'), ended(message));
    }
    await until('their instances are gone', () => nebula.stats().executor.units === units, 20_000);
  });

  test(`FunctionSession stays with its version, and ends with its Nebula, ${executor}`, async () => {
    const nebula = await open({ executor });
    const session = await nebula.fn('library').session();
    assert.equal(await session.call('count'), 11);
    await nebula.deploy(await assemble('(module (func (export "count") (result i32) (i32.const 5)))'), {
      name: 'library',
    });
    assert.deepEqual([await session.call('count'), await nebula.fn('library').call('count')], [22, 5]);
    await nebula.undeploy('library');
    assert.equal(await session.call('count'), 33);
    await nebula.close();
    for (let at = 0; at < 2; at++) await assert.rejects(session.call('count'), ended(/the end of its Nebula/));
    await assert.rejects(nebula.fn('waiting').session(), { code: 'ERR_NEBULA_CLOSED' });
  });
}

test('FunctionSession whose call waits and is aborted or late goes on; one whose call runs ends, with what it wrote', async () => {
  await using nebula = await open({});
  await using session = await nebula.fn('library').session();
  const [gone, stop] = [new AbortController(), new AbortController()];
  const running = session.with({ signal: stop.signal }).invoke('spin');
  const aborted = session.with({ signal: gone.signal }).invoke('count');
  const late = session.with({ timeoutMs: 20 }).invoke('count');
  gone.abort();
  const { kind, usage } = await aborted;
  assert.deepEqual([kind, usage.hostCalls], ['aborted', 0]);
  const waited = await late;
  assert.deepEqual([waited.kind === 'timeout' && waited.timeoutMs, session.ending], [20, undefined]);
  assert.equal((await session.with({ signal: gone.signal }).invoke('count')).kind, 'aborted');
  await until('it runs', () => nebula.stats().executor.running === 1, 20_000);
  await new Promise((resolve) => setTimeout(resolve, 300));
  stop.abort();
  const outcome = await running;
  assert.deepEqual([outcome.kind, Buffer.from(outcome.stdout).toString()], ['aborted', 'hello']);
  await assert.rejects(session.call('count'), ended(/an abort by the caller/));
});

test('FunctionSession counts in limits.sessions until its thread is gone', async () => {
  await using nebula = await open({}, { sessions: 1 });
  const handle = nebula.fn('library');
  const { units } = nebula.stats().executor;
  const session = await handle.session();
  await session.call('count');
  const closing = session.close();
  await assert.rejects(handle.session(), { code: 'ERR_NEBULA_SESSIONS_FULL' });
  await closing;
  assert.equal(nebula.stats().executor.units, units);
  await (await handle.session()).close();
});

test('FunctionSession with a limits.queueLength of 0 makes one call at a time', async () => {
  await using nebula = await open({}, { queueLength: 0 });
  await using session = await nebula.fn('library').session();
  assert.deepEqual([await session.call('count'), await session.call('count')], [11, 22]);
  const [one, other] = await Promise.allSettled([session.call('count'), session.call('count')]);
  assert.equal(one.status === 'fulfilled' && one.value, 33);
  await assert.rejects(other.status === 'rejected' ? Promise.reject(other.reason as Error) : Promise.resolve(), {
    code: 'ERR_NEBULA_QUEUE_FULL',
  });
});

test('Turns listens once to a signal of many calls that wait', async () => {
  const [turns, { signal }] = [new Turns(), new AbortController()];
  await turns.take(undefined, undefined);
  const waiting = Array.from({ length: 20 }, () => turns.take(signal, undefined));
  assert.deepEqual([turns.waiting, getEventListeners(signal, 'abort').length], [20, 1]);
  for (const turn of waiting) {
    turns.leave();
    assert.equal(await turn, undefined);
  }
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});

test('FunctionSession refuses calls beyond limits.queueLength, and close() refuses those that wait', async () => {
  await using nebula = await open({}, { queueLength: 1 });
  const session = await nebula.fn('library').session();
  const running = session.invoke('spin');
  const refused = assert.rejects(session.invoke('count'), ended(/its close/));
  await assert.rejects(session.invoke('count'), { code: 'ERR_NEBULA_QUEUE_FULL' });
  await until('it runs', () => nebula.stats().executor.running === 1, 20_000);
  await session.close();
  assert.equal((await running).kind, 'aborted');
  await refused;
});

for (const [when, isBusy] of [
  ['while a call runs', true],
  ['between calls', false],
] as const) {
  test(`FunctionSession of a thread that dies ${when} ends with it, and no other session does`, async (context) => {
    const posted = context.mock.method(Worker.prototype, 'postMessage');
    const workers = (): Set<Worker> => new Set(posted.mock.calls.map((each) => each.this as Worker));
    await using nebula = await open({}, { timeoutMs: 60_000 });
    await using other = await nebula.fn('library').session();
    await other.call('count');
    const known = workers();
    await using session = await nebula.fn('library').session();
    await session.call('count');
    const own = [...workers()].filter((worker) => !known.has(worker));
    posted.mock.restore();
    const call = isBusy ? assert.rejects(session.call('spin'), { code: 'ERR_NEBULA_WORKER_LOST' }) : undefined;
    if (isBusy) await until('it runs', () => nebula.stats().executor.running === 1, 20_000);
    for (const worker of own) await worker.terminate();
    await call;
    // It is sent to the thread that has died, or there is another one.
    await assert.rejects(session.call('count'), { code: /SESSION_ENDED|WORKER_LOST/ });
    await assert.rejects(session.call('count'), ended(/its worker ended|the loss of its thread/));
    assert.equal(await other.call('count'), 22);
  });
}

test('FunctionSession has memory of the one count of the process, and gives it back', async () => {
  await using nebula = await createNebula({ threads: 1, spareThreads: 0, memories: 3 });
  await nebula.deploy(await assemble(LIBRARY), { name: 'library' });
  await nebula.fn('library').call('count');
  const before = nebula.stats().executor;
  const sessions = await Promise.all([1, 2].map(() => nebula.fn('library').session()));
  for (const session of sessions) assert.equal(await session.call('count'), 11);
  const { memories, units } = nebula.stats().executor;
  assert.deepEqual([memories, units], [before.memories + 2, before.units + 2]);
  for (const session of sessions) assert.equal(await session.call('count'), 22);
  await Promise.all(sessions.map((session) => session.close()));
  await until('it is given back', () => nebula.stats().executor.memories === before.memories, 20_000);
  assert.equal(nebula.stats().executor.units, before.units);
});

for (const executor of ['worker', 'in-thread'] as const) {
  for (const name of ['library', 'waiting'] as const) {
    test(`FunctionSession begins where idle micro-VMs fill the address space, and outlives a full one: ${name}, ${executor}`, async () => {
      await using nebula = await createNebulaOn(
        executor === 'worker'
          ? createWorkerExecutor({ threads: 1, spareThreads: 0, memories: 4 })
          : createInThreadExecutor({ memories: 4 }),
      );
      const module = await assemble(name === 'library' ? LIBRARY : WAITING);
      for (let at = 0; at < 4; at++) {
        await nebula.deploy(module, { name: `f${at}` });
        await nebula.fn(`f${at}`).call('count');
      }
      const first = await nebula.fn('f0').session();
      assert.deepEqual([await first.call('count'), await first.call('count')], [11, 22]);
      await first.close();
      // Where Node can suspend a guest each call takes a place for its stack besides.
      if (name === 'waiting') return;
      const sessions: FunctionSession[] = [];
      // Each takes the place of idle ones, until only sessions hold any.
      let full: FunctionSession | undefined;
      while (full === undefined) {
        const session = await nebula.fn('f0').session();
        const value = await session.call('count').catch((error: { code: string }) => error.code);
        if (value === 11) sessions.push(session);
        else {
          assert.equal(value, 'ERR_NEBULA_ADDRESS_SPACE');
          full = session;
        }
        assert.ok(sessions.length <= 4);
      }
      assert.ok(sessions.length > 0);
      assert.equal(full.ending, undefined);
      for (const session of sessions) assert.equal(await session.call('count'), 22);
      await sessions[0]?.close();
      assert.equal(await full.call('count'), 11);
    });
  }
}
