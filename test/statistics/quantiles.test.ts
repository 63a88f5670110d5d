import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { interpolated, lowerRank, median, nearestRank, sorted } from '../../statistics/quantiles.ts';

/** R 4, data set faithful (Azzalini and Bowman 1990): its first twenty waiting times, in minutes. */
const WAITING = sorted([79, 54, 74, 62, 85, 55, 88, 85, 51, 85, 54, 84, 78, 47, 83, 52, 62, 84, 52, 79]);

/** Share; type 1; type 7; type 7 rounded down: by the definitions in Python's exact fractions. */
const KNOWN = [
  [0, 47, 47, 47],
  [0.05, 47, 50.8, 47],
  [0.1, 51, 51.9, 51],
  [0.25, 54, 54, 54],
  [1 / 3, 55, 172 / 3, 55],
  [0.5, 74, 76, 74],
  [2 / 3, 83, 245 / 3, 79],
  [0.75, 84, 84, 84],
  [0.95, 85, 85.15, 85],
  [1, 88, 88, 88],
] as const;

test('nearestRank() is type 1, interpolated() type 7, lowerRank() type 7 rounded down', () => {
  for (const [share, type1, type7, lower] of KNOWN) {
    assert.equal(nearestRank(WAITING, share), type1, `type 1 at ${share}`);
    assert.ok(Math.abs(interpolated(WAITING, share) - type7) < 1e-12, `type 7 at ${share}`);
    assert.equal(lowerRank(WAITING, share), lower, `rounded down at ${share}`);
  }
});

// numpy's documentation: np.quantile([[10, 7, 4], [3, 2, 1]], 0.5) is 3.5; Python's: median([1, 3, 5]) and median([1, 3, 5, 7]).
test('median() is between the two in the middle', () => {
  assert.equal(median(sorted([10, 7, 4, 3, 2, 1])), 3.5);
  assert.equal(median(sorted([3, 5, 1])), 3);
  assert.equal(median(sorted([7, 1, 5, 3])), 4);
  assert.equal(median(sorted([1, Number.POSITIVE_INFINITY])), Number.POSITIVE_INFINITY);
  assert.equal(median(sorted([1, 2, Number.POSITIVE_INFINITY])), 2);
});

test('quantiles of nothing are no number', () => {
  for (const quantile of [nearestRank, interpolated, lowerRank]) assert.ok(Number.isNaN(quantile(sorted([]), 0.5)));
  assert.ok(Number.isNaN(median(sorted([]))));
});

test('quantiles rise with the share, from the least to the greatest value', () => {
  const values = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 50 }).map(sorted);
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(values, share, share, (ascending, one, other) => {
      for (const quantile of [nearestRank, interpolated, lowerRank]) {
        assert.equal(quantile(ascending, 0), ascending[0]);
        assert.equal(quantile(ascending, 1), ascending.at(-1));
        assert.ok(quantile(ascending, Math.min(one, other)) <= quantile(ascending, Math.max(one, other)));
      }
      assert.ok(lowerRank(ascending, one) <= interpolated(ascending, one));
      assert.ok(ascending.includes(nearestRank(ascending, one)));
    }),
    { seed: 1 },
  );
});

test('sorted() leaves its input as it was', () => {
  const values = [4, 1, 3, 2];
  assert.deepEqual([...sorted(values)], [1, 2, 3, 4]);
  assert.deepEqual(values, [4, 1, 3, 2]);
});
