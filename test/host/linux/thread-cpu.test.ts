/** Processor time of threads, this one's and another's. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { hasThreadCpuClock, kernelThreadId, threadCpuNs, threadCpuNsOf } from '../../../host/linux/thread-cpu.ts';

const skip = hasThreadCpuClock() ? false : 'no C library tells the time of a thread here';

function spin(durationNs: bigint): void {
  for (const endNs = threadCpuNs() + durationNs; threadCpuNs() < endNs; ) continue;
}

test('threadCpuNsOf() of this thread is what threadCpuNs() tells', { skip }, () => {
  const own = kernelThreadId();
  const before = threadCpuNs();
  const asked = threadCpuNsOf(own);
  assert.ok(before <= asked && asked <= threadCpuNs());
});

test('threadCpuNsOf() of another thread counts what that runs, and nothing while this one does', { skip }, async () => {
  const source = `
    const { parentPort } = require('node:worker_threads');
    parentPort.postMessage(Number(require('node:fs').readlinkSync('/proc/thread-self').split('/').at(-1)));
    parentPort.on('message', (durationMs) => {
      for (const endMs = performance.now() + durationMs; performance.now() < endMs; ) continue;
      parentPort.postMessage('spun');
    });`;
  const worker = new Worker(source, { eval: true });
  const [id] = (await once(worker, 'message')) as [number];
  assert.notEqual(id, kernelThreadId());
  await new Promise((resolve) => setTimeout(resolve, 50));
  const idleNs = threadCpuNsOf(id);
  spin(100_000_000n);
  const stillNs = threadCpuNsOf(id);
  worker.postMessage(200);
  await once(worker, 'message');
  const spunNs = threadCpuNsOf(id);
  assert.ok(idleNs > 0n);
  assert.ok(
    spunNs - stillNs > stillNs - idleNs,
    `${spunNs - stillNs} ns while it spun, ${stillNs - idleNs} while it did not`,
  );
  await worker.terminate();
});

test('threadCpuNsOf() of no thread, and of one of another process, is -1n', { skip }, () => {
  assert.equal(threadCpuNsOf(0), -1n);
  assert.equal(threadCpuNsOf(1), -1n);
});
