import assert from 'node:assert/strict';
import { test } from 'node:test';
import { characterise, smallestEffectW } from '../../../hardware/meter/probe.ts';
import { normalFrom } from '../../../statistics/normal.ts';
import { seededRandom } from '../../../statistics/random.ts';
import type { PowerTrace } from '../../../hardware/analysis/trace.ts';

function watched(intervalS: number, samples: number, value: (timeS: number) => number): PowerTrace {
  const timeS = Float64Array.from({ length: samples }, (_, index) => index * intervalS);
  const shared = { source: 'watched', rule: 'average', clock: 'host-monotonic', synthetic: true, breaks: [] } as const;
  return { ...shared, timeS, value: timeS.map(value), refreshS: intervalS, resolution: 0 };
}

test('characterise() finds refresh, steps and noise of a meter that is read ten times as fast as it renews', () => {
  const random = seededRandom(4);
  const fresh = Array.from({ length: 400 }, () => Math.round((3 + normalFrom(random) * 0.2) * 100) / 100);
  const found = characterise(watched(0.1, 3000, (timeS) => fresh[Math.floor(timeS + 1e-9)] ?? 0));
  assert.ok(Math.abs(found.refreshS - 1) < 0.01, `refresh ${found.refreshS}`);
  assert.ok(Math.abs(found.intervalS - 0.1) < 1e-9);
  assert.ok(Math.abs(found.stepW - 0.01) < 1e-6, `step ${found.stepW}`);
  assert.ok(Math.abs(found.noiseW - 0.2) < 0.03, `noise ${found.noiseW}`);
  assert.ok(found.repeatedShare > 0.88 && found.repeatedShare < 0.92);
  assert.ok(Math.abs(found.smallestWindowS - 10) < 0.1);
  assert.ok(smallestEffectW(found, 1000) < found.smallestEffectW / 9);
  assert.equal(found.synthetic, true);
});

test('smallestEffectW() is the difference that a test of two windows finds four times in five', () => {
  const random = seededRandom(8);
  const found = characterise(watched(1, 600, () => 5 + normalFrom(random)));
  const effectW = smallestEffectW(found, 50);
  let seen = 0;
  for (let trial = 0; trial < 500; trial++) {
    let difference = 0;
    for (let index = 0; index < 50; index++) difference += effectW + normalFrom(random) - normalFrom(random);
    if (difference / 50 > 1.96 * Math.sqrt(2 / 50)) seen++;
  }
  assert.ok(seen > 360 && seen < 440, `${seen} of 500`);
});

test('characterise() does not take a slow change of the load for noise', () => {
  const found = characterise(watched(1, 200, (timeS) => 2 + timeS * 0.01));
  assert.ok(found.noiseW < 0.02, `noise ${found.noiseW}`);
});

test('characterise() says that a value which never changed is no older than the watch was long', () => {
  const found = characterise(watched(1, 60, () => 4));
  assert.deepEqual([found.refreshS, found.stalenessS, found.stepW], [59, 59, 0]);
  assert.throws(() => characterise(watched(1, 10, () => 4)), { key: 'TRACE_INVALID' });
});

test('characterise() sees the refresh of a counter in the counter', () => {
  const trace = watched(0.05, 1000, (timeS) => Math.floor(timeS + 1e-9) * 3);
  const found = characterise({ ...trace, rule: 'counter' });
  assert.ok(Math.abs(found.refreshS - 1) < 0.01);
});
