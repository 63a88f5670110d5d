import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idlePowerAt, measureBaseline, type Baseline } from '../../../hardware/analysis/baseline.ts';
import { PowerIntegral } from '../../../hardware/analysis/integral.ts';
import type { PowerTrace, SampleRule } from '../../../hardware/analysis/trace.ts';
import { sampleCurve } from './known-power.ts';

/** A trace with a sample a second, whose values are of the times. */
function integralOf(
  seconds: number,
  valueAt: (timeS: number) => number,
  rule: SampleRule = 'instant',
  refreshS = 1,
): PowerIntegral {
  const timeS = Float64Array.from({ length: seconds + 1 }, (_, index) => index);
  return new PowerIntegral({
    source: 'a table',
    rule,
    clock: 'logger',
    synthetic: true,
    timeS,
    value: timeS.map(valueAt),
    refreshS,
    resolution: 0,
    breaks: [],
  });
}

const close = (got: number, expected: number, within = 1e-9): void =>
  assert.ok(Math.abs(got - expected) <= within, `expected ${expected}, got ${got}`);

/** Windows of ten seconds at 0, 20 and 40 s, in which the machine draws these powers. */
const steps = (powers: readonly number[]): Baseline =>
  measureBaseline(
    integralOf(60, (timeS) => powers[Math.floor(timeS / 20)] ?? 0),
    powers.map((_, index) => ({ startS: index * 20, endS: index * 20 + 10 })),
  );

test('measureBaseline() measures a steady level without an error', () => {
  const { levels, noiseW, wanderW } = steps([5]);
  assert.equal(levels.length, 1);
  close(levels[0]?.meanW ?? 0, 5);
  assert.deepEqual([levels[0]?.errorW, levels[0]?.sampleSdW, levels[0]?.samples], [0, 0, 11]);
  assert.deepEqual([noiseW, wanderW], [0, 0]);
});

test('measureBaseline() tells the noise of a sample, and the error of the mean that it makes', () => {
  const noisy = integralOf(100, (timeS) => (timeS % 2 === 0 ? 4 : 6));
  const [level] = measureBaseline(noisy, [{ startS: 0, endS: 100 }]).levels;
  close(level?.meanW ?? 0, 5);
  // 51 samples of 4 W and 50 of 6 W.
  const mean = (51 * 4 + 50 * 6) / 101;
  const sd = Math.sqrt((51 * (4 - mean) ** 2 + 50 * (6 - mean) ** 2) / 100);
  close(level?.sampleSdW ?? 0, sd);
  close(level?.errorW ?? 0, (level?.sampleSdW ?? 0) / 10);
});

test('measureBaseline() counts values that repeat once', () => {
  const repeating = integralOf(100, (timeS) => (timeS % 2 === 0 ? 4 : 6), 'instant', 4);
  const [level] = measureBaseline(repeating, [{ startS: 0, endS: 100 }]).levels;
  close(level?.errorW ?? 0, (level?.sampleSdW ?? 0) / 5);
});

test('measureBaseline() sees slow noise by the means of tenths of the window', () => {
  // The first half at 4 W, the second at 6 W: ten batches, five of each.
  const slow = integralOf(100, (timeS) => (timeS < 50 ? 4 : 6));
  const [level] = measureBaseline(slow, [{ startS: 0, endS: 100 }]).levels;
  close(level?.errorW ?? 0, Math.sqrt(10 / 9) / Math.sqrt(10), 0.02);
});

test('measureBaseline() knows the spread of two readings, and batches of two readings each', () => {
  const [two] = measureBaseline(
    integralOf(10, (timeS) => (timeS === 3 ? 3 : 5)),
    [{ startS: 2.5, endS: 4.5 }],
  ).levels;
  assert.equal(two?.samples, 2);
  close(two?.sampleSdW ?? 0, Math.SQRT2);
  const halves = integralOf(20, (timeS) => (timeS < 10 ? 4 : 6));
  const [level] = measureBaseline(halves, [{ startS: 0, endS: 20 }]).levels;
  // Five batches at 4 W, the one in which power rises at 4.5 W on average, four at 6 W.
  const means = [4, 4, 4, 4, 4.5, 6, 6, 6, 6, 6];
  const mean = means.reduce((sum, value) => sum + value, 0) / 10;
  const sd = Math.sqrt(means.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 9);
  close(level?.errorW ?? 0, sd / Math.sqrt(10));
});

