import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openAsked } from '../../../hardware/meter/asked-source.ts';
import type { Reading } from '../../../hardware/meter/power-source.ts';

async function firstReading(refreshS: number): Promise<Reading | undefined> {
  const asker = {
    name: 'a meter',
    address: 'here',
    read: () => sleep(100, 7),
    close: () => Promise.resolve(),
  };
  const source = await openAsked(asker, { refreshS, resolution: 1 });
  for await (const reading of source.readings(AbortSignal.timeout(30_000))) return reading;
  return undefined;
}

test('openAsked() loses an answer that took longer than the meter renews its value', async () => {
  const lost = await firstReading(0.05);
  assert.equal(lost?.kind, 'lost');
  assert.match(lost.detail, /^an answer after \d+\.\d\d s$/);
  const value = await firstReading(1000);
  assert.equal(value?.kind === 'value' && value.value, 7);
});
