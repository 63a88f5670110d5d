import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { studentBound } from '../../statistics/student.ts';

// One and two degrees have closed forms; the others by Python: bisection of Simpson's rule over cos(x)^(n - 1), 20,000 steps.
// They round to the printed tables (NIST/SEMATECH e-Handbook 1.3.6.7.2).
test('studentBound() agrees with the printed table, and with another program to nine digits', () => {
  const table = [
    [1, 0.95, Math.tan(0.475 * Math.PI)],
    [2, 0.95, 1.9 / Math.sqrt(2 * 0.975 * 0.1)],
    [2.5, 0.95, 3.574654842],
    [3, 0.95, 3.182446305283699],
    [4, 0.9, 2.131846786326645],
    [5, 0.95, 2.5705818356363235],
    [10, 0.95, 2.2281388519862606],
    [10, 0.99, 3.1692726726168825],
    [30, 0.95, 2.0422724563012884],
    [120, 0.95, 1.9799304050824467],
  ] as const;
  for (const [freedom, confidence, bound] of table) {
    const got = studentBound(freedom, confidence);
    assert.ok(Math.abs(got - bound) < 1e-9 * bound, `${freedom} ${confidence}: ${got}`);
  }
  assert.equal(studentBound(10), studentBound(10, 0.95));
});

test('studentBound() is infinite where no freedom is left', () => {
  for (const freedom of [0, -1, Number.NaN]) assert.equal(studentBound(freedom), Number.POSITIVE_INFINITY);
});

test('studentBound() falls with freedom towards the normal bound, and grows with confidence', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), fc.double({ min: 0.5, max: 0.98, noNaN: true }), (freedom, share) => {
      const bound = studentBound(freedom, share);
      assert.ok(studentBound(freedom + 1, share) < bound);
      assert.ok(studentBound(freedom, share + 0.01) > bound);
      assert.ok(studentBound(freedom) > 1.959963984540054);
    }),
    { seed: 1 },
  );
});
