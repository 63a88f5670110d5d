import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AddressSpace, memoryLimit } from '../../host/address-space.ts';

test('memoryLimit() is at least one and no more than the address space could hold', () => {
  const limit = memoryLimit();
  assert.ok(Number.isInteger(limit) && limit >= 1 && limit <= 2 ** 47 / (10 * 2 ** 30), String(limit));
});

test('AddressSpace.acquire() gives as many places as the limit, and again what was cancelled', () => {
  const space = new AddressSpace(new SharedArrayBuffer(4), 3);
  assert.deepEqual([space.acquire(), space.acquire(), space.acquire(), space.acquire()], [true, true, true, false]);
  assert.equal(space.live, 3);
  space.cancel();
  assert.equal(space.live, 2);
  assert.deepEqual([space.acquire(), space.acquire()], [true, false]);
});

test('AddressSpace counts in memory that threads share', () => {
  const shared = new SharedArrayBuffer(4);
  const [one, other] = [new AddressSpace(shared, 2), new AddressSpace(shared, 2)];
  assert.equal(one.acquire() && other.acquire(), true);
  assert.equal(one.acquire(), false);
  assert.equal(other.live, 2);
});

/** In a function of its own, so that no register or stack slot keeps the memories alive. */
function fill(space: AddressSpace, count: number): void {
  for (let made = 0; made < count; made++) {
    assert.equal(space.acquire(), true);
    space.track(new WebAssembly.Memory({ initial: 1, maximum: 1 }));
  }
}

test('AddressSpace.reclaim() gives back the places of memories that nothing refers to', async () => {
  const space = new AddressSpace(new SharedArrayBuffer(4), 20);
  fill(space, 20);
  assert.equal(space.acquire(), false);
  await space.reclaim();
  assert.ok(space.live < 20, `${space.live} live`);
  assert.equal(space.acquire(), true);
});

test('AddressSpace.reclaim() leaves the places of memories in use', async () => {
  const space = new AddressSpace(new SharedArrayBuffer(4), 2);
  const kept = Array.from({ length: 2 }, () => {
    space.acquire();
    const memory = new WebAssembly.Memory({ initial: 1 });
    space.track(memory);
    return memory;
  });
  await space.reclaim();
  assert.equal(space.live, 2);
  assert.equal(kept.length, 2);
});
