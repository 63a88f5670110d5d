import assert from 'node:assert/strict';
import { test } from 'node:test';
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

test('clock_time_get and clock_res_get refuse a clock that is none', () => {
  const guest = new Guest();
  for (const clock of [4, -1]) {
    assert.equal(guest.call('clock_time_get', clock, 0n, 0), 'inval');
    assert.equal(guest.call('clock_res_get', clock, 0), 'inval');
  }
});

test('clock_time_get and clock_res_get tell what the capabilities have', () => {
  const before = BigInt(Date.now() - 5) * 1_000_000n;
  const realtime = time(REAL, 0);
  assert.ok(realtime >= before && realtime <= BigInt(Date.now() + 5) * 1_000_000n);
  assert.equal(resolution(REAL, 1), 1n);
  const coarse: Clocks = { kind: 'coarse', grainNs: 100_000_000 };
  for (const clock of [0, 1, 2, 3]) {
    assert.equal(time(coarse, clock) % 100_000_000n, 0n);
    assert.equal(resolution(coarse, clock), 100_000_000n);
  }
});

test('a fixed clock stands still, for files too', () => {
  const fixed: Clocks = { kind: 'fixed', epochMs: 1_700_000_000_123 };
  for (const clock of [0, 1, 2, 3]) assert.equal(time(fixed, clock), 1_700_000_000_123_000_000n);
  const guest = new Guest({ capabilities: { clocks: fixed }, files: { file: '' } });
  guest.write(guest.mustOpen('file', { write: true }), 'changed');
  const stat = guest.stat('file');
  assert.ok(typeof stat !== 'string' && stat.mtim === 1_700_000_000_123_000_000n);
});