test('measureBaseline() takes the steps of a counter as samples of power', () => {
  const counter = integralOf(20, (timeS) => 3 * timeS, 'counter');
  const { levels, noiseW } = measureBaseline(counter, [{ startS: 0, endS: 20 }]);
  close(levels[0]?.meanW ?? 0, 3);
  close(noiseW, 0);
});

// Steps of 1 W and 3 W in turn: those that lie in the window as a whole count, 10 of them between 2 s and 12 s.
test('measureBaseline() tells the noise of the steps of a counter within the window', () => {
  const counter = integralOf(20, (timeS) => 2 * timeS - (timeS % 2), 'counter');
  const noiseOf = (startS: number, endS: number): number | undefined =>
    measureBaseline(counter, [{ startS, endS }]).levels[0]?.sampleSdW;
  close(noiseOf(2, 12) ?? 0, Math.sqrt(10 / 9));
  // From 2.5 s to 12.5 s nine are whole: five of 3 W and four of 1 W.
  const mean = (5 * 3 + 4) / 9;
  close(noiseOf(2.5, 12.5) ?? 0, Math.sqrt((5 * (3 - mean) ** 2 + 4 * (1 - mean) ** 2) / 8));
});

test('measureBaseline() weighs the noise of windows by their samples', () => {
  const integral = integralOf(60, (timeS) => (timeS >= 20 && timeS % 2 === 0 ? 4 : 6));
  const { noiseW, levels } = measureBaseline(integral, [
    { startS: 20, endS: 60 },
    { startS: 1, endS: 11 },
  ]);
  assert.deepEqual(
    levels.map(({ startS }) => startS),
    [1, 20],
  );
  const [steady, noisy] = levels;
  assert.equal(steady?.sampleSdW, 0);
  close(noiseW, Math.sqrt(((noisy?.sampleSdW ?? 0) ** 2 * 40) / (10 + 40)));
});

test('measureBaseline() calls wander what three levels differ by more than their errors', () => {
  assert.equal(steps([4, 6]).wanderW, 0);
  // The middle one lies 2 W above the line between the others.
  close(steps([4, 6, 4]).wanderW, 2);
  close(steps([2, 4, 6]).wanderW, 0);
});

test('measureBaseline() refuses to measure nothing, and windows with gaps', () => {
  const integral = integralOf(10, () => 5);
  assert.throws(() => measureBaseline(integral, []), { key: 'TRACE_INVALID' });
  assert.throws(() => measureBaseline(integral, [{ startS: 5, endS: 5 }]), { key: 'UNCOVERED' });
  assert.throws(() => measureBaseline(integral, [{ startS: 1, endS: 12 }]), {
    key: 'UNCOVERED',
    fields: { startS: 1, endS: 12, uncoveredS: 2, limitS: 0.011 },
  });
});

test('idlePowerAt() lies on the line between the middles of the windows around a time', () => {
  const baseline = steps([4, 8]);
  const at = (timeS: number): number => idlePowerAt(baseline, timeS).powerW;
  close(at(15), 6);
  close(at(10), 5);
  close(at(25), 8);
  assert.equal(idlePowerAt(baseline, 15).extrapolated, false);
});

test('idlePowerAt() says that it has only one window to go by, before the first and behind the last', () => {
  const baseline = steps([4, 8]);
  for (const [timeS, powerW] of [
    [4, 4],
    [5, 4],
    [26, 8],
  ] as const) {
    const idle = idlePowerAt(baseline, timeS);
    close(idle.powerW, powerW);
    assert.equal(idle.extrapolated, true, `at ${timeS} s`);
  }
});

test('idlePowerAt() has the errors of both windows by their shares, and the wander besides', () => {
  const level = { sampleSdW: 0, samples: 2, sharedW: 0.1 };
  const baseline: Baseline = {
    levels: [
      { ...level, startS: 0, endS: 2, meanW: 1, errorW: 0.3 },
      { ...level, startS: 4, endS: 6, meanW: 1, errorW: 0.4 },
    ],
    noiseW: 0,
    wanderW: 0.5,
    sharedW: 0.1,
  };
  close(idlePowerAt(baseline, 3).sharedW, 0.1);
  close(idlePowerAt(baseline, 3).uncertaintyW, Math.sqrt(0.15 ** 2 + 0.2 ** 2 + 0.25));
  close(idlePowerAt(baseline, 2).uncertaintyW, Math.sqrt((0.75 * 0.3) ** 2 + (0.25 * 0.4) ** 2 + 0.25));
  close(idlePowerAt(baseline, 0).uncertaintyW, Math.hypot(0.3, 0.5));
  close(idlePowerAt(baseline, 9).uncertaintyW, Math.hypot(0.4, 0.5));
});

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
