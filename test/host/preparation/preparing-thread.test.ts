import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { resolveLimits } from '../../../host/limits.ts';
import { endIdleProcesses } from '../../../host/preparation/children.ts';
import { PreparingThread } from '../../../host/preparation/preparing-thread.ts';
import { guestModule } from '../function.ts';

const limits = resolveLimits();
const task = { kind: 'module', bytes: guestModule('noop'), limits } as const;
const started = (source: string) => () => new Worker(source, { eval: true });

test('PreparingThread does a task where it was asked if the thread does not start', async (context) => {
  context.after(endIdleProcesses);
  for (const source of ['process.exit(3)', 'throw new Error("it has no file")']) {
    const thread = new PreparingThread(started(source));
    assert.equal((await thread.prepare(task, limits)).info.entry, '_start');
    assert.equal(thread.isUsable, false);
  }
});

/** A thread that takes a task and ends. */
const endingWith = (end: string): string => `const { parentPort } = require('node:worker_threads');
  parentPort.on('message', () => { ${end} });
  parentPort.postMessage({ kind: 'ready' });`;

test('PreparingThread says what its thread ended with in the middle of a task', async () => {
  for (const [end, detail] of [
    ['process.exit(3)', 'its thread exited with 3'],
    ['throw new Error("no more")', 'its thread failed: no more'],
  ] as const) {
    const thread = new PreparingThread(started(endingWith(end)));
    const both = [thread.prepare(task, limits), thread.prepare(task, limits)];
    for (const lost of both)
      await assert.rejects(lost, { key: 'PREPARER_LOST', fields: { step: 'preparing', detail } });
    assert.equal(thread.isUsable, false);
  }
});

test('PreparingThread is idle between tasks, and is gone once it was left', async () => {
  const thread = new PreparingThread();
  const underWay = thread.prepare(task, limits);
  assert.equal(thread.isIdle, false);
  await underWay;
  assert.deepEqual([thread.isIdle, thread.isUsable], [true, true]);
  await Promise.all([thread.leave(), thread.leave()]);
  assert.equal(thread.isUsable, false);
});
