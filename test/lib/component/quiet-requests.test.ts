import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { leave, lookAt } from '../../../lib/component/quiet-requests.ts';

class Guest {
  hasNews = false;
  told = 0;

  tell(): void {
    this.told++;
  }
}

test('lookAt() tells each request once when its guest has told something, and none that was left', async () => {
  const [early, late, gone] = [new Guest(), new Guest(), new Guest()];
  for (const guest of [early, late, gone]) lookAt(guest);
  leave(gone);
  [early.hasNews, gone.hasNews] = [true, true];
  while (early.told === 0) await sleep(5);
  assert.deepEqual([early.told, late.told], [1, 0]);
  late.hasNews = true;
  while (late.told === 0) await sleep(5);
  // It looks again after it had nothing to look at.
  lookAt(early);
  while (early.told < 2) await sleep(5);
  assert.deepEqual([early.told, late.told, gone.told], [2, 1, 0]);
});

test('lookAt() has few of many requests looked at in a turn, all of them in the end, and no caller wait for many looks', async () => {
  let looks = 0;
  class Watched {
    isThere = false;
    told = 0;

    get hasNews(): boolean {
      looks++;
      return this.isThere;
    }

    tell(): void {
      this.told++;
    }
  }
  const all = Array.from({ length: 1_000 }, () => new Watched());
  for (const guest of all) lookAt(guest);
  let most = 0;
  for (let turns = 0; turns < 50; turns++) {
    const before = looks;
    await sleep(3);
    // A timer that is late is not called twice for that.
    most = Math.max(most, looks - before);
  }
  assert.ok(looks > 1_000, `${looks} looks`);
  assert.ok(most < 1_000, `${most} looks at once`);
  for (const guest of all) guest.isThere = true;
  while (all.some(({ told }) => told === 0)) await sleep(5);
  assert.ok(all.every(({ told }) => told === 1));
});
