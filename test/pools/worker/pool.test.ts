/** The worker pool around its calls: what waits, in which order, and what comes and goes meanwhile. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outcome } from '../../../host/outcome.ts';
import { createWorkerExecutor } from '../../../pools/worker/pool.ts';
import { define, modulePath, renamed } from '../../definition.ts';
import { runProgram } from '../child.ts';
import { deploy, input, openPool, stdoutOf, until } from '../fixture.ts';

test('invoke() refuses what exceeds queueLength, and takes calls again when there is room', async (context) => {
  const pool = openPool(context, { threads: 1 });
  const spin = await deploy(pool, 'guests/spin-then-answer', { limits: { queueLength: 2 } });
  const calls = [1, 2, 3].map(() => pool.invoke(spin, input('60')));
  await assert.rejects(pool.invoke(spin, input('60')), { code: 'ERR_NEBULA_QUEUE_FULL' });
  assert.equal(pool.stats().waiting, 2);
  for (const outcome of await Promise.all(calls)) assert.equal(outcome.kind, 'ok');
  assert.equal((await pool.invoke(spin, input('1'))).kind, 'ok');
});

test('invoke() of a function whose queueLength is 0 never waits', async (context) => {
  const pool = openPool(context, { threads: 1 });
  const spin = await deploy(pool, 'guests/spin-then-answer');
  const noop = await deploy(pool, 'noop', { limits: { queueLength: 0 } });
  assert.equal((await pool.invoke(noop, input())).kind, 'ok');
  const busy = pool.invoke(spin, input('80'));
  await assert.rejects(pool.invoke(noop, input()), { code: 'ERR_NEBULA_QUEUE_FULL' });
  await busy;
  assert.equal((await pool.invoke(noop, input())).kind, 'ok');
  await pool.undeploy(noop.id);
});

test('invoke() runs no more of a function at once than its concurrency', async (context) => {
  const pool = openPool(context, { threads: 3 });
  const spin = await deploy(pool, 'guests/spin-then-answer', { limits: { concurrency: 1 } });
  const noop = await deploy(pool, 'noop');
  await until('all threads are ready', () => pool.stats().units === 4);
  const watch = { isOn: true };
  const most = (async () => {
    let seen = 0;
    for (; watch.isOn; await new Promise((resolve) => setTimeout(resolve, 1))) {
      seen = Math.max(seen, pool.stats().running);
    }
    return seen;
  })();
  const startedMs = performance.now();
  const calls = [1, 2, 3, 4].map(() => pool.invoke(spin, input('50')));
  await Promise.all(calls);
  watch.isOn = false;
  assert.ok(performance.now() - startedMs >= 200);
  assert.equal(await most, 1);
  assert.equal((await pool.invoke(noop, input())).kind, 'ok');
});

test('invoke() gives functions their turns, however often one of them is called', async (context) => {
  const pool = openPool(context, { threads: 1 });
  const busy = await deploy(pool, 'guests/spin-then-answer');
  const rare = await deploy(pool, 'echo');
  let answered = 0;
  const count = async (outcome: Promise<Outcome>): Promise<void> => {
    await outcome;
    answered++;
  };
  await pool.invoke(busy, input('20'));
  const flood = Array.from({ length: 40 }, () => count(pool.invoke(busy, input('20'))));
  await pool.invoke(rare, input());
  assert.ok(answered <= 3, `${answered} calls of the other function were answered first`);
  await Promise.all(flood);
});

test('deploy() and undeploy() while calls run: each finishes on its version, later ones are refused', async (context) => {
  const pool = openPool(context, { threads: 2 });
  const old = await deploy(pool, 'guests/spin-then-answer');
  const calls = Array.from({ length: 6 }, () => pool.invoke(old, input('30')));
  const gone = [pool.undeploy(old.id), pool.undeploy(old.id)];
  await assert.rejects(pool.invoke(old, input('1')), { code: 'ERR_NEBULA_FUNCTION_NOT_FOUND' });
  for (const outcome of await Promise.all(calls)) assert.equal(stdoutOf(outcome), 'spun for 30 ms\n');
  await Promise.all(gone);
  await assert.rejects(pool.invoke(old, input('1')), { code: 'ERR_NEBULA_FUNCTION_NOT_FOUND' });
  await pool.undeploy(old.id);
});

test('deploy() of version after version under load answers each call by the version it was made for', async (context) => {
  const pool = openPool(context, { threads: 2 });
  const template = await define('f', modulePath('guests/env-dump'));
  const create = (version: number): typeof template => {
    const capabilities = { ...template.capabilities, environment: { VERSION: `${version}` } };
    return { ...template, ...renamed('f'), capabilities };
  };
  let current = create(0);
  await pool.deploy(current);
  const load = { isOn: true };
  const call = async (): Promise<number> => {
    let calls = 0;
    for (; load.isOn; calls++) {
      const expected = current.capabilities.environment['VERSION'];
      const outcome = await pool.invoke(current, input());
      assert.ok(stdoutOf(outcome).includes(`"VERSION" "${expected}"`));
    }
    return calls;
  };
  const callers = Array.from({ length: 8 }, call);
  const retiring: Promise<void>[] = [];
  for (let version = 1; version <= 30; version++) {
    const next = create(version);
    await pool.deploy(next);
    const { id } = current;
    current = next;
    retiring.push(pool.undeploy(id));
  }
  await Promise.all(retiring);
  load.isOn = false;
  const calls = await Promise.all(callers);
  assert.ok(calls.every((count) => count > 0));
});

test('invoke() refuses an input that was given away, at once or while it waited, and nothing else suffers', async (context) => {
  const pool = openPool(context, { threads: 1 });
  const echo = await deploy(pool, 'echo');
  const spin = await deploy(pool, 'guests/spin-then-answer');
  for (let call = 0; call < 20; call++) await pool.invoke(echo, input());
  const given = new Uint8Array(8);
  structuredClone(given, { transfer: [given.buffer] });
  await assert.rejects(pool.invoke(echo, { input: given }), { code: 'ERR_NEBULA_ARGUMENT', name: 'TypeError' });
  // One that is sent behind another is copied when it is sent, one that waits for a thread is not.
  for (const isSent of [false, true, true]) {
    const busy = isSent ? pool.invoke(echo, input('busy')) : pool.invoke(spin, input('50'));
    const later = new TextEncoder().encode('later');
    const waiting = pool.invoke(echo, { input: later });
    const other = pool.invoke(echo, input('other'));
    structuredClone(later, { transfer: [later.buffer] });
    const answer = waiting.then(stdoutOf, (error: unknown) => (error as { code: unknown }).code);
    // On a machine that stood still a call of echo was not quick, and nothing is sent behind one that is not.
    if (isSent) assert.ok(['later', 'ERR_NEBULA_ARGUMENT'].includes(String(await answer)), String(await answer));
    else assert.equal(await answer, 'ERR_NEBULA_ARGUMENT');
    assert.equal(stdoutOf(await other), 'other');
    assert.equal((await busy).kind, 'ok');
  }
  assert.deepEqual([pool.stats().running, pool.stats().waiting, pool.stats().unitsReplaced], [0, 0, 0]);
});

test('invoke() of an input that was given away does not keep the function from the thread it was for', async (context) => {
  const pool = openPool(context, { threads: 2, spareThreads: 0 });
  const [echo, spin] = [await deploy(pool, 'echo'), await deploy(pool, 'guests/spin-then-answer')];
  await until('both threads are ready', () => pool.stats().units === 2);
  for (let round = 0; round < 4; round++) {
    // Whichever thread has what, one of the two is busy each time.
    const busy = pool.invoke(spin, input('40'));
    const given = new Uint8Array(8);
    structuredClone(given, { transfer: [given.buffer] });
    await assert.rejects(pool.invoke(echo, { input: given }), { code: 'ERR_NEBULA_ARGUMENT' });
    assert.equal(stdoutOf(await pool.invoke(echo, input('there'))), 'there');
    await busy;
  }
});

test('close() lets calls finish, refuses new ones, and stops what is left after its time', async (context) => {
  const pool = openPool(context, { threads: 1 });
  const spin = await deploy(pool, 'guests/spin-then-answer');
  const calls = [1, 2, 3].map(() => pool.invoke(spin, input('40')));
  const closing = pool.close(10_000);
  await assert.rejects(pool.invoke(spin, input('1')), { code: 'ERR_NEBULA_CLOSED' });
  await assert.rejects(pool.deploy(spin), { code: 'ERR_NEBULA_CLOSED' });
  for (const outcome of await Promise.all(calls)) assert.equal(outcome.kind, 'ok');
  await closing;
  assert.deepEqual([pool.stats().running, pool.stats().waiting, pool.stats().units], [0, 0, 0]);
  const second = openPool(context, { threads: 1 });
  const forever = await deploy(second, 'guests/forever');
  const [running, waiting] = [second.invoke(forever, input()), second.invoke(forever, input())];
  const retiring = second.undeploy(forever.id);
  const refused = assert.rejects(waiting, { code: 'ERR_NEBULA_CLOSED' });
  await second.close(50);
  assert.equal((await running).kind, 'aborted');
  await refused;
  await retiring;
});

test('close() while functions are deployed answers every deploy', async (context) => {
  const pool = openPool(context, { threads: 1 });
  const noop = await define('noop', modulePath('noop'));
  const deploys = Array.from({ length: 5 }, (_, at) =>
    pool.deploy({ ...noop, ...renamed(`noop-${at}`) }).then(
      () => 'deployed',
      (error: { code?: string }) => error.code,
    ),
  );
  await pool.close(0);
  const allowed = ['deployed', 'ERR_NEBULA_CLOSED', 'ERR_NEBULA_WORKER_LOST'];
  for (const ended of await Promise.all(deploys)) assert.ok(allowed.includes(ended ?? ''), ended);
});

test('close() leaves nothing open, and idle or busy threads end and outlive a process as they should', async () => {
  const program = `
    const pool = createWorkerExecutor({ threads: 1, spareThreads: 0 });
    const forever = await define('forever', modulePath('guests/forever'), { limits: { timeoutMs: 30 } });
    const echo = await define('echo', modulePath('echo'));
    await pool.deploy(forever);
    await pool.deploy(echo);
    // The only thread is stopped and replaced meanwhile: the process must wait for the answer.
    const stopped = pool.invoke(forever, input());
    const outcome = await pool.invoke(echo, input('answered'));
    console.log(new TextDecoder().decode(outcome.stdout), (await stopped).kind);
    if (process.argv.includes('close')) await pool.close(1000);
  `;
  assert.equal(await runProgram(program, 20_000), 'answered timeout\n');
  assert.equal(await runProgram(`process.argv.push('close');${program}`, 20_000), 'answered timeout\n');
});

test('invoke() on a thread that dies is lost, those that wait are not, and another thread takes its place', async () => {
  const program = `
    import { Worker } from 'node:worker_threads';
    const workers = [];
    const { postMessage } = Worker.prototype;
    Worker.prototype.postMessage = function (...given) {
      if (!workers.includes(this)) workers.push(this);
      return postMessage.apply(this, given);
    };
    const pool = createWorkerExecutor({ threads: 1, spareThreads: 0 });
    const forever = await define('forever', modulePath('guests/forever'), { limits: { timeoutMs: 0 } });
    const echo = await define('echo', modulePath('echo'));
    await pool.deploy(forever);
    await pool.deploy(echo);
    for (let round = 0; round < 5; round++) {
      const lost = pool.invoke(forever, input()).catch((error) => error);
      const waiting = pool.invoke(echo, input('waited'));
      while (pool.stats().running === 0) await sleep(5);
      // What a thread has not taken up is not lost with it.
      await sleep(150);
      await workers.pop().terminate();
      const { code, message, retryable } = await lost;
      console.log(code, retryable, new TextDecoder().decode((await waiting).stdout));
    }
    while (pool.stats().units === 0) await sleep(5);
    await workers.pop().terminate();
    console.log(new TextDecoder().decode((await pool.invoke(echo, input('idle')) ).stdout), pool.stats().memories <= 2);
    await pool.close(0);
  `;
  assert.equal(await runProgram(program), `${'ERR_NEBULA_WORKER_LOST true waited\n'.repeat(5)}idle true\n`);
});

test('deploy() on a thread that dies is lost with a typed error, and can be done again', async () => {
  const program = `
    import { Worker } from 'node:worker_threads';
    const workers = new Set();
    const { postMessage } = Worker.prototype;
    Worker.prototype.postMessage = function (...given) {
      workers.add(this);
      return postMessage.apply(this, given);
    };
    const pool = createWorkerExecutor({ threads: 1, spareThreads: 0 });
    const init = { export: 'nebula_init' };
    const endless = await define('init-forever', modulePath('guests/init-forever'), { entry: 'handle', init });
    const deploying = pool.deploy(endless).catch((error) => error.code);
    while (pool.stats().units === 0) await sleep(5);
    await sleep(100);
    for (const worker of [...workers]) await worker.terminate();
    console.log(await deploying);
    const echo = await define('echo', modulePath('echo'));
    await pool.deploy(echo);
    console.log(new TextDecoder().decode((await pool.invoke(echo, input('again'))).stdout));
    await pool.close(0);
  `;
  assert.equal(await runProgram(program), 'ERR_NEBULA_WORKER_LOST\nagain\n');
});

test('createWorkerExecutor() whose threads cannot start refuses deploys and calls, and serves once they can', async () => {
  const program = `
    import { Worker } from 'node:worker_threads';
    const pool = createWorkerExecutor({ threads: 2, spareThreads: 0 });
    const echo = await define('echo', modulePath('echo'));
    await pool.deploy(echo);
    const workers = new Set();
    const { postMessage } = Worker.prototype;
    let isBroken = true;
    // What the thread is told to load as it starts is not there.
    Worker.prototype.postMessage = function (message, ...rest) {
      workers.add(this);
      const told = isBroken && message?.filename !== undefined ? { ...message, filename: '/nowhere/entry.js' } : message;
      return postMessage.call(this, told, ...rest);
    };
    const forever = await define('forever', modulePath('guests/forever'), { limits: { timeoutMs: 30 } });
    await pool.deploy(forever);
    const calls = [1, 2, 3, 4].map(() => pool.invoke(forever, input()).then(({ kind }) => kind, (error) => error.code));
    console.log((await Promise.all(calls)).toSorted().join(' '));
    console.log(await pool.invoke(echo, input()).catch((error) => error.code));
    console.log(await pool.deploy(echo).catch((error) => error.code));
    isBroken = false;
    for (let attempt = 0; ; attempt++) {
      const answer = await pool.invoke(echo, input('back')).catch(() => undefined);
      if (answer !== undefined) {
        console.log(new TextDecoder().decode(answer.stdout));
        break;
      }
      await sleep(50);
    }
    await pool.close(0);
  `;
  const lost = 'ERR_NEBULA_WORKER_LOST';
  assert.equal(await runProgram(program, 30_000), `${lost} ${lost} timeout timeout\n${lost}\n${lost}\nback\n`);
});

test('createWorkerExecutor() that is never used costs no process its end', async () => {
  assert.equal(await runProgram('createWorkerExecutor({ threads: 2 });', 20_000), '');
  await createWorkerExecutor({ threads: 1 }).close(0);
});

test('stats() tells how many micro-VMs were put back, and how long it took, threads that are gone included', async (context) => {
  const pool = openPool(context, { threads: 1 });
  const noop = await deploy(pool, 'noop');
  const forever = await deploy(pool, 'guests/forever', { limits: { timeoutMs: 50 } });
  assert.deepEqual([pool.stats().restores, pool.stats().restoresNs], [0, 0]);
  for (let call = 1; call <= 3; call++) {
    await pool.invoke(noop, input());
    await until('the micro-VM is put back', () => pool.stats().restores === call);
  }
  const { restoresNs } = pool.stats();
  assert.ok(restoresNs > 0 && restoresNs < 1e9, `${restoresNs} ns`);
  assert.equal((await pool.invoke(forever, input())).kind, 'timeout');
  await pool.invoke(noop, input());
  await until('another thread has put one back', () => pool.stats().restores === 4);
  assert.ok(pool.stats().restoresNs > restoresNs);
});
