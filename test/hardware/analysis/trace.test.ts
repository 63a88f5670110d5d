import assert from 'node:assert/strict';
import { test } from 'node:test';
import { medianIntervalS, requireTrace, unwrapCounter, type PowerTrace } from '../../../hardware/analysis/trace.ts';

const traceOf = (timeS: readonly number[], value: readonly number[]): PowerTrace => ({
  source: 'a table',
  rule: 'instant',
  clock: 'logger',
  synthetic: true,
  timeS: Float64Array.from(timeS),
  value: Float64Array.from(value),
  refreshS: 1,
  resolution: 0,
  breaks: [],
});

test('medianIntervalS() is the middle of the times between neighbours, whatever their order', () => {
  assert.equal(medianIntervalS(Float64Array.of(0, 5, 6, 8)), 2);
  assert.equal(medianIntervalS(Float64Array.of(1, 2, 5)), 2);
  assert.equal(medianIntervalS(Float64Array.of(3, 4.5)), 1.5);
  assert.ok(Number.isNaN(medianIntervalS(Float64Array.of(3))));
  assert.ok(Number.isNaN(medianIntervalS(new Float64Array())));
});

test('requireTrace() passes a trace on as it is, of two samples at the least', () => {
  const trace = traceOf([0, 1], [5, -5]);
  assert.equal(requireTrace(trace), trace);
});

const REFUSED: readonly (readonly [PowerTrace, expected: string, got: string | number])[] = [
  [traceOf([0], [1]), 'at least two samples', 1],
  [traceOf([0, 1], [1]), '2 values', 1],
  [traceOf([0, Number.NaN], [1, 1]), 'times in seconds', Number.NaN],
  [traceOf([Number.NEGATIVE_INFINITY, 1], [1, 1]), 'times in seconds', Number.NEGATIVE_INFINITY],
  [traceOf([0, 1, 2], [1, Number.NaN, 1]), 'values that are numbers', 'NaN at 1 s'],
  [traceOf([0, 1], [Number.POSITIVE_INFINITY, 1]), 'values that are numbers', 'Infinity at 0 s'],
  [traceOf([0, 2, 2], [1, 1, 1]), 'rising times', '2 s after 2 s'],
  [traceOf([0, 2, 1], [1, 1, 1]), 'rising times', '1 s after 2 s'],
];

for (const [trace, expected, got] of REFUSED) {
  test(`requireTrace() refuses ${got} where it expects ${expected}`, () => {
    assert.throws(() => requireTrace(trace), { key: 'TRACE_INVALID', fields: { source: 'a table', expected, got } });
  });
}

test('unwrapCounter() adds the range where the counter fell from its upper half into its lower', () => {
  assert.deepEqual(unwrapCounter([90, 10, 60, 20], 100), {
    value: Float64Array.of(90, 110, 160, 220),
    wraps: 2,
    resets: [],
  });
  assert.deepEqual(unwrapCounter([50, 49], 100), { value: Float64Array.of(50, 149), wraps: 1, resets: [] });
});

test('unwrapCounter() takes any other fall as a reset, and goes on from where the counter was', () => {
  assert.deepEqual(unwrapCounter([49, 10, 12], 100), { value: Float64Array.of(49, 49, 51), wraps: 0, resets: [0] });
  assert.deepEqual(unwrapCounter([60, 50, 55], 100), { value: Float64Array.of(60, 60, 65), wraps: 0, resets: [0] });
  assert.deepEqual(unwrapCounter([5, 7, 0, 3]), { value: Float64Array.of(5, 7, 7, 10), wraps: 0, resets: [1] });
});

test('unwrapCounter() leaves what rises or stands', () => {
  assert.deepEqual(unwrapCounter([1, 1, 4], 100), { value: Float64Array.of(1, 1, 4), wraps: 0, resets: [] });
  assert.deepEqual(unwrapCounter([], 100), { value: new Float64Array(), wraps: 0, resets: [] });
});

test('unwrapCounter() tells a wrap from a reset', () => {
  const wrapped = unwrapCounter([90, 98, 5, 50, 60, 97, 1], 100);
  assert.deepEqual([...wrapped.value], [90, 98, 105, 150, 160, 197, 201]);
  assert.deepEqual([wrapped.wraps, wrapped.resets], [2, []]);
  const reset = unwrapCounter([5, 7, 1, 4], undefined);
  assert.deepEqual([...reset.value], [5, 7, 7, 10]);
  assert.deepEqual(reset.resets, [1]);
  assert.deepEqual(unwrapCounter([30, 10], 100).resets, [0]);
});

test('medianIntervalS() is not moved by one gap', () => {
  assert.equal(medianIntervalS(Float64Array.from([0, 1, 2, 3, 100])), 1);
  assert.equal(medianIntervalS(Float64Array.from([0, 1, 4])), 2);
});
