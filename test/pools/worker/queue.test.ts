/** Whose invocation is next. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvocationQueue, type QueuedFunction } from '../../../pools/worker/queue.ts';

const named = (name: string): QueuedFunction => ({
  id: name,
  name,
  limits: { queueLength: 1000, concurrency: 64 },
});
const [SLOW, QUICK] = [named('slow'), named('quick')];

/** Has one thread run what is next for as long as its function takes, and answers how much of the time each had. */
function serve(queue: InvocationQueue<{ definition: QueuedFunction }>, runNs: Record<string, number>): number[] {
  const usedNs: Record<string, number> = { slow: 0, quick: 0 };
  for (let call = 0; call < 200; call++) {
    const next = queue.shift();
    assert.ok(next !== undefined);
    const { definition } = next;
    queue.started(definition);
    queue.ended(definition, false, runNs[definition.name] ?? 0);
    usedNs[definition.name] = (usedNs[definition.name] ?? 0) + (runNs[definition.name] ?? 0);
  }
  return [usedNs['slow'] ?? 0, usedNs['quick'] ?? 0];
}

test('shift() gives functions that wait equal time of threads, not equal numbers of calls', () => {
  const queue = new InvocationQueue();
  for (let call = 0; call < 200; call++) for (const definition of [SLOW, QUICK]) queue.push({ definition });
  const [slowNs = 0, quickNs = 0] = serve(queue, { slow: 100, quick: 10 });
  assert.ok(Math.abs(slowNs - quickNs) <= 100, `${slowNs} and ${quickNs}`);
});

test('shift() holds nothing against a function for what it used while nobody else waited', () => {
  const queue = new InvocationQueue();
  for (let call = 0; call < 300; call++) queue.push({ definition: QUICK });
  for (let call = 0; call < 100; call++) {
    queue.shift();
    queue.started(QUICK);
    queue.ended(QUICK, false, 1000);
  }
  for (let call = 0; call < 200; call++) queue.push({ definition: SLOW });
  const [slowNs = 0, quickNs = 0] = serve(queue, { slow: 100, quick: 100 });
  assert.ok(Math.abs(slowNs - quickNs) <= 1100, `${slowNs} and ${quickNs}`);
});

test('shift() passes over a function that its gate holds back, and drain() takes what waits of one', () => {
  const closed = new Set(['slow']);
  const queue = new InvocationQueue((id) => !closed.has(id));
  const [slow, quick] = [{ definition: SLOW }, { definition: QUICK }];
  assert.equal(queue.mayStart(SLOW), false);
  queue.push(slow);
  queue.push(quick);
  assert.equal(queue.shift(), quick);
  queue.started(QUICK);
  assert.equal(queue.shift(), undefined);
  queue.ended(QUICK);
  assert.deepEqual(queue.drain('slow'), [slow]);
  assert.deepEqual([queue.isEmpty, queue.length], [true, 0]);
});

test('shift() looks at a few functions of all that wait, so that each has its turn and none is searched for', () => {
  const queue = new InvocationQueue();
  const busy = Array.from({ length: 100 }, (_, index) => named(`busy-${index}`));
  for (const definition of busy) for (let call = 0; call < 3; call++) queue.push({ definition });
  for (const definition of busy) {
    assert.equal(queue.shift()?.definition, definition);
    queue.started(definition);
    queue.ended(definition, false, 1000);
  }
  queue.push({ definition: QUICK });
  const order = Array.from({ length: 101 }, () => queue.shift()?.definition.name);
  assert.equal(order[0], 'busy-0');
  assert.ok(order.includes('quick'));
});
