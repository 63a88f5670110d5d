import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Starts } from '../../../pools/worker/starts.ts';

test('Starts expects a tenth of a second at first, then a quarter of what each start shows, at most half a second', () => {
  const starts = new Starts();
  assert.equal(starts.startNs, 100e6);
  starts.succeeded(20e6);
  assert.equal(starts.startNs, 80e6);
  starts.succeeded(80e6);
  assert.equal(starts.startNs, 80e6);
  starts.succeeded(10e9);
  assert.equal(starts.startNs, 80e6 + (500e6 - 80e6) / 4);
});

test('Starts gives up after three failures in a row, with the latest reason, until one succeeds', () => {
  const starts = new Starts();
  const reason = new Error('no memory');
  assert.equal(starts.areFailing, false);
  starts.because(new Error('an earlier one'));
  for (let failure = 1; failure <= 2; failure++) {
    starts.failed();
    assert.deepEqual([starts.areFailing, starts.giveUp(), starts.unstartable], [true, undefined, undefined]);
  }
  starts.because(reason);
  starts.failed();
  assert.deepEqual(
    [starts.unstartable, starts.giveUp(), starts.unstartable],
    [undefined, { error: reason }, { error: reason }],
  );
  starts.succeeded(1e6);
  assert.deepEqual([starts.areFailing, starts.unstartable, starts.giveUp()], [false, undefined, undefined]);
});

test('Starts.tryLater() waits 50 ms after one failure, twice as long after each more, and at most 5 s', (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  for (const [failures, pauseMs] of [
    [1, 50],
    [2, 100],
    [4, 400],
    [7, 3200],
    [8, 5000],
    [20, 5000],
  ] as const) {
    const starts = new Starts();
    for (let failure = 0; failure < failures; failure++) starts.failed();
    let tried = 0;
    const start = (): number => tried++;
    starts.tryLater(start);
    // One pause at a time.
    starts.tryLater(start);
    context.mock.timers.tick(pauseMs - 1);
    assert.equal(tried, 0, `${failures} failures`);
    context.mock.timers.tick(1);
    assert.equal(tried, 1, `${failures} failures`);
    starts.tryLater(start);
    context.mock.timers.tick(pauseMs);
    assert.equal(tried, 2);
    starts.tryLater(start);
    starts.close();
    context.mock.timers.tick(2 * pauseMs);
    assert.equal(tried, 2);
  }
});
