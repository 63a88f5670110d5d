/** Threads that come while all guests wait, and go when they have nothing to do. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CAN_SUSPEND } from '../../../host/waiting/jspi.ts';
import type { Call } from '../../../pools/worker/call.ts';
import { Growth } from '../../../pools/worker/growth.ts';
import type { Threads } from '../../../pools/worker/threads.ts';
import { deploy, input, openPool, until } from '../fixture.ts';

const OPTIONS = { threads: 1, mostThreads: 4, spareThreads: 0 } as const;

const skip = CAN_SUSPEND ? 'guests that wait hold no thread on this Node' : false;

test('a pool grows while calls wait and all guests do, up to mostThreads, and shrinks again', {
  skip,
}, async (context) => {
  const pool = openPool(context, OPTIONS);
  const sleep = await deploy(pool, 'sleep');
  assert.equal(pool.stats().units, 1);
  const grown = new AbortController();
  let most = 0;
  const asking = Array.from({ length: 6 }, async () => {
    // As long as it takes until the threads are there.
    while (!grown.signal.aborted) {
      const { kind } = await pool.invoke(sleep, input('0.1'));
      assert.equal(kind, 'ok');
    }
  });
  await until('four threads run guests', () => {
    most = Math.max(most, pool.stats().units);
    return pool.stats().running === OPTIONS.mostThreads;
  });
  grown.abort();
  await Promise.all(asking);
  assert.equal(most, OPTIONS.mostThreads);
  await until('one thread is left', () => pool.stats().units === 1);
  assert.equal(pool.stats().unitsReplaced, 0);
  assert.equal((await pool.invoke(sleep, input('0'))).kind, 'ok');
});

test('a pool does not grow for guests that compute', async (context) => {
  const pool = openPool(context, OPTIONS);
  const spin = await deploy(pool, 'guests/spin-then-answer', { limits: { timeoutMs: 0 } });
  let most = 0;
  const watching = setInterval(() => (most = Math.max(most, pool.stats().units)), 1);
  const outcomes = await Promise.all(Array.from({ length: 6 }, () => pool.invoke(spin, input('20'))));
  clearInterval(watching);
  assert.ok(outcomes.every(({ kind }) => kind === 'ok'));
  assert.equal(most, 1);
});

test('a pool does not grow for calls that their concurrency holds up, nor beyond threads without mostThreads', async (context) => {
  for (const [options, concurrency] of [
    [OPTIONS, 1],
    [{ threads: 1, spareThreads: 0 }, 64],
    [{ threads: 1, mostThreads: 1, spareThreads: 0 }, 64],
  ] as const) {
    const pool = openPool(context, options);
    const sleep = await deploy(pool, 'sleep', { limits: { concurrency } });
    const outcomes = await Promise.all(Array.from({ length: 4 }, () => pool.invoke(sleep, input('0.06'))));
    assert.ok(outcomes.every(({ kind }) => kind === 'ok'));
    assert.equal(pool.stats().units, 1);
  }
});

/** What growth asks of a thread, and of all of them. */
class FakeUnit {
  readonly isStarted = true;
  isIdle = false;
  isUnused = false;
  readonly isWaiting = true;
  sent = 0;
}

class FakeThreads {
  readonly units: Set<FakeUnit>;
  readonly dropped: FakeUnit[] = [];

  constructor(count: number) {
    this.units = new Set(Array.from({ length: count }, () => new FakeUnit()));
  }

  grow(): void {
    this.units.add(new FakeUnit());
  }

  drop(unit: FakeUnit): boolean {
    if (!unit.isUnused) return false;
    this.dropped.push(unit);
    return this.units.delete(unit);
  }
}

test('Growth ends the threads that are unused beyond the spare one, and none while as many are used as may run', (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const [threads, least, most, spare] = [new FakeThreads(2), 1, 2, 1];
  const [first, second] = [...threads.units] as [FakeUnit, FakeUnit];
  let mustWait = true;
  const growth = new Growth({
    threads: threads as unknown as Threads<Call>,
    least,
    most,
    spare,
    mustWait: () => mustWait,
  });
  growth.expect();
  context.mock.timers.tick(10);
  mustWait = false;
  assert.equal(growth.limit, 2);
  const last = [...threads.units].at(-1) as FakeUnit;
  last.isIdle = last.isUnused = true;
  for (let round = 0; round < 4; round++) {
    first.sent++;
    second.sent++;
    context.mock.timers.tick(5_000);
  }
  assert.deepEqual([growth.limit, threads.dropped.length], [2, 0], 'the spare one is unused while two run guests');
  second.isIdle = second.isUnused = true;
  context.mock.timers.tick(10_000);
  assert.deepEqual([growth.limit, threads.dropped.length], [1, 1]);
  growth.close();
});
