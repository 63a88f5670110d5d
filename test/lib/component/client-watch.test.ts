import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { ClientWatch, type Watched } from '../../../lib/component/client-watch.ts';

class Guest implements Watched {
  isAwaited = true;
  isReceiving: boolean;
  movedBytes = 0;
  isStopped = false;

  constructor(isReceiving = false) {
    this.isReceiving = isReceiving;
  }

  stopSlow(): void {
    this.isStopped = true;
  }
}

/** A watch over two threads with calls that wait, its clock the test's. */
function watchOf(t: TestContext, load: { running: number; waiting: number }): [ClientWatch, (ms: number) => void] {
  t.mock.timers.enable({ apis: ['setInterval'] });
  return [new ClientWatch(2, () => load), (ms) => t.mock.timers.tick(ms)];
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('ClientWatch', () => {
  it('stops nobody while nobody waits for a thread', (t) => {
    const [watch, tick] = watchOf(t, { running: 2, waiting: 0 });
    const guest = new Guest();
    watch.add(guest);
    tick(60_000);
    assert.equal(guest.isStopped, false);
  });

  it('stops as many as calls wait, the slowest first, and none that computes', (t) => {
    const [watch, tick] = watchOf(t, { running: 2, waiting: 1 });
    const [slow, slower, busy] = [new Guest(), new Guest(), new Guest()];
    busy.isAwaited = false;
    for (const each of [slow, slower, busy]) watch.add(each);
    tick(100);
    slow.movedBytes = 6000;
    tick(150);
    assert.deepEqual(
      [slow, slower, busy].map(({ isStopped }) => isStopped),
      [false, false, false],
    );
    tick(50);
    assert.deepEqual(
      [slow, slower, busy].map(({ isStopped }) => isStopped),
      [false, true, false],
    );
    tick(50);
    assert.deepEqual(
      [slow, slower, busy].map(({ isStopped }) => isStopped),
      [true, true, false],
    );
  });

  it('stops nobody for calls that wait though a thread is free', (t) => {
    const [watch, tick] = watchOf(t, { running: 1, waiting: 5 });
    const guest = new Guest();
    watch.add(guest);
    tick(60_000);
    assert.equal(guest.isStopped, false);
  });

  it('gives a client that sends and reads its time', (t) => {
    const [watch, tick] = watchOf(t, { running: 2, waiting: 5 });
    const guest = new Guest();
    watch.add(guest);
    for (let round = 0; round < 2000; round++) {
      guest.movedBytes += 8192;
      tick(50);
    }
    assert.equal(guest.isStopped, false);
    // However much it moved before, it has no more time than another.
    guest.movedBytes += 50_000_000;
    tick(50);
    tick(200);
    assert.equal(guest.isStopped, false);
    tick(100);
    assert.equal(guest.isStopped, true);
  });

  it('takePlace() has all threads but one, and the function with the fewest is next', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const watch = new ClientWatch(3, () => ({ running: 0, waiting: 0 }));
    const begun: string[] = [];
    const take = (name: string): void => void watch.takePlace(name, 10, undefined).then(() => begun.push(name));
    for (const name of ['a', 'a', 'a', 'a', 'b']) take(name);
    await settled();
    assert.deepEqual(begun, ['a', 'a']);
    watch.leavePlace('a');
    await settled();
    assert.deepEqual(begun, ['a', 'a', 'b']);
    watch.leavePlace('a');
    await settled();
    assert.deepEqual(begun, ['a', 'a', 'b', 'a']);
  });

  it('takePlace() stops a guest whose body still comes for the next, and no other', async (t) => {
    const [watch, tick] = watchOf(t, { running: 1, waiting: 0 });
    await watch.takePlace('a', 10, undefined);
    const [receiving, reading] = [new Guest(true), new Guest()];
    watch.add(reading);
    watch.add(receiving);
    void watch.takePlace('b', 10, undefined);
    tick(1000);
    assert.deepEqual([receiving.isStopped, reading.isStopped], [true, false]);
  });

  it('takePlace() refuses more than may wait, and forgets who has gone', async () => {
    const watch = new ClientWatch(1, () => ({ running: 0, waiting: 0 }));
    await watch.takePlace('a', 1, undefined);
    const gone = new AbortController();
    const waiting = watch.takePlace('a', 1, gone.signal);
    await assert.rejects(watch.takePlace('a', 1, undefined), { code: 'ERR_NEBULA_QUEUE_FULL' });
    gone.abort();
    await assert.rejects(waiting, { code: 'ERR_NEBULA_CLIENT_CLOSED' });
    watch.leavePlace('a');
    await watch.takePlace('a', 1, undefined);
  });
});
