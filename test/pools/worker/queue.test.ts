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

test('push() holds against a function what it has used as long as calls of it run', () => {
  const queue = new InvocationQueue();
  for (let call = 0; call < 2; call++) queue.started(SLOW);
  queue.ended(SLOW, false, 1000);
  const [slow, quick] = [{ definition: SLOW }, { definition: QUICK }];
  queue.push(slow);
  queue.push(quick);
  assert.deepEqual([queue.shift(), queue.shift()], [quick, slow]);
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

const NARROW: QueuedFunction = { id: 'narrow', name: 'narrow', limits: { queueLength: 2, concurrency: 2 } };
const call = (definition: QueuedFunction): { readonly definition: QueuedFunction } => ({ definition });

test('push() refuses more of a function than its queue may hold, those that wait in a thread included', () => {
  const queue = new InvocationQueue();
  const full = { key: 'QUEUE_FULL', fields: { name: 'narrow', limit: 2 } };
  queue.started(NARROW);
  queue.started(NARROW, true);
  queue.push(call(NARROW));
  assert.deepEqual([queue.length, queue.waiting], [1, 2]);
  assert.throws(() => queue.push(call(NARROW)), full);
  assert.throws(() => queue.refuseFull(NARROW), full);
  queue.push(call(QUICK));
  queue.advanced(NARROW);
  assert.deepEqual([queue.length, queue.waiting], [2, 2]);
  queue.push(call(NARROW));
  assert.throws(() => queue.push(call(NARROW)), full);
  assert.equal(queue.length, 3);
});

test('shift() and mayStart() keep to a function’s concurrency, and to those before it that wait', () => {
  const queue = new InvocationQueue();
  assert.equal(queue.mayStart(NARROW), true);
  const waiting = [call(NARROW), call(NARROW)];
  queue.push(waiting[0] as ReturnType<typeof call>);
  assert.equal(queue.mayStart(NARROW), false);
  queue.push(waiting[1] as ReturnType<typeof call>);
  queue.started(NARROW);
  assert.deepEqual([queue.wantsThread, queue.shift()], [true, waiting[0]]);
  queue.started(NARROW);
  assert.deepEqual([queue.wantsThread, queue.shift()], [false, undefined]);
  queue.ended(NARROW);
  assert.deepEqual([queue.wantsThread, queue.shift()], [true, waiting[1]]);
  assert.deepEqual([queue.wantsThread, queue.mayStart(NARROW)], [false, true]);
  queue.started(NARROW);
  assert.equal(queue.mayStart(NARROW), false);
});

test('requeue() puts what came back before all others, in its order, of its function and of all', () => {
  const queue = new InvocationQueue();
  const [first, second, third, other] = [call(SLOW), call(SLOW), call(SLOW), call(QUICK)];
  queue.push(other);
  queue.push(third);
  queue.requeue([first, second]);
  assert.equal(queue.length, 4);
  assert.deepEqual([queue.shift(), queue.shift(), queue.shift(), queue.shift()], [first, other, second, third]);
});

test('remove() takes what waits and nothing else, and a function of which nothing is left is idle', () => {
  const queue = new InvocationQueue();
  const [one, two] = [call(SLOW), call(SLOW)];
  queue.push(one);
  assert.deepEqual([queue.remove(two), queue.remove(one), queue.remove(one)], [false, true, false]);
  assert.deepEqual([queue.isEmpty, queue.isIdle('slow'), queue.length], [true, true, 0]);
  queue.started(SLOW);
  assert.deepEqual([queue.isEmpty, queue.isIdle('slow'), queue.isIdle('quick')], [false, false, true]);
  queue.started(SLOW, true);
  queue.ended(SLOW, true);
  assert.deepEqual([queue.waiting, queue.isEmpty], [0, false]);
  queue.ended(SLOW);
  assert.equal(queue.isEmpty, true);
  queue.ended(SLOW);
  queue.advanced(SLOW);
  assert.deepEqual([queue.isEmpty, queue.waiting], [true, 0]);
});

test('drain() takes all that waits, or all of one function, and leaves what runs', () => {
  const queue = new InvocationQueue();
  const [slow, quick] = [call(SLOW), call(QUICK)];
  queue.started(SLOW);
  queue.push(slow);
  queue.push(quick);
  assert.deepEqual(queue.drain('none'), []);
  assert.deepEqual(queue.drain(), [slow, quick]);
  assert.deepEqual([queue.length, queue.isIdle('slow'), queue.isIdle('quick')], [0, false, true]);
});

const isMember = (id: string): boolean => id.startsWith('member');

test('shift() asks nobody of a crowd again while it is held back, and gives all of them their turns when it is not', () => {
  const members = Array.from({ length: 5 }, (_, at) => named(`member${at}`));
  let isHeldBack = true;
  let asked = 0;
  const queue = new InvocationQueue<{ definition: QueuedFunction }>(
    (id) => {
      if (!isMember(id)) return true;
      asked++;
      return !isHeldBack;
    },
    { holdsBack: (id) => isMember(id) && isHeldBack, isHeldBack: () => isHeldBack },
  );
  for (const definition of members) queue.push({ definition });
  for (let call = 0; call < 10; call++) {
    queue.push({ definition: QUICK });
    assert.equal(queue.shift()?.definition, QUICK);
  }
  assert.equal(asked, members.length);
  assert.equal(queue.someWaiting(isMember), true, 'they wait nevertheless');
  const [first, second, third] = members as [QueuedFunction, QueuedFunction, QueuedFunction];
  queue.push({ definition: first });
  assert.equal(queue.drain(second.id).length, 1);
  queue.requeue([{ definition: third }]);
  queue.shift();
  isHeldBack = false;
  const taken: string[] = [];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) taken.push(next.definition.id);
  assert.deepEqual(taken, ['member2', 'member0', 'member3', 'member4', 'member2', 'member0']);
  assert.equal(queue.length, 0);
});

test('ended() gives a function that was held back its turn: it may be none of the crowd any more', () => {
  let isOfThem = true;
  const queue = new InvocationQueue<{ definition: QueuedFunction }>(() => !isOfThem, {
    holdsBack: () => isOfThem,
    isHeldBack: () => true,
  });
  queue.started(SLOW);
  queue.push({ definition: SLOW });
  assert.equal(queue.shift(), undefined);
  isOfThem = false;
  assert.equal(queue.shift(), undefined);
  queue.ended(SLOW);
  assert.equal(queue.shift()?.definition, SLOW);
});
