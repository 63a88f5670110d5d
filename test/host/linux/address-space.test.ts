import assert from 'node:assert/strict';
import { test } from 'node:test';
import { execFileSync } from 'node:child_process';
import { AddressSpace, memoryLimit } from '../../../host/linux/address-space.ts';
import { loadLibc } from '../../../host/linux/libc.ts';

test('memoryLimit() is at least one and no more than the address space could hold', () => {
  const limit = memoryLimit();
  assert.ok(Number.isInteger(limit) && limit >= 1 && limit <= 2 ** 47 / (10 * 2 ** 30), String(limit));
});

const GIB = 2 ** 30;
const skip = loadLibc() === undefined ? 'needs the C library' : false;

test('memoryLimit() leaves what the process has already, and what its threads will take', { skip }, () => {
  const module = new URL('../../../host/linux/address-space.js', import.meta.url).href;
  const code = `const { memoryLimit } = await import(${JSON.stringify(module)}); console.log([memoryLimit(1), memoryLimit(3)].join(' '));`;
  const limited = `ulimit -v ${(300 * GIB) / 1024} && exec "$0" --input-type=module --eval "$1"`;
  const told = execFileSync('/bin/sh', ['-c', limited, process.execPath, code], { encoding: 'utf8' });
  const [one, three] = told.trim().split(' ').map(Number) as [number, number];
  assert.ok(one < 30 && one >= 20, `${one} memories of 10 GiB in 300 GiB`);
  assert.ok(three < one && three >= 20, `${three} beside three threads`);
});

const twoMemories = (): WebAssembly.Memory[] => [1, 2].map((initial) => new WebAssembly.Memory({ initial }));

test('AddressSpace.hold() counts what it has made, and no more than there is room for', () => {
  const space = new AddressSpace(new SharedArrayBuffer(4), 3);
  const kept = space.hold('f', 2, twoMemories, (memories) => memories);
  assert.equal(space.live, 2);
  let made = 0;
  const refused = (): number =>
    space.hold(
      'f',
      2,
      () => made++,
      () => [],
    );
  assert.throws(refused, {
    code: 'ERR_NEBULA_ADDRESS_SPACE',
    fields: { name: 'f', detail: '2 of 3 memories are in use' },
  });
  assert.deepEqual([made, space.live, kept.length], [0, 2, 2]);
});

test('AddressSpace.hold() gives places back when nothing was made, and says that it was for want of memory', () => {
  const space = new AddressSpace(new SharedArrayBuffer(4), 3);
  const failing = (error: Error): void => {
    const fail = (): never => {
      throw error;
    };
    space.hold('f', 2, fail, () => []);
  };
  const memory = new RangeError('WebAssembly.Instance(): Out of memory: Cannot allocate Wasm memory for new instance');
  assert.throws(() => failing(memory), {
    code: 'ERR_NEBULA_ADDRESS_SPACE',
    fields: { name: 'f', detail: 'the process has no address space left for its memory' },
  });
  const other = new WebAssembly.RuntimeError('out of bounds');
  assert.throws(
    () => failing(other),
    (thrown) => thrown === other,
  );
  const deep = new RangeError('Maximum call stack size exceeded');
  assert.throws(
    () => failing(deep),
    (thrown) => thrown === deep,
  );
  assert.equal(space.live, 0);
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
