import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mean, standardDeviation } from '../../statistics/moments.ts';
import { NORMAL_BOUND_95, NORMAL_QUANTILE_80, normalFrom } from '../../statistics/normal.ts';
import { seededRandom } from '../../statistics/random.ts';

// Python 3.11: statistics.NormalDist().inv_cdf(0.975) and (0.8).
test('NORMAL_BOUND_95 and NORMAL_QUANTILE_80 are the quantiles rounded to six places', () => {
  assert.equal(NORMAL_BOUND_95.toFixed(6), (1.9599639845400536).toFixed(6));
  assert.equal(NORMAL_QUANTILE_80.toFixed(6), (0.8416212335729144).toFixed(6));
});

// Box and Muller's formula over a second implementation of the generator, in Python.
test('normalFrom() has the deviates that another program computed', () => {
  const random = seededRandom(1);
  for (const expected of [1.4043387784152637, 1.2157546192705377, -0.5103768768108126, -0.2518183315501483]) {
    const got = normalFrom(random);
    assert.ok(Math.abs(got - expected) < 1e-12, `expected ${expected}, got ${got}`);
  }
});

test('normalFrom() has mean 0, deviation 1, and a 20th outside the bound', () => {
  const random = seededRandom(2);
  const values = Float64Array.from({ length: 20_000 }, () => normalFrom(random));
  assert.ok(Math.abs(mean(values)) < 0.03);
  assert.ok(Math.abs(standardDeviation(values) - 1) < 0.02);
  const outside = values.filter((value) => Math.abs(value) > NORMAL_BOUND_95).length / values.length;
  assert.ok(Math.abs(outside - 0.05) < 0.006, String(outside));
});
