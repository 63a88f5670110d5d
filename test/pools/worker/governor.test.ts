/** The address space: what does not fit is evicted, waits or is refused, and comes back when it is given up. */

import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { test } from 'node:test';
import type { FunctionDefinition } from '../../../host/definition/definition.ts';
import type { Executor } from '../../../pools/executor.ts';
import { createInThreadExecutor } from '../../../pools/in-thread/executor.ts';
import { define, modulePath, renamed } from '../../definition.ts';
import { deploy, input, openPool, stdoutOf, until } from '../fixture.ts';

async function deployMany(executor: Executor, count: number): Promise<FunctionDefinition[]> {
  const template = await define('echo', modulePath('echo'));
  const definitions = Array.from({ length: count }, (_, at) => ({ ...template, ...renamed(`echo-${at}`) }));
  for (const definition of definitions) await executor.deploy(definition);
  return definitions;
}

/** Calls every function, some at once, and answers the highest number of memories seen. */
async function callAll(
  executor: Executor,
  definitions: readonly FunctionDefinition[],
  atOnce: number,
): Promise<number> {
  let most = 0;
  const waiting = definitions[Symbol.iterator]();
  const call = async (): Promise<void> => {
    for (const definition of waiting) {
      assert.equal(stdoutOf(await executor.invoke(definition, input(definition.name))), definition.name);
      most = Math.max(most, executor.stats().memories);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, call));
  return most;
}

test('invoke() of 20 functions with room for 6 memories evicts what was not used of late, in this thread', async (context) => {
  const executor = createInThreadExecutor({ memories: 6 });
  context.after(() => executor.close(0));
  const definitions = await deployMany(executor, 20);
  for (let round = 0; round < 3; round++) {
    for (const definition of definitions) {
      assert.equal(stdoutOf(await executor.invoke(definition, input('x'))), 'x');
      assert.ok(executor.stats().memories <= 6);
    }
  }
  const [first] = definitions as [FunctionDefinition];
  await executor.invoke(first, input());
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal((await executor.invoke(first, input())).start, 'restored', 'what is used stays');
});

test('invoke() of 20 functions with room for 6 memories evicts what was not used of late, on threads', async (context) => {
  const pool = openPool(context, { threads: 2, memories: 6 });
  const definitions = await deployMany(pool, 20);
  for (let round = 0; round < 3; round++) {
    for (const atOnce of [1, 8]) assert.ok((await callAll(pool, definitions, atOnce)) <= 6);
  }
});

test('invoke() is refused with ADDRESS_SPACE when nothing can be evicted, and answered when it can', async (context) => {
  const pool = openPool(context, { threads: 2, spareThreads: 0, memories: 1 });
  const forever = await deploy(pool, 'guests/forever');
  const echo = await deploy(pool, 'echo');
  const controller = new AbortController();
  const running = pool.invoke(forever, input(), controller.signal);
  await until('it runs', () => pool.stats().running === 1);
  await assert.rejects(pool.invoke(echo, input('no room')), { code: 'ERR_NEBULA_ADDRESS_SPACE', retryable: true });
  controller.abort();
  assert.equal((await running).kind, 'aborted');
  await until('the thread is back', () => pool.stats().units === 2);
  assert.equal(stdoutOf(await pool.invoke(echo, input('room'))), 'room');
});

test('invoke() with room for none is refused in this thread and on threads', async (context) => {
  for (const executor of [createInThreadExecutor({ memories: 0 }), openPool(context, { threads: 1, memories: 0 })]) {
    const echo = await deploy(executor, 'echo');
    await assert.rejects(executor.invoke(echo, input()), { code: 'ERR_NEBULA_ADDRESS_SPACE' });
    await executor.close(0);
  }
});

test('close() ends a call that waits for room', async (context) => {
  for (const delayMs of [0, 1, 5, 20, 60]) {
    const pool = openPool(context, { threads: 1, memories: 0 });
    const echo = await deploy(pool, 'echo');
    const ended = pool.invoke(echo, input()).then(
      ({ kind }) => kind,
      (error: { code: string }) => error.code,
    );
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    await pool.close(0);
    const how = await ended;
    assert.ok(
      ['aborted', 'ERR_NEBULA_CLOSED', 'ERR_NEBULA_ADDRESS_SPACE', 'ERR_NEBULA_WORKER_LOST'].includes(how),
      how,
    );
  }
});

const paused = (error: { code: string }): void => assert.equal(error.code, 'ERR_NEBULA_FUNCTION_PAUSED');

test('stats() counts no memory of threads that were stopped', async (context) => {
  const pool = openPool(context, { threads: 2, memories: 8 });
  const forever = await deploy(pool, 'guests/forever', { limits: { timeoutMs: 15 } });
  const definitions = await deployMany(pool, 3);
  for (let round = 0; round < 25; round++) {
    // After some rounds it is given pauses, since it costs a thread each time.
    const calls = [pool.invoke(forever, input()).catch(paused), ...definitions.map((one) => pool.invoke(one, input()))];
    await Promise.all(calls);
  }
  assert.ok(pool.stats().unitsReplaced >= 3);
  await until('all threads are back', () => pool.stats().units === 3);
  assert.ok(pool.stats().memories <= 8);
  await callAll(pool, definitions, 2);
});

test('invoke() may trap and grow 5,000 times without exhausting the address space', { timeout: 300_000 }, async () => {
  const executor = createInThreadExecutor({ memories: 60 });
  const trap = await deploy(executor, 'guests/trap-unreachable');
  const grow = await deploy(executor, 'guests/grow-forever', { limits: { memoryBytes: 2 * 1024 * 1024 } });
  for (let call = 0; call < 5000; call++) {
    const isTrap = call % 10 !== 0;
    const { kind } = await executor.invoke(isTrap ? trap : grow, input());
    assert.equal(kind, isTrap ? 'trap' : 'limit');
    if (call % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(executor.stats().memories <= 60);
  }
  await executor.close(0);
});

function memfds(): number {
  const fds = readdirSync('/proc/self/fd');
  return fds.filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('/memfd:nebula');
    } catch {
      // The descriptor of the listing itself is gone by now.
      return false;
    }
  }).length;
}

const LINUX_ONLY = { skip: process.platform === 'linux' ? false : 'descriptors are counted in /proc' };

test(
  'undeploy() and close() give back every descriptor, on threads and in this thread',
  LINUX_ONLY,
  async (context) => {
    const before = memfds();
    for (const executor of [openPool(context, { threads: 2 }), createInThreadExecutor()]) {
      const template = await define('lookup', modulePath('lookup'), {
        entry: 'handle',
        init: { export: 'nebula_init' },
      });
      for (let cycle = 0; cycle < 15; cycle++) {
        const definition = { ...template, ...renamed('lookup') };
        await executor.deploy(definition);
        const calls = Array.from({ length: 5 }, () => executor.invoke(definition, input('1')));
        const gone = cycle % 2 === 0 ? undefined : executor.undeploy(definition.id);
        await Promise.allSettled(calls);
        await (gone ?? executor.undeploy(definition.id));
      }
      await until('the images are closed', () => memfds() === before);
      await executor.deploy({ ...template, ...renamed('lookup') });
      assert.ok(memfds() >= before);
      await Promise.all([executor.close(0), executor.close(0)]);
      assert.equal(memfds(), before);
    }
  },
);
