import assert from 'node:assert/strict';
import { test } from 'node:test';
import { phaseLock, unexplainedW } from '../../../hardware/analysis/aliasing.ts';
import { PowerIntegral } from '../../../hardware/analysis/integral.ts';
import { normalFrom } from '../../../statistics/normal.ts';
import { seededRandom } from '../../../statistics/random.ts';

/** Ten instants a second, each late by up to `jitterS`. */
function instants(jitterS = 0): PowerIntegral {
  const random = seededRandom(5);
  const timeS = Float64Array.from({ length: 200 }, (_, index) => index / 10 + jitterS * random());
  const rest = {
    source: 'a table',
    clock: 'logger',
    synthetic: true,
    refreshS: 0.1,
    resolution: 0,
    breaks: [],
  } as const;
  return new PowerIntegral({ ...rest, rule: 'instant', timeS, value: timeS.map(() => 2) });
}

test('phaseLock() is 1 for calls in step with the samples, and near 0 for others', () => {
  const integral = instants();
  for (const periodS of [0.1, 0.05, 0.2, 0.3]) assert.ok(phaseLock(integral, 5, 10, periodS) > 0.999, `${periodS}`);
  for (const periodS of [0.137, 0.0731, 1.7]) assert.ok(phaseLock(integral, 5, 10, periodS) < 0.2, `${periodS}`);
  // A tenth of a turn apart over the whole window.
  assert.ok(phaseLock(integral, 5, 10, 0.1 * (1 + 1 / 500)) > 0.9);
});

test('phaseLock() is broken by samples that come at random times, and is none of means', () => {
  assert.ok(phaseLock(instants(0.1), 5, 10, 0.1) < 0.5);
  const { trace } = instants();
  assert.equal(phaseLock(new PowerIntegral({ ...trace, rule: 'average' }), 5, 10, 0.1), 0);
});

test('unexplainedW() is 0 of windows that differ by what they do not know, in 99 of 100 cases', () => {
  let found = 0;
  for (let seed = 1; seed <= 1000; seed++) {
    const random = seededRandom(seed * 31);
    const windows = Array.from({ length: 10 }, () => ({ powerW: 2 + 0.1 * normalFrom(random), ownW: 0.1 }));
    if (unexplainedW(windows) > 0) found++;
  }
  assert.ok(found >= 1 && found <= 25, `${found} of 1000`);
});

test('unexplainedW() tells by how much windows differ beyond that, and nothing of three', () => {
  const powers = [1, 3, 1, 3, 1, 3, 1, 3];
  const windows = powers.map((powerW) => ({ powerW, ownW: 0.1 }));
  // Deviation sqrt(8 / 7), less 0.01 of its square; Student's bound for 7 degrees of freedom is 2.3646.
  const expected = (Math.sqrt(8 / 7 - 0.01) * 2.364624) / 1.959964;
  assert.ok(Math.abs(unexplainedW(windows) - expected) < 1e-5);
  assert.equal(unexplainedW(windows.slice(0, 3)), 0);
});
