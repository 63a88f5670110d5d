import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clockUncertaintyS, fitClock, requireFit, toLoggerS } from '../../../hardware/analysis/clock-fit.ts';
import { HardwareError } from '../../../hardware/instrument/errors.ts';
import { normalFrom } from '../../../statistics/normal.ts';
import { seededRandom } from '../../../statistics/random.ts';

function pairsOf(seed: number, count: number, noiseS: number, outlierShare: number) {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, index) => {
    const hostS = index * 0.7;
    const wrong = random() < outlierShare ? 0.01 + random() * 0.1 : 0;
    return { hostS, loggerS: 5 + hostS * (1 + 60e-6) + normalFrom(random) * noiseS + wrong, halfWidthS: 1e-6 };
  });
}

test('fitClock() holds against one fifth of wrong pairs, all on one side', () => {
  const fit = fitClock(pairsOf(3, 300, 5e-6, 0.2), 1e-5);
  assert.ok(Math.abs(fit.driftPpm - 60) < 0.1, `drift ${fit.driftPpm}`);
  assert.ok(Math.abs(toLoggerS(fit, 100) - (5 + 100 * (1 + 60e-6))) < 3e-6);
  assert.ok(fit.outliers > 40 && fit.outliers < 80, `${fit.outliers} outliers`);
  assert.ok(Math.abs(fit.residualSdS - 5e-6) < 1e-6, `residual ${fit.residualSdS}`);
});

test('fitClock() states the drift within its 95 % interval about as often as it says', () => {
  let inside = 0;
  let near = 0;
  for (let seed = 1; seed <= 400; seed++) {
    const fit = fitClock(pairsOf(seed, 40, 2e-5, 0), 1e-6);
    if (Math.abs(fit.driftPpm - 60) <= fit.driftIntervalPpm) inside++;
    const off = Math.abs(toLoggerS(fit, 20) - (5 + 20 * (1 + 60e-6)));
    if (off <= 2.02 * clockUncertaintyS(fit, 20)) near++;
  }
  assert.ok(inside >= 360 && inside <= 395, `${inside} of 400 drifts`);
  assert.ok(near >= 360 && near <= 395, `${near} of 400 times`);
});

const near = (got: number, expected: number): void => assert.ok(Math.abs(got / expected - 1) < 1e-6, `${got}`);

// Python: statistics.linear_regression of the clocks' differences, residuals over four degrees, t of four degrees.
test('fitClock() has the line, scatter and interval that another program computed', () => {
  const noiseS = [1e-6, -2e-6, 1e-6, 2e-6, -3e-6, 1e-6];
  const pairs = noiseS.map((off, hostS) => ({ hostS, loggerS: hostS + 5 + 6e-5 * hostS + off, halfWidthS: 1e-6 }));
  const fit = fitClock(pairs, 1e-6);
  near(fit.driftPpm, 59.9428571428362);
  near(fit.offsetS, 5.00015);
  near(fit.residualSdS, 2.2328713100734553e-6);
  near(fit.residualMaxS, 2.914285714972209e-6);
  near(fit.driftIntervalPpm, 1.4819507142158295);
  assert.deepEqual([fit.edges, fit.outliers, fit.wide, fit.referenceS, fit.spreadS2], [6, 0, 0, 2.5, 17.5]);
});

test('fitClock() keeps microseconds in a session of a day', () => {
  const pairs = Array.from({ length: 200 }, (_, index) => {
    const hostS = index * 432;
    return { hostS, loggerS: 1e6 + hostS * (1 - 33e-6), halfWidthS: 1e-6 };
  });
  const fit = fitClock(pairs, 1e-5);
  assert.ok(Math.abs(fit.driftPpm + 33) < 1e-3);
  assert.ok(fit.residualMaxS < 1e-6);
});

test('fitClock() refuses too few pairs and pairs of one instant', () => {
  const one = { hostS: 1, loggerS: 2, halfWidthS: 0 };
  assert.throws(() => fitClock([one, one, one], 1e-5), HardwareError);
  assert.throws(() => fitClock([one, one, one, one, one], 1e-5), HardwareError);
});

test('requireFit() names the limit that is broken', () => {
  const fit = fitClock(pairsOf(3, 300, 5e-6, 0.3), 1e-5);
  const limits = { driftPpm: 500, residualS: 1e-3, keptShare: 0.5 };
  assert.equal(requireFit(fit, limits), fit);
  assert.throws(() => requireFit(fit, { ...limits, driftPpm: 20 }), /drift is 60\.\d ppm, expected at most 20 ppm/);
  assert.equal(requireFit(fit, { ...limits, driftPpm: fit.driftPpm }), fit);
  const slow = { ...fit, driftPpm: -fit.driftPpm };
  assert.throws(() => requireFit(slow, { ...limits, driftPpm: 20 }), /drift is -60\.\d ppm/);
  assert.throws(() => requireFit(fit, { ...limits, residualS: 1e-6 }), /residual/);
  assert.throws(() => requireFit(fit, { ...limits, keptShare: 0.9 }), /share of edges/);
});
