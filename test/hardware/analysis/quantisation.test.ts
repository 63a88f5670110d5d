import assert from 'node:assert/strict';
import { test } from 'node:test';
import { roundingError, shownDither, shownStep } from '../../../hardware/analysis/quantisation.ts';
import type { PowerTrace, SampleRule } from '../../../hardware/analysis/trace.ts';
import { standardDeviation } from '../../../statistics/moments.ts';
import { normalFrom } from '../../../statistics/normal.ts';
import { seededRandom } from '../../../statistics/random.ts';

function traceOf(rule: SampleRule, value: readonly number[]): PowerTrace {
  const timeS = Float64Array.from(value, (_, index) => index);
  const shared = {
    source: 'a table',
    clock: 'logger',
    synthetic: true,
    refreshS: 1,
    resolution: 0,
    breaks: [],
  } as const;
  return { ...shared, rule, timeS, value: Float64Array.from(value) };
}

const rounded = (step: number, noise: number, mean: number, count: number, seed = 1): number[] => {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () =>
    Number((step * Math.round((mean + noise * normalFrom(random)) / step)).toFixed(6)),
  );
};

test('shownStep() finds the lattice of rounded values, and none where values lie anywhere', () => {
  assert.equal(shownStep(traceOf('instant', rounded(1, 1, 3, 200))), 1);
  assert.ok(Math.abs(shownStep(traceOf('average', rounded(0.1, 0.2, 3, 500))) - 0.1) < 1e-9);
  const random = seededRandom(3);
  assert.equal(
    shownStep(
      traceOf(
        'instant',
        Array.from({ length: 500 }, () => 3 + normalFrom(random)),
      ),
    ),
    0,
  );
  // Levels that repeat and keep no distance: a machine without noise and a meter without steps.
  const levels = [2.5, 3.37, 4.12];
  assert.equal(
    shownStep(
      traceOf(
        'instant',
        Array.from({ length: 90 }, (_, index) => levels[index % 3] as number),
      ),
    ),
    0,
  );
});

/** Values on one level or two, without noise. */
const onAndOff = (low: number, high: number, count: number): PowerTrace =>
  traceOf(
    'instant',
    Array.from({ length: count }, (_, index) => (index % 9 < 5 ? low : high)),
  );

test('shownStep() takes one level or two for rounded to their last place where there are many values, and no noise', () => {
  assert.equal(shownStep(onAndOff(2, 4, 200)), 1);
  assert.equal(shownStep(onAndOff(2, 2, 200)), 1);
  assert.equal(shownStep(onAndOff(2.4, 3.7, 200)), 0.1);
  assert.equal(shownStep(onAndOff(2.43, 3.71, 200)), 0);
  assert.equal(shownStep(onAndOff(2, 4, 50)), 0);
});

/** Readings of a counter that shows whole steps of what rises by about 3.7 J each time. */
const counted = (step: number): number[] =>
  Array.from({ length: 300 }, (_, at) => 3e6 + step * Math.floor((at * 3.7 + Math.sin(at)) / step));

test('shownStep() takes the smallest rise of a counter that all its rises are multiples of', () => {
  assert.ok(Math.abs(shownStep(traceOf('counter', counted(36))) - 36) < 1e-6);
  assert.ok(Math.abs(shownStep(traceOf('counter', counted(1))) - 1) < 1e-6);
  const random = seededRandom(5);
  let sumJ = 0;
  const fine = Array.from({ length: 300 }, () => (sumJ += 3 + random()));
  assert.ok(shownStep(traceOf('counter', fine)) < 1e-3);
  assert.equal(shownStep(traceOf('counter', Array(9).fill(5))), 0);
  assert.equal(shownStep(traceOf('counter', [0, 2, 4, 6, 8, 10])), 0);
});

test('roundingError() is a step over the root of 12 without noise, and what many means of rounded noise show with it', () => {
  assert.ok(Math.abs(roundingError(1, 0) - 1 / Math.sqrt(12)) < 1e-12);
  assert.ok(Math.abs(roundingError(1, 1e-4) - 1 / Math.sqrt(12)) < 3e-3);
  assert.equal(roundingError(0, 0.1), 0);
  for (const noise of [0.1, 0.2, 0.3]) {
    const errors = Array.from({ length: 60 }, (_, at) => {
      const mean = 3 + (at + 0.5) / 60;
      const values = rounded(1, noise, mean, 4000, at + 1);
      return values.reduce((sum, value) => sum + value, 0) / values.length - mean;
    });
    const seen = standardDeviation(errors);
    assert.ok(Math.abs(roundingError(1, noise) - seen) < 0.02, `${noise}: ${roundingError(1, noise)}, seen ${seen}`);
  }
});

test('shownDither() tells the noise from three neighbouring levels, and none from two or from levels apart', () => {
  assert.ok(Math.abs(shownDither(rounded(0.1, 0.1, 3.03, 2000), 0.1) - 0.1) < 0.01);
  assert.equal(shownDither(rounded(1, 0.1, 2.5, 500), 1), 0);
  assert.equal(shownDither(Array(50).fill(3), 1), 0);
  // A load of two powers, each rounded by itself.
  assert.equal(
    shownDither(
      Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? 2 : 5)),
      1,
    ),
    0,
  );
  assert.equal(shownDither([], 1), 0);
  assert.equal(shownDither([1, 2], 0), 0);
});
