import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Guest, type Namespace } from './guest.ts';

interface Clock {
  readonly clock: number;
  readonly timeout: bigint;
  readonly flags?: number;
}
interface Fd {
  readonly fd: number;
  readonly write?: boolean;
}

/** Where the layouts differ: size of a subscription, offset of the clock's id. */
const LAYOUT = { wasi_snapshot_preview1: [48, 16], wasi_unstable: [56, 24] } as const;

/** Polls; answers the errno's name or the events as [index, errno, type, nbytes]. Userdata is 1000 + index. */
function poll(guest: Guest, ...wanted: (Clock | Fd)[]): string | [number, number, number, number][] {
  const [size, clockOffset] = LAYOUT[guest.namespace];
  const subscriptions = guest.room(size * wanted.length);
  guest.bytes.fill(0, subscriptions, subscriptions + size * wanted.length);
  wanted.forEach((one, i) => {
    const at = subscriptions + i * size;
    guest.view.setBigUint64(at, BigInt(1000 + i), true);
    if ('fd' in one) {
      guest.view.setUint8(at + 8, one.write === true ? 2 : 1);
      guest.view.setUint32(at + 16, one.fd, true);
    } else {
      guest.view.setUint32(at + clockOffset, one.clock, true);
      guest.view.setBigUint64(at + clockOffset + 8, one.timeout, true);
      guest.view.setUint16(at + clockOffset + 24, one.flags ?? 0, true);
    }
  });
  const events = guest.room(32 * wanted.length);
  const stored = guest.room(4);
  const errno = guest.call('poll_oneoff', subscriptions, events, wanted.length, stored);
  if (errno !== 'success') return errno;
  return Array.from({ length: guest.u32(stored) }, (_, i) => {
    const at = events + i * 32;
    const index = Number(guest.u64(at)) - 1000;
    return [index, guest.view.getUint16(at + 8, true), guest.bytes[at + 10] as number, Number(guest.u64(at + 16))];
  });
}

function elapsedMs(run: () => void): number {
  const start = performance.now();
  run();
  return performance.now() - start;
}

const MS = 1_000_000n;

for (const namespace of ['wasi_snapshot_preview1', 'wasi_unstable'] as Namespace[]) {
  test(`poll_oneoff waits for the earliest of several clocks (${namespace})`, () => {
    const guest = new Guest({ namespace });
    const took = elapsedMs(() => {
      const events = poll(guest, { clock: 1, timeout: 60_000n * MS }, { clock: 0, timeout: 20n * MS });
      assert.deepEqual(events, [[1, 0, 0, 0]]);
    });
    assert.ok(took >= 20 && took < 3000, `${took} ms`);
  });

  test(`poll_oneoff waits until an absolute time (${namespace})`, () => {
    for (const clock of [0, 1]) {
      const guest = new Guest({ namespace });
      guest.call('clock_time_get', clock, 0n, 0);
      const now = guest.u64(0);
      const took = elapsedMs(() => {
        assert.deepEqual(poll(guest, { clock, timeout: now + 20n * MS, flags: 1 }), [[0, 0, 0, 0]]);
      });
      assert.ok(took >= 18 && took < 3000, `${took} ms`);
      assert.deepEqual(poll(guest, { clock, timeout: now, flags: 1 }), [[0, 0, 0, 0]]);
    }
  });
}

test('poll_oneoff answers at once for descriptors that are ready, with what they hold', () => {
  const guest = new Guest({ call: { input: Buffer.from('12345') }, files: { file: 'abc' } });
  const file = guest.mustOpen('file', { write: true });
  const took = elapsedMs(() => {
    const events = poll(guest, { clock: 1, timeout: 60_000n * MS }, { fd: 0 }, { fd: 1, write: true }, { fd: file });
    assert.deepEqual(events, [
      [1, 0, 1, 5],
      [2, 0, 2, 0],
      [3, 0, 1, 3],
    ]);
  });
  assert.ok(took < 3000);
  guest.read(0, 5);
  assert.deepEqual(poll(guest, { fd: 0 }, { clock: 1, timeout: 0n }), [
    [0, 0, 1, 0],
    [1, 0, 0, 0],
  ]);
});

test('poll_oneoff writes an event of exactly 32 bytes', () => {
  const guest = new Guest();
  const subscription = guest.room(48);
  guest.bytes.fill(0, subscription, subscription + 48);
  guest.view.setBigUint64(subscription, 0x1122334455667788n, true);
  guest.view.setUint8(subscription + 8, 2);
  guest.view.setUint32(subscription + 16, 0, true);
  const event = guest.room(40);
  assert.equal(guest.call('poll_oneoff', subscription, event, 1, guest.room(4)), 'success');
  assert.equal(guest.hex(event, 32), `8877665544332211080002${'00'.repeat(21)}`);
  assert.equal(guest.text(event + 32, 8), '????????');
});

test('poll_oneoff tells what is wrong with one subscription in its event', () => {
  const guest = new Guest();
  assert.deepEqual(poll(guest, { fd: 9 }, { fd: 1 }, { clock: 9, timeout: 0n }, { clock: 2, timeout: 1n }), [
    [0, 8, 1, 0],
    [1, 8, 1, 0],
    [2, 28, 0, 0],
    [3, 58, 0, 0],
  ]);
  assert.deepEqual(poll(guest, { clock: 1, timeout: 0n, flags: 2 }), [[0, 28, 0, 0]]);
});

test('poll_oneoff fails as a whole when it names no clock and no open descriptor', () => {
  const guest = new Guest();
  assert.equal(poll(guest, { fd: 9 }, { fd: 0xffff_ffff, write: true }), 'badf');
  assert.deepEqual(poll(guest, { fd: 9 }, { clock: 1, timeout: 0n }), [
    [0, 8, 1, 0],
    [1, 0, 0, 0],
  ]);
});

test('poll_oneoff tells of the end of stdin as a hangup, and of no other end', () => {
  const guest = new Guest({ call: { input: Buffer.from('1') }, files: { file: '' } });
  const file = guest.mustOpen('file', { rights: 2n });
  const flags = (fd: number): number => {
    const subscription = guest.room(48);
    guest.bytes.fill(0, subscription, subscription + 48);
    guest.view.setUint8(subscription + 8, 1);
    guest.view.setUint32(subscription + 16, fd, true);
    const event = guest.room(32);
    assert.equal(guest.call('poll_oneoff', subscription, event, 1, guest.room(4)), 'success');
    return guest.view.getUint16(event + 24, true);
  };
  assert.equal(flags(0), 0);
  guest.read(0, 1);
  assert.equal(flags(0), 1);
  assert.equal(flags(file), 0);
});

test('poll_oneoff refuses no subscription at all, and a type that is none', () => {
  const guest = new Guest();
  assert.equal(guest.call('poll_oneoff', 0, 0, 0, 0), 'inval');
  const subscription = guest.room(48);
  guest.bytes.fill(0, subscription, subscription + 48);
  guest.view.setUint8(subscription + 8, 3);
  assert.equal(guest.call('poll_oneoff', subscription, 4096, 1, 8), 'inval');
});
