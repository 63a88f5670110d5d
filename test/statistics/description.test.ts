import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeSample } from '../../statistics/description.ts';

test('describeSample() tells n, percentiles by the nearest rank, and the ends', () => {
  const {
    n,
    median: middle,
    p5,
    p95,
    p99,
    min,
    max,
  } = describeSample(Array.from({ length: 100 }, (_, at) => 100 - at));
  assert.deepEqual(
    { n, middle, p5, p95, p99, min, max },
    { n: 100, middle: 50.5, p5: 5, p95: 95, p99: 99, min: 1, max: 100 },
  );
});

test('describeSample() of nothing has no number but n', () => {
  const { n, ...others } = describeSample([]);
  assert.equal(n, 0);
  for (const value of Object.values(others)) assert.ok(Number.isNaN(value));
});
