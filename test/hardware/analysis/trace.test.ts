import assert from 'node:assert/strict';
import { test } from 'node:test';
import { medianIntervalS, requireTrace, unwrapCounter, type PowerTrace } from '../../../hardware/analysis/trace.ts';

const trace = (rule: PowerTrace['rule'], timeS: number[], value: number[]): PowerTrace => ({
  source: 'table',
  rule,
  clock: 'logger',
  synthetic: true,
  timeS: Float64Array.from(timeS),
  value: Float64Array.from(value),
  refreshS: 1,
  resolution: 0,
  breaks: [],
});

test('requireTrace() names what is wrong with a trace', () => {
  assert.throws(() => requireTrace(trace('instant', [0], [1])), /at least two samples, got 1/);
  assert.throws(() => requireTrace(trace('instant', [0, 1], [1])), /2 values, got 1/);
  assert.throws(() => requireTrace(trace('instant', [0, 2, 2], [1, 1, 1])), /rising times, got 2 s after 2 s/);
  assert.throws(
    () => requireTrace(trace('instant', [0, 1], [1, Number.NaN])),
    /values that are numbers, got NaN at 1 s/,
  );
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

test('medianIntervalS() is not moved by one gap, and no number of fewer than two samples', () => {
  assert.equal(medianIntervalS(Float64Array.from([0, 1, 2, 3, 100])), 1);
  assert.equal(medianIntervalS(Float64Array.from([0, 1, 4])), 2);
  assert.ok(Number.isNaN(medianIntervalS(Float64Array.from([1]))));
});
