import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  deviationOf,
  medianOf,
  quantileOf,
  robustDeviationOf,
  studentBound,
} from '../../../hardware/analysis/statistics.ts';

test('studentBound() agrees with the printed table', () => {
  const table = [
    [1, 12.706],
    [2, 4.303],
    [5, 2.571],
    [10, 2.228],
    [30, 2.042],
    [120, 1.98],
  ] as const;
  for (const [freedom, bound] of table) assert.ok(Math.abs(studentBound(freedom) - bound) < 6e-4, `${freedom}`);
  assert.ok(Math.abs(studentBound(10, 0.99) - 3.169) < 6e-4);
  assert.equal(studentBound(0), Number.POSITIVE_INFINITY);
});

test('quantileOf() interpolates between ranks and leaves its input as it was', () => {
  const values = [4, 1, 3, 2];
  assert.equal(medianOf(values), 2.5);
  assert.equal(quantileOf(values, 0), 1);
  assert.equal(quantileOf(values, 1), 4);
  assert.deepEqual(values, [4, 1, 3, 2]);
  assert.ok(Number.isNaN(medianOf([])));
});

test('robustDeviationOf() is not moved by one wild value', () => {
  const values = [1, 2, 3, 4, 5, 1e6];
  assert.ok(robustDeviationOf(values) < 3);
  assert.ok(deviationOf(values) > 1e5);
});
