import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { unwatchAbort, watchAbort } from '../../pools/abort-watch.ts';

test('watchAbort() puts one listener on a signal, however many wait', async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on('warning', onWarning);
  const controller = new AbortController();
  const told: number[] = [];
  for (let index = 0; index < 20; index++) watchAbort(controller.signal, () => told.push(index));
  assert.equal(getEventListeners(controller.signal, 'abort').length, 1);
  controller.abort();
  assert.deepEqual(
    told,
    Array.from({ length: 20 }, (_, index) => index),
  );
  await turn();
  process.off('warning', onWarning);
  assert.deepEqual(warnings, []);
});

test('unwatchAbort() forgets one, also while others are told, and lets go of the signal with the last', () => {
  const controller = new AbortController();
  const { signal } = controller;
  const told: string[] = [];
  const second = (): void => void told.push('second');
  const third = (): void => void told.push('third');
  const first = (): void => {
    told.push('first');
    unwatchAbort(signal, third);
  };
  const gone = (): void => void told.push('gone');
  for (const each of [gone, first, second, third]) watchAbort(signal, each);
  unwatchAbort(signal, gone);
  controller.abort();
  assert.deepEqual(told, ['first', 'second']);

  const other = new AbortController().signal;
  watchAbort(other, first);
  unwatchAbort(other, first);
  assert.equal(getEventListeners(other, 'abort').length, 0);
});
