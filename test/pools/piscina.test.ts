/** What went wrong in Piscina around aborted tasks and ended pools, tried on the pool that is built on it. */

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { runProgram } from './child.ts';
import { deploy, deployMany, input, openPool, stdoutOf, until } from './fixture.ts';

function threadsOfProcess(): number {
  return readdirSync('/proc/self/task').length;
}

const LINUX_ONLY = { skip: process.platform === 'linux' ? false : 'threads are counted in /proc' };

// github.com/piscinajs/piscina/issues/788
test('invoke() with aborts leaves no orphaned thread', LINUX_ONLY, async (context) => {
  const pool = openPool(context, { threads: 3, spareThreads: 1 });
  const versions = await deployMany(pool, 'guests/spin-then-answer', 5);
  await until('all threads are ready', () => pool.stats().units === 4);
  // What has answered before may have all threads at once.
  for (const spin of versions) assert.equal((await pool.invoke(spin, input('0'))).kind, 'ok');
  const before = threadsOfProcess();
  for (const spin of versions) {
    const controller = new AbortController();
    const calls = Array.from({ length: 6 }, () => pool.invoke(spin, input('600000'), controller.signal));
    await until('three run', () => pool.stats().running === 3);
    controller.abort();
    for (const outcome of await Promise.all(calls)) assert.equal(outcome.kind, 'aborted');
    await until('all threads are back', () => pool.stats().units === 4);
  }
  await until('ended threads are gone', () => threadsOfProcess() <= before);
  await pool.close(0);
  await until('all are gone', () => threadsOfProcess() <= before - 4);
});

// github.com/piscinajs/piscina/issues/805
test('invoke() starts later calls after one that waits and one that runs were aborted, in this order', async (context) => {
  const pool = openPool(context, { threads: 1, spareThreads: 0 });
  const forever = await deploy(pool, 'guests/forever');
  const echo = await deploy(pool, 'echo');
  const controllers = [new AbortController(), new AbortController()];
  const [first, second] = controllers.map(({ signal }) => pool.invoke(forever, input(), signal));
  const third = pool.invoke(echo, input('third'));
  controllers[1]?.abort();
  controllers[0]?.abort();
  assert.deepEqual([(await first)?.kind, (await second)?.kind], ['aborted', 'aborted']);
  assert.equal(stdoutOf(await third), 'third');
});

// github.com/piscinajs/piscina/issues/934
test('invoke() that is aborted ends no other call, not even one sent to the same thread', async (context) => {
  const pool = openPool(context, { threads: 1, spareThreads: 1 });
  const versions = await deployMany(pool, 'guests/forever', 10);
  const echo = await deploy(pool, 'echo');
  for (let call = 0; call < 20; call++) await pool.invoke(echo, input());
  for (const [round, forever] of versions.entries()) {
    const controller = new AbortController();
    const before = Array.from({ length: 5 }, (_, at) => pool.invoke(echo, input(`before ${at}`)));
    const aborted = pool.invoke(forever, input(), controller.signal);
    const after = Array.from({ length: 5 }, (_, at) => pool.invoke(echo, input(`after ${at}`)));
    if (round % 2 === 0) await before[0];
    controller.abort();
    assert.equal((await aborted).kind, 'aborted');
    for (const [at, outcome] of (await Promise.all(before)).entries()) assert.equal(stdoutOf(outcome), `before ${at}`);
    for (const [at, outcome] of (await Promise.all(after)).entries()) assert.equal(stdoutOf(outcome), `after ${at}`);
  }
});

// github.com/piscinajs/piscina/issues/427 and its repair, 430
test(
  'close() starts no thread again, called twice, with guests that run, at once after a start',
  LINUX_ONLY,
  async () => {
    const program = `
    import { readdirSync } from 'node:fs';
    const forever = await define('forever', modulePath('guests/forever'));
    const threads = () => readdirSync('/proc/self/task').length;
    const before = threads();
    for (let round = 0; round < 6; round++) {
      const pool = createWorkerExecutor({ threads: 3, spareThreads: 1 });
      const calls = [];
      if (round > 1) {
        await pool.deploy(forever);
        for (let call = 0; call < 4; call++) calls.push(pool.invoke(forever, input()).catch((error) => error));
      }
      if (round > 3) await sleep(20);
      await Promise.all([pool.close(0), pool.close(0)]);
      await pool.close(0);
      await Promise.all(calls);
    }
    await sleep(50);
    if (threads() > before) console.log(threads() + ' threads, ' + before + ' before');
  `;
    assert.equal(await runProgram(program), '');
  },
);

test('close() ends threads at any moment of their start without ending the process', async () => {
  const program = `
    const noop = await define('noop', modulePath('noop'));
    for (let round = 0; round < 24; round++) {
      const pool = createWorkerExecutor({ threads: 2, spareThreads: 1 });
      await sleep(round * 4);
      const deploying = pool.deploy(noop).then(() => 'ok', (error) => error.code);
      await sleep(round % 4);
      await pool.close(0);
      const ended = await deploying;
      if (ended !== 'ok' && ended !== 'ERR_NEBULA_CLOSED' && ended !== 'ERR_NEBULA_WORKER_LOST') console.log(ended);
    }
  `;
  assert.equal(await runProgram(program), '');
});

test('invoke() may be stopped at any moment of its first run in a thread', async () => {
  const program = `
    const lookup = await define('lookup', modulePath('lookup'), { entry: 'handle', init: { export: 'nebula_init' } });
    const pool = createWorkerExecutor({ threads: 2, spareThreads: 1 });
    const seen = new Set();
    for (let round = 0; round < 60; round++) {
      const timeoutMs = 1 + (round % 12);
      // A version that kept ending its threads would be paused.
      const version = { ...lookup, ...renamed('lookup') };
      await pool.deploy(version);
      const outcomes = await Promise.all([1, 2, 3, 4].map(() => pool.invoke(version, { ...input('1'), timeoutMs })));
      await pool.undeploy(version.id);
      for (const { kind } of outcomes) seen.add(kind);
    }
    for (const kind of seen) if (kind !== 'ok' && kind !== 'timeout') console.log(kind);
    await pool.close(1000);
  `;
  assert.equal(await runProgram(program), '');
});
