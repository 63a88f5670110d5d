import assert from 'node:assert/strict';
import { test } from 'node:test';
import { standardDeviation } from '../../statistics/moments.ts';
import { median, sorted } from '../../statistics/quantiles.ts';
import { medianAbsoluteDeviation, modifiedZScore, robustDeviation } from '../../statistics/robust.ts';

function assertNear(got: number, expected: number): void {
  assert.ok(Math.abs(got - expected) < 1e-9 * Math.abs(expected), `expected ${expected}, got ${got}`);
}

// NIST/SEMATECH e-Handbook 1.3.5.17: Iglewicz and Hoaglin call a modified Z-score above 3.5 an outlier.
test('modifiedZScore() tells an outlier from the others', () => {
  const values = sorted([2.1, 2.6, 2.4, 2.5, 2.3, 2.1, 2.3, 2.6, 8.2, 8.3]);
  assert.equal(median(values), 2.45);
  assertNear(medianAbsoluteDeviation(values), 0.15);
  assertNear(modifiedZScore(8.3, values), (0.6745 * 5.85) / 0.15);
  assert.deepEqual(
    [...values].filter((value) => Math.abs(modifiedZScore(value, values)) > 3.5),
    [8.2, 8.3],
  );
  assert.equal(modifiedZScore(1, sorted([1, 1, 1])), 0);
  assert.equal(modifiedZScore(2, sorted([1, 1, 1])), Number.POSITIVE_INFINITY);
});

// R 4, data set faithful: its first twenty waiting times in minutes; the median and its distances by Python's fractions.
test('medianAbsoluteDeviation() of twenty waiting times of Old Faithful', () => {
  const minutes = [79, 54, 74, 62, 85, 55, 88, 85, 51, 85, 54, 84, 78, 47, 83, 52, 62, 84, 52, 79];
  assert.equal(medianAbsoluteDeviation(sorted(minutes)), 10.5);
  assertNear(robustDeviation(minutes), 1.4826 * 10.5);
});

test('robustDeviation() is not moved by one wild value', () => {
  const values = [1, 2, 3, 4, 5, 1e6];
  assert.ok(robustDeviation(values) < 3);
  assert.ok(standardDeviation(values) > 1e5);
});
