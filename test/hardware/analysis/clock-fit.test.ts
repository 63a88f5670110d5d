import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clockUncertaintyS, fitClock, requireFit, toLoggerS } from '../../../hardware/analysis/clock-fit.ts';
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

/** Pairs a second apart whose clocks differ by these times; the host knows each to 1 us unless told otherwise. */
const differing = (offS: readonly number[], halfWidthS: readonly number[] = []) =>
  offS.map((off, hostS) => ({ hostS, loggerS: hostS + off, halfWidthS: halfWidthS[hostS] ?? 1e-6 }));

// Least squares over all pairs come to a line through both parts, about which none lies farther than the others.
test('fitClock() holds to four fifths of the pairs where the last fifth is a step away', () => {
  const stepS = Array.from({ length: 100 }, (_, index) => 5 + 2e-6 * (index % 2) + (index < 80 ? 0 : 0.1));
  const fit = fitClock(differing(stepS), 1e-6);
  assert.deepEqual([fit.edges, fit.outliers, fit.wide], [80, 20, 0]);
  assert.ok(Math.abs(fit.driftPpm) < 0.1, `drift ${fit.driftPpm}`);
  assert.ok(Math.abs(fit.offsetS - 5 - 1e-6) < 1e-7, `offset ${fit.offsetS}`);
  assert.equal(fit.spanS, 79);
  assert.equal(fitClock(differing(stepS).slice(2), 1e-6).spanS, 77);
});

// A third each at -1 us, 0 and 1 us: the robust deviation is 1.4826 us, four of them 5.93 us.
test('fitClock() keeps what lies within four robust deviations', () => {
  const inTurn = differing(Array.from({ length: 99 }, (_, index) => ((index % 3) - 1) * 1e-6));
  const withOneOff = (offS: number) =>
    fitClock([...inTurn, { hostS: 49.5, loggerS: 49.5 + offS, halfWidthS: 1e-6 }], 1e-9);
  assert.equal(withOneOff(5.6e-6).edges, 100);
  assert.deepEqual([withOneOff(6.3e-6).edges, withOneOff(6.3e-6).outliers], [99, 1]);
});

test('fitClock() keeps exact pairs, also more than the 200 that its first line is of', () => {
  const sizes = [200, 201, 401];
  for (const size of sizes) {
    const fit = fitClock(differing(Array.from({ length: size }, (_, index) => 3e-5 * index)), 0);
    assert.ok(Math.abs(fit.driftPpm - 30) < 1e-6, `drift ${fit.driftPpm}`);
    assert.deepEqual([fit.edges, fit.outliers], [size, 0]);
  }
});

// By hand: over -4, -3 ... 4 the parabola c x^2 leaves its best line, which is level, by c (x^2 - 20/3), and 16 c at the ends.
test('fitClock() tells how far a parabola in the kept pairs leaves the line at its ends', () => {
  const bent = [16, 9, 4, 1, 0, 1, 4, 9, 16].map((square) => square * 1e-6);
  const fit = fitClock(differing(bent), 4e-5);
  near(fit.curvatureS, 16e-6);
  near(fit.offsetS, (20 / 3) * 1e-6);
  assert.ok(Math.abs(fit.driftPpm) < 1e-6);
  const down = fitClock(differing(bent.map((off) => -off)), 4e-5);
  near(down.curvatureS, 16e-6);
  // What lies beyond the scatter bends nothing.
  const wild = fitClock([...differing(bent), { hostS: 40, loggerS: 41, halfWidthS: 1e-6 }], 4e-5);
  assert.equal(wild.outliers, 1);
  near(wild.curvatureS, 16e-6);
  // Python, of six pairs whose mean lies nearer to the last.
  const uneven = [30, 0, 1, 0, 4, 6].map((offUs, index) => {
    const hostS = index === 0 ? 0 : index + 4;
    return { hostS, loggerS: hostS + offUs * 1e-6, halfWidthS: 1e-6 };
  });
  near(fitClock(uneven, 8e-5).curvatureS, 1.206332009963748e-5);
  // Two instants have no parabola.
  const two = [0, 0, 0, 8, 8, 8].map((hostS) => ({ hostS, loggerS: hostS, halfWidthS: 1e-6 }));
  assert.equal(fitClock(two, 1e-6).curvatureS, 0);
});

test('fitClock() leaves out pairs whose interval is more than four times the median, and than half a sample', () => {
  const level = Array.from({ length: 9 }, () => 5);
  const widths = [1e-6, 1e-6, 1e-6, 1e-6, 1e-6, 1e-6, 1e-6, 4e-6, 4.1e-6];
  const kept = fitClock(differing(level, widths), 1e-6);
  assert.deepEqual([kept.edges, kept.outliers, kept.wide], [8, 0, 1]);
  assert.deepEqual([kept.spanS, kept.referenceS], [7, 3.5]);
  assert.equal(fitClock(differing(level, widths), 8e-6).wide, 1);
  const coarse = fitClock(differing(level, widths), 8.2e-6);
  assert.deepEqual([coarse.edges, coarse.wide], [9, 0]);
});

const withWideOff = (byS: number) => fitClock(differing([0, 0, 0, 0, 0, byS], [0, 0, 0, 0, 0, 0.5]), 1e-6);

