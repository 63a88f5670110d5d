import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { loadLibc } from '../../../host/linux/libc.ts';
import { releaseThreadMemory, THREAD_MEMORY_BYTES } from '../../../host/linux/thread-memory.ts';
import { koffiStacks } from './mappings.ts';

const libc = loadLibc();
const skip =
  libc?.keptBytes === undefined || libc.getcontext(new Uint8Array(8192)) !== 0 ? 'koffi keeps nothing here' : false;

const MODULE = new URL('../../../host/linux/thread-memory.js', import.meta.url).href;
/** Tells, and then runs for ever. */
const THREAD = `const { parentPort, workerData } = require('node:worker_threads');
  import(${JSON.stringify(MODULE)}).then(({ tellThreadMemory }) => {
    tellThreadMemory(workerData);
    parentPort.postMessage('told');
    for (;;);
  });`;
const THREADS = 8;

test('releaseThreadMemory() gives back what koffi keeps of threads that were ended', { skip }, async () => {
  const before = koffiStacks();
  const told: SharedArrayBuffer[] = [];
  for (let made = 0; made < THREADS; made++) {
    const shared = new SharedArrayBuffer(THREAD_MEMORY_BYTES);
    const thread = new Worker(THREAD, { eval: true, workerData: shared });
    await once(thread, 'message');
    await thread.terminate();
    told.push(shared);
  }
  assert.equal(koffiStacks(), before + THREADS, 'this is what koffi keeps: with another version, see libc.ts');
  for (const shared of told) releaseThreadMemory(shared);
  assert.equal(koffiStacks(), before);
  for (const shared of told) assert.ok(new Float64Array(shared).every((value) => value === 0));
});

test('releaseThreadMemory() leaves a thread alone that told nothing', () => {
  const before = koffiStacks();
  releaseThreadMemory(new SharedArrayBuffer(THREAD_MEMORY_BYTES));
  assert.equal(koffiStacks(), before);
});
