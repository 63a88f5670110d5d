/** When a slow function may have the last thread: no quick one waits that could use it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { monotonicNs } from '../../../host/monotonic.ts';
import { Fairness } from '../../../pools/worker/fairness.ts';
import { InvocationQueue, type QueuedFunction } from '../../../pools/worker/queue.ts';

const definitionOf = (id: string, concurrency: number = 8): QueuedFunction => ({
  id,
  name: id,
  limits: { queueLength: 64, concurrency },
});

/** Two threads, one of which a slow function has, and what waits. */
function made(): { readonly queue: InvocationQueue<{ definition: QueuedFunction }>; readonly mayRun: () => boolean } {
  const queue = new InvocationQueue<{ definition: QueuedFunction }>();
  const fairness = new Fairness({
    limit: 2,
    threads: () => 2,
    running: () => ['slow', undefined],
    someWaiting: (wanted) => queue.someWaiting(wanted),
    changes: () => queue.changes,
  });
  const slowNs = 1e12;
  fairness.answered(definitionOf('slow'), 0, slowNs, slowNs);
  for (let at = 0; at < 100; at++) fairness.add(`untried${at}`);
  return { queue, mayRun: () => fairness.mayRun('slow', 1, monotonicNs()) };
}

test('Fairness.mayRun() does not keep a thread free for a quick function that is at its concurrency', () => {
  const { queue, mayRun } = made();
  const quick = definitionOf('quick', 1);
  queue.started(quick);
  queue.push({ definition: quick });
  assert.equal(mayRun(), true);
  queue.ended(quick);
  assert.equal(mayRun(), false, 'now it could use one');
  assert.equal(queue.shift()?.definition, quick);
  assert.equal(mayRun(), true);
});

test('Fairness.mayRun() finds a quick function behind any number of others that wait', () => {
  const { queue, mayRun } = made();
  for (let at = 0; at < 100; at++) queue.push({ definition: definitionOf(`untried${at}`) });
  assert.equal(mayRun(), true);
  queue.push({ definition: definitionOf('quick') });
  assert.equal(mayRun(), false);
});