// Whole seconds without scatter: a wide pair may be off by its own interval, to the last bit.
test('fitClock() calls a wide pair an outlier only beyond its own interval', () => {
  assert.deepEqual([withWideOff(0.5).wide, withWideOff(0.5).outliers], [1, 0]);
  assert.deepEqual([withWideOff(-0.5).wide, withWideOff(-0.5).outliers], [1, 0]);
  assert.deepEqual([withWideOff(0.75).wide, withWideOff(0.75).outliers], [0, 1]);
  assert.deepEqual([withWideOff(-0.75).wide, withWideOff(-0.75).outliers], [0, 1]);
});

test('fitClock() keeps what lies within half a sample of exact pairs', () => {
  const sampleS = 2e-3;
  const lastOff = (byS: number) => fitClock(differing([0, 0, 0, 0, 0, 0, 0, 0, byS, 0, 0, 0]), sampleS);
  assert.equal(lastOff(0.9e-3).edges, 12);
  assert.deepEqual([lastOff(1.2e-3).edges, lastOff(1.2e-3).outliers], [11, 1]);
});

test('toLoggerS() and clockUncertaintyS() go from the reference, where the line is most certain', () => {
  const fit = fitClock(pairsOf(3, 40, 1e-5, 0), 1e-6);
  const line = { ...fit, referenceS: 10, offsetS: 5, rate: 1.5, residualSdS: 0.3, edges: 9, spreadS2: 4 };
  assert.deepEqual([toLoggerS(line, 10), toLoggerS(line, 14), toLoggerS(line, 6)], [15, 21, 9]);
  near(clockUncertaintyS(line, 10), 0.1);
  near(clockUncertaintyS(line, 12), 0.3 * Math.sqrt(1 / 9 + 1));
  near(clockUncertaintyS(line, 8), 0.3 * Math.sqrt(1 / 9 + 1));
});

const refused = (what: string, got: string | number, expected: string): object => ({
  key: 'BAD_FIT',
  fields: { what, got, expected },
});

test('fitClock() refuses too few pairs, pairs of one instant and too few near one line', () => {
  const one = { hostS: 1, loggerS: 2, halfWidthS: 0 };
  assert.throws(() => fitClock([one, one, one], 1e-5), refused('pairs', 3, 'at least 4'));
  assert.throws(() => fitClock([one, one, one, one, one], 1e-5), refused('span', '0 s', 'more than 0 s'));
  // Two of five are told too coarsely.
  const coarse = differing([0, 0, 0, 0, 0], [1e-6, 1e-6, 1e-6, 1, 1]);
  assert.throws(() => fitClock(coarse, 1e-6), refused('pairs near one line', 3, 'at least 4'));
  assert.equal(fitClock(coarse.slice(0, 4), 4).edges, 4);
  // The only pair of another instant is: no line goes through what is left.
  const instant = [0, 0, 0, 0, 1].map((hostS) => ({ hostS, loggerS: hostS, halfWidthS: hostS }));
  assert.throws(() => fitClock(instant, 1e-6), refused('pairs near one line', 0, 'at least 4'));
});

test('requireFit() takes a fit that just keeps its limits', () => {
  const fit = { ...fitClock(pairsOf(3, 40, 1e-5, 0), 1e-6), edges: 6, outliers: 2, wide: 0 };
  const just = { ...fit, driftPpm: -20, residualMaxS: 1e-4, curvatureS: 1e-4 };
  assert.equal(requireFit(just, { driftPpm: 20, residualS: 1e-4, keptShare: 0.75 }), just);
});

test('requireFit() names the limit that is broken, what it came to and what is allowed', () => {
  const fit = { ...fitClock(pairsOf(3, 40, 1e-5, 0), 1e-6), edges: 5, outliers: 2, wide: 1 };
  const good = { ...fit, driftPpm: 60, residualMaxS: 2e-5, curvatureS: 1e-5 };
  const limits = { driftPpm: 500, residualS: 1e-4, keptShare: 0.5 };
  assert.equal(requireFit(good, limits), good);
  const drifts = { ...limits, driftPpm: 20 };
  assert.throws(() => requireFit(good, drifts), refused('drift', '60.0 ppm', 'at most 20 ppm'));
  assert.throws(() => requireFit({ ...good, driftPpm: -60 }, drifts), refused('drift', '-60.0 ppm', 'at most 20 ppm'));
  const share = refused('share of edges near the line', '0.75', 'at least 0.8');
  assert.throws(() => requireFit(good, { ...limits, keptShare: 0.8 }), share);
  const bend = refused('bend of the clocks', '120.0 us', 'at most 100.0 us');
  assert.throws(() => requireFit({ ...good, curvatureS: 1.2e-4 }, limits), bend);
  const residual = refused('greatest residual', '130.0 us', 'at most 100.0 us');
  assert.throws(() => requireFit({ ...good, residualMaxS: 1.3e-4 }, limits), residual);
  // A fit without numbers keeps no limit.
  for (const key of ['driftPpm', 'curvatureS', 'residualMaxS'] as const) {
    assert.throws(() => requireFit({ ...good, [key]: Number.NaN }, limits), { key: 'BAD_FIT' }, key);
  }
});
