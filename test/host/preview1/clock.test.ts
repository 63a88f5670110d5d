import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { loadLibc } from '../../../host/linux/libc.ts';
import { Guest, type GuestOptions } from './guest.ts';

type Clocks = NonNullable<NonNullable<GuestOptions['capabilities']>['clocks']>;

function time(clocks: Clocks, clock: number): bigint {
  const guest = new Guest({ capabilities: { clocks } });
  const room = guest.room(8);
  assert.equal(guest.call('clock_time_get', clock, 0n, room), 'success');
  return guest.u64(room);
}

function resolution(clocks: Clocks, clock: number): bigint {
  const guest = new Guest({ capabilities: { clocks } });
  const room = guest.room(8);
  assert.equal(guest.call('clock_res_get', clock, room), 'success');
  return guest.u64(room);
}

const REAL: Clocks = { kind: 'real' };
const skip: boolean = loadLibc() === undefined;

test('clock_time_get tells the time of the machine, finer than milliseconds', () => {
  const before = BigInt(Date.now() - 5) * 1_000_000n;
  const realtime = time(REAL, 0);
  assert.ok(realtime >= before && realtime <= BigInt(Date.now() + 5) * 1_000_000n);
  const guest = new Guest();
  const fractions = Array.from({ length: 20 }, () => {
    guest.call('clock_time_get', 0, 0n, 0);
    return guest.u64(0) % 1_000_000n;
  });
  assert.ok(new Set(fractions).size > 10);
});

test('clock_time_get: the monotonic clock never goes back and processor time grows with work', () => {
  const guest = new Guest();
  let last = 0n;
  for (let i = 0; i < 1000; i++) {
    guest.call('clock_time_get', 1, 0n, 0);
    assert.ok(guest.u64(0) >= last);
    last = guest.u64(0);
  }
  for (const clock of [2, 3]) {
    const start = time(REAL, clock);
    for (const end = Date.now() + 15; Date.now() < end; );
    assert.ok(time(REAL, clock) > start);
  }
});

test('clock_time_get: processor time is exact and leaves out what other threads use', { skip }, async () => {
  const busy = new Worker('for (const end = Date.now() + 300; Date.now() < end; );', { eval: true });
  const ended = once(busy, 'exit');
  await once(busy, 'online');
  for (const clock of [2, 3]) {
    const start = time(REAL, clock);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    assert.ok(time(REAL, clock) - start < 50_000_000n);
    const fractions = Array.from({ length: 20 }, () => time(REAL, clock) % 1000n);
    assert.ok(new Set(fractions).size > 5);
  }
  await ended;
});

test('clock_time_get and clock_res_get refuse a clock that is none', () => {
  const guest = new Guest();
  for (const clock of [4, -1]) {
    assert.equal(guest.call('clock_time_get', clock, 0n, 0), 'inval');
    assert.equal(guest.call('clock_res_get', clock, 0), 'inval');
  }
});

test('a coarse clock shows whole grains only, and says so', () => {
  const coarse: Clocks = { kind: 'coarse', grainNs: 100_000_000 };
  for (const clock of [0, 1, 2, 3]) {
    assert.equal(time(coarse, clock) % 100_000_000n, 0n);
    assert.equal(resolution(coarse, clock), 100_000_000n);
  }
  assert.equal(resolution(REAL, 1), 1n);
  for (const clock of [2, 3]) assert.equal(resolution(REAL, clock), loadLibc() === undefined ? 1000n : 1n);
});

test('a fixed clock stands still, for files too', () => {
  const fixed: Clocks = { kind: 'fixed', epochMs: 1_700_000_000_123 };
  for (const clock of [0, 1, 2, 3]) assert.equal(time(fixed, clock), 1_700_000_000_123_000_000n);
  const guest = new Guest({ capabilities: { clocks: fixed }, files: { file: '' } });
  guest.write(guest.mustOpen('file', { write: true }), 'changed');
  const stat = guest.stat('file');
  assert.ok(typeof stat !== 'string' && stat.mtim === 1_700_000_000_123_000_000n);
});
