import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import { loadLibc } from '../../../../host/linux/libc.ts';
import { TimeSource } from '../../../../host/capabilities/clocks/time-source.ts';
import { CLOCKID } from '../../../../host/wasi/clock-id.ts';

const { realtime, monotonic, processCputime, threadCputime } = CLOCKID;
const skip: boolean = loadLibc() === undefined;

test('TimeSource tells the time of the machine, finer than milliseconds', () => {
  const real = new TimeSource({ kind: 'real' });
  const before = BigInt(Date.now() - 5) * 1_000_000n;
  const now = real.nowNs(realtime);
  assert.ok(now >= before && now <= BigInt(Date.now() + 5) * 1_000_000n);
  const fractions = Array.from({ length: 20 }, () => real.nowNs(realtime) % 1_000_000n);
  assert.ok(new Set(fractions).size > 10);
});

test('TimeSource: the monotonic clock never goes back and processor time grows with work', () => {
  const real = new TimeSource({ kind: 'real' });
  let last = 0n;
  for (let i = 0; i < 1000; i++) {
    const now = real.nowNs(monotonic);
    assert.ok(now >= last);
    last = now;
  }
  for (const clock of [processCputime, threadCputime]) {
    const start = real.nowNs(clock);
    for (const end = Date.now() + 15; Date.now() < end; );
    assert.ok(real.nowNs(clock) > start);
  }
});

test('TimeSource: processor time is exact and leaves out what other threads use', { skip }, async () => {
  const real = new TimeSource({ kind: 'real' });
  const busy = new Worker('for (const end = Date.now() + 300; Date.now() < end; );', { eval: true });
  const ended = once(busy, 'exit');
  await once(busy, 'online');
  for (const clock of [processCputime, threadCputime]) {
    const start = real.nowNs(clock);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    assert.ok(real.nowNs(clock) - start < 50_000_000n);
    const fractions = Array.from({ length: 20 }, () => real.nowNs(clock) % 1000n);
    assert.ok(new Set(fractions).size > 5);
  }
  await ended;
});

test('TimeSource shows whole grains only where it is coarse, and says so', () => {
  const real = new TimeSource({ kind: 'real' });
  const coarse = new TimeSource({ kind: 'coarse', grainNs: 100_000_000 });
  for (const clock of Object.values(CLOCKID)) {
    assert.equal(coarse.nowNs(clock) % 100_000_000n, 0n);
    assert.equal(coarse.resolutionNs(clock), 100_000_000n);
  }
  assert.equal(real.resolutionNs(monotonic), 1n);
  for (const clock of [processCputime, threadCputime]) assert.equal(real.resolutionNs(clock), skip ? 1000n : 1n);
});

test('TimeSource stands still where it is fixed, to parts of a millisecond', () => {
  const fixed = new TimeSource({ kind: 'fixed', epochMs: 1_700_000_000_123.25 });
  for (const clock of Object.values(CLOCKID)) assert.equal(fixed.nowNs(clock), 1_700_000_000_123_250_000n);
});

test('TimeSource has no clock beyond those of WASI', () => {
  for (const source of [new TimeSource({ kind: 'real' }), new TimeSource({ kind: 'fixed', epochMs: 1 })]) {
    assert.equal(source.nowNs(threadCputime + 1), -1n);
    assert.equal(source.resolutionNs(threadCputime + 1), -1n);
  }
});

const MS = 1_000_000n;

interface Machine {
  wallMs: number;
  monotonicNs: bigint;
}

/** The machine's clocks as the test has them. */
function machine(t: TestContext): Machine {
  const told: Machine = { wallMs: 1_000_000, monotonicNs: 5n * MS };
  t.mock.method(Date, 'now', () => told.wallMs);
  t.mock.method(process.hrtime, 'bigint', () => told.monotonicNs);
  return told;
}

test('TimeSource.nowNs() keeps its offset up to 2 ms beside the wall clock, so that realtime is finer than it', (t) => {
  const told = machine(t);
  const source = new TimeSource({ kind: 'real' });
  const startNs = source.nowNs(CLOCKID.realtime);
  assert.equal(startNs, 1_000_000n * MS);
  told.monotonicNs += 2n * MS;
  assert.equal(source.nowNs(CLOCKID.realtime), startNs + 2n * MS);
  told.monotonicNs += 1n;
  assert.equal(source.nowNs(CLOCKID.realtime), startNs, 'off by more: the wall clock holds');
});

test('TimeSource.nowNs() follows a wall clock that was set, forwards and back', (t) => {
  const told = machine(t);
  const source = new TimeSource({ kind: 'real' });
  source.nowNs(CLOCKID.realtime);
  for (const wallMs of [1_000_002, 1_000_005, 2_000_000, 999_000]) {
    told.wallMs = wallMs;
    const expected = wallMs === 1_000_002 ? 1_000_000n : BigInt(wallMs);
    assert.equal(source.nowNs(CLOCKID.realtime), expected * MS, `${wallMs}`);
  }
});
