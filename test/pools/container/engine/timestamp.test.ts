import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nsBetween } from '../../../../pools/container/engine/timestamp.ts';

test('nsBetween() keeps the nanoseconds that a Date would cut off', () => {
  assert.equal(nsBetween('2024-03-01T10:00:00.000000001Z', '2024-03-01T10:00:00.000000003Z'), 2);
  assert.equal(nsBetween('2024-03-01T10:00:00.9Z', '2024-03-01T10:00:01.100000007Z'), 200_000_007);
  assert.equal(nsBetween('2024-02-29T23:59:59Z', '2024-03-01T00:00:00Z'), 1e9);
  assert.equal(nsBetween('2024-03-01T10:00:01Z', '2024-03-01T10:00:00.75Z'), -250_000_000);
  assert.equal(nsBetween('2024-03-01T12:00:00.5+02:00', '2024-03-01T10:00:00.5Z'), 0);
});
