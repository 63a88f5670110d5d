import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idlePowerAt, measureBaseline } from '../../../hardware/analysis/baseline.ts';
import { PowerIntegral } from '../../../hardware/analysis/integral.ts';
import type { PowerTrace } from '../../../hardware/analysis/trace.ts';
import { sampleCurve } from './known-power.ts';

test('idlePowerAt() follows a drift between idle windows and says where it has none on one side', () => {
  const curve = Array.from({ length: 100 }, (_, index) => ({ fromS: index, powerW: 2 + index * 0.01 }));
  const integral = new PowerIntegral(sampleCurve(curve, { rule: 'average', intervalS: 0.1, untilS: 99 }));
  const baseline = measureBaseline(integral, [
    { startS: 80, endS: 90 },
    { startS: 0, endS: 10 },
  ]);
  const middle = idlePowerAt(baseline, 45);
  assert.ok(Math.abs(middle.powerW - 2.445) < 1e-3, `${middle.powerW}`);
  assert.equal(middle.extrapolated, false);
  assert.equal(idlePowerAt(baseline, 95).extrapolated, true);
  assert.equal(idlePowerAt(baseline, 1).extrapolated, true);
});

// By hand: readings of 1 W and 3 W in turn have mean 2 W and deviation sqrt(n / (n - 1)); a window of 10 s has 10 of them.
test('measureBaseline() has the mean, the deviation and the error of a window of readings in turn', () => {
  const timeS = Float64Array.from({ length: 41 }, (_, index) => index);
  const alternating: PowerTrace = {
    source: 'table',
    rule: 'average',
    clock: 'logger',
    synthetic: true,
    timeS,
    value: timeS.map((_, index) => (index % 2 === 0 ? 3 : 1)),
    refreshS: 1,
    resolution: 0,
    breaks: [],
  };
  const baseline = measureBaseline(new PowerIntegral(alternating), [{ startS: 0.5, endS: 10.5 }]);
  const [level] = baseline.levels;
  assert.equal(level?.samples, 10);
  assert.ok(Math.abs((level?.meanW ?? 0) - 2) < 1e-12);
  const sampleSdW = Math.sqrt(10 / 9);
  assert.ok(Math.abs((level?.sampleSdW ?? 0) - sampleSdW) < 1e-12);
  assert.ok(Math.abs((level?.errorW ?? 0) - sampleSdW / Math.sqrt(10)) < 1e-12);
  assert.ok(Math.abs(baseline.noiseW - sampleSdW) < 1e-12);
  assert.equal(baseline.wanderW, 0);
});

test('measureBaseline() takes a window of one reading, whose spread nobody knows, as without noise', () => {
  const integral = new PowerIntegral(
    sampleCurve([{ fromS: 0, powerW: 2 }], { rule: 'average', intervalS: 1, untilS: 9 }),
  );
  const [level] = measureBaseline(integral, [{ startS: 3.5, endS: 4.5 }]).levels;
  assert.deepEqual([level?.samples, level?.sampleSdW, level?.errorW], [1, 0, 0]);
});
