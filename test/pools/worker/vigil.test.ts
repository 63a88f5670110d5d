/** Who waits for a thread keeps the process alive, and is looked after. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Vigil } from '../../../pools/worker/vigil.ts';

/** Timers that keep this process alive. */
function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}

test('Vigil.keep() keeps the process alive as long as someone waits, and no longer', () => {
  const before = timers();
  const vigil = new Vigil(() => undefined);
  for (let round = 0; round < 3; round++) {
    vigil.keep(true);
    vigil.keep(true);
    assert.equal(timers(), before + 1);
    vigil.keep(false);
    assert.equal(timers(), before);
  }
  vigil.keep(true);
  vigil.close();
  assert.equal(timers(), before);
});

test('Vigil.keep() has someone look again and again while one waits, and a timer for nobody', (context) => {
  context.mock.timers.enable({ apis: ['setInterval'] });
  let looks = 0;
  const vigil = new Vigil(() => {
    if (++looks === 3) vigil.keep(false);
  });
  vigil.keep(true);
  context.mock.timers.tick(10_000);
  assert.equal(looks, 3);
});
