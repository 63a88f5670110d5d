/** Deadlines and aborts: a guest that never ends is stopped in time, and nobody else notices. */

import assert from 'node:assert/strict';
import { getEventListeners, once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { runTimeMs, TimedCall } from '../../pools/deadline.ts';
import { countFds, skip } from '../host/filesystem/machine-fixture.ts';
import { deploy, deployMany, input, median, openPool, stdoutOf, until } from './fixture.ts';

/** Milliseconds a timer of the same length is late by now: what the machine itself adds. */
async function latenessMs(delayMs: number): Promise<number> {
  const startedMs = performance.now();
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  return performance.now() - startedMs - delayMs;
}

/** Milliseconds a thread takes to start now, with nothing of Nebula in it. */
async function threadStartMs(): Promise<number> {
  const startedMs = performance.now();
  const worker = new Worker('require("node:worker_threads").parentPort.once("message", () => {})', { eval: true });
  await once(worker, 'online');
  const tookMs = performance.now() - startedMs;
  await worker.terminate();
  return tookMs;
}

function shown(valuesMs: readonly number[]): string {
  return valuesMs.map((value) => value.toFixed(1)).join(' ');
}

test("runTimeMs() is the limit, or what the wait left of its caller's time if that is less", () => {
  assert.equal(runTimeMs(undefined, 400, 5_000), 400);
  assert.equal(runTimeMs(0, 400, 5_000), 400);
  assert.equal(runTimeMs(300, 400, 0), 300);
  assert.equal(runTimeMs(300, 400, 100), 200);
  assert.equal(runTimeMs(900, 400, 100), 400);
  assert.equal(runTimeMs(300, 0, 100), 200);
  assert.equal(runTimeMs(undefined, 0, 100), 0);
  assert.equal(runTimeMs(300, 400, 1_000), 1, 'one whose time is up has no time, which is not without end');
  assert.equal(runTimeMs(300, 0, 300), 1);
});

/** What ended a call, and how many times it was told. */
async function toldOf(timeoutMs: number, limitMs: number, waitMs: number, quietMs: number): Promise<number[]> {
  const told: number[] = [];
  const call = new TimedCall({ limits: { timeoutMs: limitMs } }, { ...input(), timeoutMs });
  for (const endMs = performance.now() + waitMs; performance.now() < endMs; ) continue;
  call.begin((timed, endedMs) => {
    assert.equal(timed, call);
    told.push(endedMs);
  });
  await new Promise((resolve) => setTimeout(resolve, quietMs));
  call.halt();
  return told;
}

test("TimedCall.begin() ends a call whose caller's time was up when its guest was started", async () => {
  assert.deepEqual(await toldOf(5, 0, 10, 30), [5], 'it cannot have been ended before: it was being taken up');
  assert.deepEqual(await toldOf(5, 60_000, 10, 30), [5]);
});

test("TimedCall.begin() leaves a call to its caller's time where that is up first, and else starts the limit", async () => {
  assert.deepEqual(await toldOf(60_000, 0, 0, 30), []);
  assert.deepEqual(await toldOf(10_000, 60_000, 0, 30), [], 'expect() has started that time');
  assert.deepEqual(await toldOf(60_000, 10, 0, 60), [10]);
  assert.deepEqual(await toldOf(0, 10, 0, 60), [10]);
  assert.deepEqual(await toldOf(0, 0, 0, 30), []);
});

test('TimedCall.linger() puts a grace in place of the limit, and halt() ends both', async () => {
  const told: string[] = [];
  const call = new TimedCall({ limits: { timeoutMs: 20 } }, input());
  call.begin(() => told.push('limit'));
  call.linger(10, () => told.push('grace'));
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.deepEqual(told, ['grace']);
  call.begin(() => told.push('limit'));
  call.halt();
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.deepEqual(told, ['grace']);
});

test('invoke() stops a guest when its time is up, while others go on and the next call finds a spare', async (context) => {
  const pool = openPool(context);
  const versions = await deployMany(pool, 'guests/forever', 7, { limits: { timeoutMs: 100 } });
  const noop = await deploy(pool, 'noop');
  const lateMs: number[] = [];
  const [othersMs, guestsMs]: [number[], number[]] = [[], []];
  for (const forever of versions) {
    await until('all threads are ready', () => pool.stats().units === 3);
    await Promise.all(Array.from({ length: 20 }, () => pool.invoke(noop, input())));
    const load = { isOn: true };
    const others = (async () => {
      while (load.isOn) {
        const startedMs = performance.now();
        assert.equal((await pool.invoke(noop, input())).kind, 'ok');
        othersMs.push(performance.now() - startedMs);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    })();
    const startedMs = performance.now();
    const [outcome, controlMs] = await Promise.all([
      pool.invoke(forever, input()).finally(() => guestsMs.push(performance.now() - startedMs)),
      latenessMs(100),
    ]);
    assert.equal(outcome.kind, 'timeout');
    lateMs.push((guestsMs.at(-1) ?? 0) - 100 - Math.max(0, controlMs));
    load.isOn = false;
    await others;
  }
  // Its timer is as late as any other of the same time; what it is later than that is the stop. On a busy machine both vary.
  assert.ok(Math.min(...lateMs) < 20, `late by ${shown(lateMs)} ms`);
  // Others that waited for the guest would take the whole of its time, each time.
  assert.ok(median(othersMs) < median(guestsMs), `the others took ${shown(othersMs)} ms`);
  assert.ok(othersMs.length > 2 * versions.length, `${othersMs.length} calls of others were answered`);
  assert.equal(pool.stats().unitsReplaced, 7);
});

test('invoke() after a timeout finds the spare thread, also when it waited in the queue', async (context) => {
  const pool = openPool(context, { threads: 1, spareThreads: 1 });
  const versions = await deployMany(pool, 'guests/forever', 9, { limits: { timeoutMs: 50 } });
  const noop = await deploy(pool, 'noop');
  const waitsMs: number[] = [];
  const startsMs: number[] = [];
  for (const forever of versions) {
    await until('all threads are ready', () => pool.stats().units === 2);
    const stopped = pool.invoke(forever, input());
    const queued = pool.invoke(noop, input());
    assert.equal((await stopped).kind, 'timeout');
    const stoppedMs = performance.now();
    assert.equal((await queued).kind, 'ok');
    waitsMs.push(performance.now() - stoppedMs);
    startsMs.push(await threadStartMs());
  }
  // One that waited for a new thread would wait longer than an empty one takes to start, each time.
  const quicker = waitsMs.filter((waitMs, round) => waitMs < (startsMs[round] ?? 0)).length;
  assert.ok(quicker > 0, `waited ${shown(waitsMs)} ms after the stop, a thread starts in ${shown(startsMs)} ms`);
});

test('invoke() answers every call when all threads are stopped at once', async (context) => {
  const pool = openPool(context, { threads: 3, spareThreads: 0 });
  const versions = await deployMany(pool, 'guests/forever', 4, { limits: { timeoutMs: 40 } });
  const echo = await deploy(pool, 'echo');
  for (const forever of versions) {
    const stopped = Array.from({ length: 3 }, () => pool.invoke(forever, input()));
    const answered = Array.from({ length: 9 }, (_, at) => pool.invoke(echo, input(`${at}`)));
    for (const outcome of await Promise.all(stopped)) assert.equal(outcome.kind, 'timeout');
    assert.deepEqual((await Promise.all(answered)).map(stdoutOf), ['0', '1', '2', '3', '4', '5', '6', '7', '8']);
  }
  await until('the threads are back', () => pool.stats().units === 3);
});

test('invoke() of quick calls is not held back by a guest of the same thread that never ends', async (context) => {
  const pool = openPool(context, { threads: 1, spareThreads: 0 });
  const versions = await deployMany(pool, 'guests/forever', 5, { limits: { timeoutMs: 1_000 } });
  const noop = await deploy(pool, 'noop');
  const rounds: string[] = [];
  for (const forever of versions) {
    for (let call = 0; call < 20; call++) await pool.invoke(noop, input());
    const ended: string[] = [];
    const quick = Array.from({ length: 2 }, async () => ended.push((await pool.invoke(noop, input())).kind));
    const stopped = pool.invoke(forever, input()).then(({ kind }) => ended.push(kind));
    await Promise.all([...quick, stopped]);
    rounds.push(ended.join(' '));
    // Where the machine has made a quick one seem long, the second is not sent behind the first.
    if (rounds.at(-1) === 'ok ok timeout') return;
  }
  assert.fail(rounds.join(', '));
});

test('invoke() ends a call that waits when the time its caller gave is up', async (context) => {
  const pool = openPool(context, { threads: 1 });
  const spin = await deploy(pool, 'guests/spin-then-answer');
  const noop = await deploy(pool, 'noop');
  let isFirstEnded = false;
  const first = pool.invoke(spin, input('3000')).finally(() => (isFirstEnded = true));
  const waiting = await pool.invoke(noop, { ...input(), timeoutMs: 50 });
  assert.deepEqual([waiting.kind, waiting.kind === 'timeout' && waiting.timeoutMs], ['timeout', 50]);
  assert.equal(isFirstEnded, false, 'it ends while the one before it runs');
  assert.equal(waiting.phases.run, 0);
  assert.ok(waiting.phases.queue >= 45e6, `${waiting.phases.queue} ns`);
  assert.equal(pool.stats().waiting, 0);
  assert.equal(stdoutOf(await first), 'spun for 3000 ms\n');
  assert.equal(pool.stats().unitsReplaced, 0);
});

test("invoke() counts the caller's time from the call on, and the limit from the start", async (context) => {
  const pool = openPool(context, { threads: 1 });
  const spin = await deploy(pool, 'guests/spin-then-answer', { limits: { timeoutMs: 4_000 } });
  const first = pool.invoke(spin, input('1500'));
  const second = pool.invoke(spin, input('3000'));
  const third = pool.invoke(spin, { ...input('60000'), timeoutMs: 6_000 });
  assert.equal((await first).kind, 'ok');
  assert.equal((await second).kind, 'ok', 'the wait for the first is no part of its limit');
  const outcome = await third;
  assert.equal(outcome.kind === 'timeout' && outcome.timeoutMs, 6_000);
  assert.ok(outcome.phases.run < outcome.phases.queue, 'it ran for what the wait left of its time');
});

test('invoke() without a limit is stopped by the time its caller gave only', async (context) => {
  const pool = openPool(context, { threads: 1 });
  const forever = await deploy(pool, 'guests/forever', { limits: { timeoutMs: 0 } });
  assert.equal((await pool.invoke(forever, { ...input(), timeoutMs: 40 })).kind, 'timeout');
});

test('invoke() with a signal is aborted before, while it waits and while it runs, and lets go of the signal', async (context) => {
  const pool = openPool(context, { threads: 1 });
  const forever = await deploy(pool, 'guests/forever');
  const noop = await deploy(pool, 'noop');
  assert.equal((await pool.invoke(noop, input(), AbortSignal.abort())).kind, 'aborted');
  const [running, waiting] = [new AbortController(), new AbortController()];
  const run = pool.invoke(forever, input(), running.signal);
  const wait = pool.invoke(noop, input(), waiting.signal);
  await until('one runs', () => pool.stats().running === 1);
  waiting.abort();
  const waited = await wait;
  assert.deepEqual([waited.kind, waited.phases.run], ['aborted', 0]);
  assert.equal(pool.stats().unitsReplaced, 0);
  running.abort();
  const ran = await run;
  assert.equal(ran.kind, 'aborted');
  assert.ok(ran.phases.run > 0);
  const { signal } = new AbortController();
  assert.equal((await pool.invoke(noop, input(), signal)).kind, 'ok');
  for (const used of [running.signal, waiting.signal, signal]) assert.equal(getEventListeners(used, 'abort').length, 0);
});

test('invoke() answers what was asked before when an abort comes with the answer', async (context) => {
  const pool = openPool(context, { threads: 2 });
  const noop = await deploy(pool, 'noop');
  const kinds = new Set<string>();
  for (let call = 0; call < 300; call++) {
    const controller = new AbortController();
    const outcome = pool.invoke(noop, input(), controller.signal);
    const delayMs = (call % 10) / 50;
    const endMs = performance.now() + delayMs;
    while (performance.now() < endMs) continue;
    setImmediate(() => controller.abort());
    kinds.add((await outcome).kind);
  }
  for (const kind of kinds) assert.ok(kind === 'ok' || kind === 'aborted', kind);
  assert.equal((await pool.invoke(noop, input())).kind, 'ok');
  await until('the threads are back', () => pool.stats().units === 3);
  assert.deepEqual([pool.stats().running, pool.stats().waiting], [0, 0]);
});

test('invoke() that is aborted costs no thread where its guest ends by itself soon', async (context) => {
  const pool = openPool(context, { threads: 1, spareThreads: 0 });
  // An answer that is lost is found at the deadline of its call.
  const echo = await deploy(pool, 'echo', { limits: { timeoutMs: 600_000 } });
  for (let call = 0; call < 20; call++) await pool.invoke(echo, input());
  for (let call = 0; call < 1_000; call++) {
    const controller = new AbortController();
    const aborted = pool.invoke(echo, input('aborted'), controller.signal);
    const behind = pool.invoke(echo, input(`behind ${call}`));
    // Before it is taken up, while it runs, while the one behind it runs.
    for (const endMs = performance.now() + (call % 20) / 100; performance.now() < endMs; ) continue;
    controller.abort();
    const { kind } = await aborted;
    assert.ok(kind === 'aborted' || kind === 'ok', kind);
    assert.equal(stdoutOf(await behind), `behind ${call}`);
  }
  const { unitsReplaced } = pool.stats();
  // Where each abort of a call that runs costs its thread, hundreds are. The machine may stop a thread for as long as a grace lasts.
  assert.ok(unitsReplaced < 5, `${unitsReplaced} threads were ended`);
});

test('invoke() that is aborted in a thread that has just started costs that no more than later', async (context) => {
  const pool = openPool(context, { threads: 1, spareThreads: 0 });
  const versions = await deployMany(pool, 'echo', 40, { limits: { timeoutMs: 600_000 } });
  for (const [at, echo] of versions.entries()) {
    // The one thread has it from being deployed, or is given it now.
    await pool.invoke(echo, input());
    const controller = new AbortController();
    const aborted = pool.invoke(echo, input('aborted'), controller.signal);
    for (const endMs = performance.now() + at / 20; performance.now() < endMs; ) continue;
    controller.abort();
    await aborted;
    assert.equal(stdoutOf(await pool.invoke(echo, input('next'))), 'next');
  }
  assert.ok(pool.stats().unitsReplaced < 3, `${pool.stats().unitsReplaced} threads were ended`);
});

test('invoke() that is aborted stops a guest that was quick before and is not now', async (context) => {
  const pool = openPool(context, { threads: 1, spareThreads: 0 });
  const spin = await deploy(pool, 'guests/spin-then-answer');
  for (let call = 0; call < 20; call++) await pool.invoke(spin, input('0'));
  // One that is aborted before its thread has taken it up is taken back.
  for (let call = 0; call < 1_000 && pool.stats().unitsReplaced === 0; call++) {
    const controller = new AbortController();
    const spinning = pool.invoke(spin, input('600000'), controller.signal);
    const behind = pool.invoke(spin, input('1'));
    await until('it runs', () => pool.stats().running === 1);
    controller.abort();
    assert.equal((await spinning).kind, 'aborted');
    assert.equal(stdoutOf(await behind), 'spun for 1 ms\n');
  }
  assert.equal(pool.stats().unitsReplaced, 1);
  await until('nothing runs', () => pool.stats().running === 0);
});

test('invoke() that loses a thread leaves none of its mounts and files open', { skip }, async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'nebula-deadline-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const pool = openPool(context, { threads: 1, spareThreads: 1 });
  const mounts = [{ guest: '/data', machine: folder, access: 'read-only' as const }];
  const given = { limits: { timeoutMs: 20 }, capabilities: { mounts } };
  for (const forever of await deployMany(pool, 'guests/forever', 8, given))
    assert.equal((await pool.invoke(forever, input())).kind, 'timeout');
  // The threads that are there now may each have it open once.
  await until('the fds of ended threads are closed', () => countFds(folder) <= 2);
});
