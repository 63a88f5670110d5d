import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sendAtRate } from '../../../bench/load/arrivals.ts';

const OPTIONS = { ratePerSecond: 200, arrivals: 100, outstandingMax: 1000, drainMs: 2000 };

const never = (): Promise<undefined> => new Promise(() => undefined);

test('sendAtRate() sends at its rate', async () => {
  const startMs = performance.now();
  const { sent, answered, failures } = await sendAtRate(() => Promise.resolve(undefined), OPTIONS);
  const tookMs = performance.now() - startMs;
  assert.deepEqual({ sent, answered, failures }, { sent: 100, answered: 100, failures: {} });
  assert.ok(tookMs > 490, `${tookMs} ms`);
});

test('sendAtRate() counts the wait of all that a stalled server delays', async () => {
  // Answers nothing for 250 ms, then at once: half of the 100 requests are due meanwhile.
  const open = sleep(250);
  const send = async (): Promise<undefined> => {
    await open;
    return undefined;
  };
  const { latencyUs } = await sendAtRate(send, OPTIONS);
  // A generator that waits for each answer would have one slow request in 100, and a p75 of nothing.
  assert.ok(latencyUs.getValueAtPercentile(75) > 80_000, String(latencyUs.getValueAtPercentile(75)));
  assert.ok(latencyUs.maxValue > 230_000);
});

test('sendAtRate() counts failures by their reason', async () => {
  let calls = 0;
  const send = (): Promise<string | undefined> => {
    calls++;
    if (calls % 10 === 0) return Promise.resolve('HTTP 503');
    return calls % 25 === 0 ? Promise.reject(new Error('reset')) : Promise.resolve(undefined);
  };
  const { answered, failures, latencyUs } = await sendAtRate(send, { ...OPTIONS, ratePerSecond: 10_000 });
  assert.deepEqual(failures, { 'HTTP 503': 10, reset: 2 });
  assert.equal(answered, 88);
  assert.equal(latencyUs.totalCount, 88);
});

test('sendAtRate() stops at its limit of requests on the way, and drops none of the rest silently', async () => {
  const { sent, failures } = await sendAtRate(never, {
    ...OPTIONS,
    ratePerSecond: 10_000,
    outstandingMax: 20,
    drainMs: 20,
  });
  assert.deepEqual({ sent, failures }, { sent: 20, failures: { unsent: 80, unanswered: 20 } });
});
