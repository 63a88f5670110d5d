import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { monotonicNs } from '../../host/monotonic.ts';

const MOST_APART_NS = 10_000;
const THREADS = 8;

/** How far the clock is from `process.hrtime` at best, of many looks: a look may be interrupted. */
function apartNs(clock: () => number): number {
  let best = Infinity;
  for (let look = 0; look < 500; look++) {
    const before = Number(process.hrtime.bigint());
    const at = clock();
    const after = Number(process.hrtime.bigint());
    best = Math.min(best, Math.abs(at - (before + after) / 2));
  }
  return best;
}

function apartInThread(): Promise<number> {
  const url = new URL('../../host/monotonic.js', import.meta.url);
  const source = `
    ${apartNs.toString()}
    import(${JSON.stringify(url.href)}).then(({ monotonicNs }) => {
      require('node:worker_threads').parentPort.postMessage(apartNs(monotonicNs));
    });
  `;
  const worker = new Worker(source, { eval: true });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

test('monotonicNs() tells the same time in every thread', async () => {
  const apart = [apartNs(monotonicNs)];
  for (let thread = 0; thread < THREADS; thread++) apart.push(await apartInThread());
  for (const ns of apart) assert.ok(ns < MOST_APART_NS, `${ns} ns from CLOCK_MONOTONIC`);
});
