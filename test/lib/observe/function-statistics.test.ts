import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALL_PHASES, NO_PHASES, type Phases } from '../../../host/phases.ts';
import { FunctionStatistics } from '../../../lib/observe/function-statistics.ts';
import { makeOutcome } from '../fake-executor.ts';
import { CALL } from './call.ts';

function withPhases(phases: Partial<Phases>): ReturnType<typeof makeOutcome> {
  return makeOutcome({ phases: { ...NO_PHASES, ...phases } });
}

test('FunctionStatistics.end() counts by outcome, and failures apart', () => {
  const statistics = new FunctionStatistics();
  statistics.end(CALL, makeOutcome());
  statistics.end(CALL, makeOutcome());
  statistics.end(CALL, makeOutcome({ kind: 'trap', reason: 'unreachable', message: 'x' }));
  statistics.fail();
  assert.deepEqual(statistics.read('f').outcomes, {
    ok: 2,
    exit: 0,
    trap: 1,
    timeout: 0,
    limit: 0,
    denied: 0,
    aborted: 0,
    failed: 1,
  });
});

test('FunctionStatistics.read() is exact for few calls and leaves out phases that never happened', () => {
  const statistics = new FunctionStatistics();
  for (const run of [3000, 1000, 2000, 4000]) statistics.end(CALL, withPhases({ run, queue: run / 1000 }));
  const { latency } = statistics.read('f');
  assert.deepEqual(Object.keys(latency), ['queue', 'run', 'total']);
  assert.deepEqual(latency['run'], { count: 4, p50Us: 2, p90Us: 4, p99Us: 4, maxUs: 4, meanUs: 2.5 });
});

test('FunctionStatistics.read() tells each phase its own time, from its rows and from its histograms', () => {
  // A power of two for each, so that no two could be mistaken for one another.
  const phases = Object.fromEntries(ALL_PHASES.map((key, index) => [key, 1024 * 2 ** index]));
  const expectedNs = { ...phases, total: 1024 * (2 ** ALL_PHASES.length - 1) };
  for (const calls of [1, 5000]) {
    const statistics = new FunctionStatistics();
    for (let call = 0; call < calls; call++) statistics.end(CALL, withPhases(phases));
    const { latency } = statistics.read('f');
    assert.deepEqual(Object.keys(latency), Object.keys(expectedNs));
    for (const [key, ns] of Object.entries(expectedNs)) {
      const { count, p50Us } = latency[key] ?? { count: 0, p50Us: 0 };
      assert.equal(count, calls, key);
      assert.ok(Math.abs((p50Us * 1e3) / ns - 1) < 0.01, `${key}: ${p50Us} us of ${ns} ns`);
    }
  }
});

test('FunctionStatistics.read() is within 1 % after many calls, from 1 ns to 100 s', () => {
  for (const scale of [1, 50, 1e3, 1e6, 1e8]) {
    const statistics = new FunctionStatistics();
    for (let step = 1; step <= 10_000; step++)
      statistics.end(CALL, withPhases({ run: ((step * 7919) % 1000) * scale + 1 }));
    const run = statistics.read('f').latency['run'];
    assert.ok(run !== undefined);
    assert.equal(run.count, 10_000);
    const near = (got: number, expectedNs: number): void => {
      const error = Math.abs(got * 1e3 - expectedNs) / expectedNs;
      assert.ok(error <= 0.01, `scale ${scale}: ${got * 1e3} is not near ${expectedNs}`);
    };
    near(run.p50Us, 500 * scale);
    near(run.p90Us, 900 * scale);
    near(run.p99Us, 990 * scale);
    near(run.maxUs, 999 * scale + 1);
    near(run.meanUs, 499.5 * scale + 1);
  }
});

test('FunctionStatistics keeps the functions apart that share its scratch', () => {
  const first = new FunctionStatistics();
  const second = new FunctionStatistics();
  for (let step = 0; step < 5000; step++) {
    first.end(CALL, withPhases({ run: 1000 }));
    second.end(CALL, withPhases({ run: 5000 }));
  }
  assert.equal(first.read('a').latency['run']?.count, 5000);
  assert.equal(second.read('b').latency['run']?.count, 5000);
  assert.ok((first.read('a').latency['run']?.maxUs ?? 9) < 1.02);
});

test('FunctionStatistics holds less than 3 kB for a function called once', () => {
  assert.ok(globalThis.gc !== undefined, 'run with --expose-gc');
  const all: FunctionStatistics[] = [];
  globalThis.gc();
  const before = process.memoryUsage();
  for (let index = 0; index < 2000; index++) {
    const statistics = new FunctionStatistics();
    statistics.end(CALL, makeOutcome());
    statistics.read('f');
    all.push(statistics);
  }
  globalThis.gc();
  const after = process.memoryUsage();
  const eachBytes = (after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers) / all.length;
  assert.ok(eachBytes < 3000, `${eachBytes} bytes each`);
});
