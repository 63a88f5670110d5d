import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findKnee } from '../../../bench/load/knee.ts';

const OPTIONS = { startPerSecond: 100, maxPerSecond: 100_000, refinements: 6 };

for (const capacity of [130, 1_000, 47_000]) {
  test(`findKnee() comes within 3 % of a capacity of ${capacity}`, async () => {
    const asked: number[] = [];
    const knee = await findKnee((rate) => {
      asked.push(rate);
      return Promise.resolve(rate <= capacity);
    }, OPTIONS);
    assert.ok(knee.sustainedPerSecond <= capacity && capacity < (knee.failedPerSecond ?? 0));
    assert.ok(knee.sustainedPerSecond > capacity * 0.97, String(knee.sustainedPerSecond));
    assert.ok(asked.length < 20);
  });
}

test('findKnee() of a server that sustains nothing is 0', async () => {
  assert.deepEqual(await findKnee(() => Promise.resolve(false), OPTIONS), {
    sustainedPerSecond: 0,
    failedPerSecond: 100,
  });
});

test('findKnee() of a server that sustains everything has no end', async () => {
  assert.deepEqual(await findKnee(() => Promise.resolve(true), OPTIONS), {
    sustainedPerSecond: 51_200,
    failedPerSecond: null,
  });
});

test('findKnee() ends with what it knows when it is interrupted', async () => {
  const interruption = new AbortController();
  const probe = (ratePerSecond: number): Promise<boolean> => {
    if (ratePerSecond === 4) interruption.abort();
    return Promise.resolve(true);
  };
  const options = { startPerSecond: 1, maxPerSecond: 64, refinements: 3, signal: interruption.signal };
  assert.deepEqual(await findKnee(probe, options), { sustainedPerSecond: 4, failedPerSecond: null });
});
