import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findKnee } from '../../../bench/load/knee.ts';

const OPTIONS = { startPerSecond: 100, maxPerSecond: 100_000, refinements: 6, tries: 1 };

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
  const options = { startPerSecond: 1, maxPerSecond: 64, refinements: 3, tries: 1, signal: interruption.signal };
  assert.deepEqual(await findKnee(probe, options), { sustainedPerSecond: 4, failedPerSecond: null });
});

test('findKnee() is not misled by steps that fail while the machine is busy', async () => {
  for (let busy = 0; busy < 12; busy++) {
    let asked = 0;
    // Two probes in a row fail, whatever their rate.
    const probe = (rate: number): Promise<boolean> => {
      const isBusy = asked === busy || asked === busy + 1;
      asked++;
      return Promise.resolve(!isBusy && rate <= 1000);
    };
    const knee = await findKnee(probe, { ...OPTIONS, tries: 3 });
    assert.ok(knee.sustainedPerSecond > 970 && knee.sustainedPerSecond <= 1000, `${busy}: ${knee.sustainedPerSecond}`);
  }
});

test('findKnee() asks a rate that fails as often as it is told to', async () => {
  const asked: number[] = [];
  const probe = (rate: number): Promise<boolean> => {
    asked.push(rate);
    return Promise.resolve(rate < 200);
  };
  await findKnee(probe, { startPerSecond: 100, maxPerSecond: 1000, refinements: 0, tries: 3 });
  assert.deepEqual(asked, [100, 200, 200, 200]);
});
