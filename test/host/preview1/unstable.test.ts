import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Guest, ROOT } from './guest.ts';

const UNSTABLE = { namespace: 'wasi_unstable', capabilities: { clocks: { kind: 'fixed', epochMs: 1 } } } as const;
const TIME = '40420f0000000000';

test('wasi_unstable: a filestat has 56 bytes, its nlink 32 bits', () => {
  const guest = new Guest({ ...UNSTABLE, files: { file: 'abc' } });
  const expected = `04000000010000000300000000000000${TIME.repeat(3)}`;
  const room = guest.room(64);
  assert.equal(guest.call('fd_filestat_get', guest.mustOpen('file'), room), 'success');
  assert.equal(guest.hex(room + 16, 40), expected);
  assert.equal(guest.text(room + 56, 8), '????????');
  guest.bytes.fill(63, room, room + 64);
  assert.equal(guest.call('path_filestat_get', ROOT, 0, ...guest.put('file'), room), 'success');
  assert.equal(guest.hex(room + 16, 40), expected);
  assert.equal(guest.text(room + 56, 8), '????????');
});

test('wasi_unstable: a filestat needs only its 56 bytes to be inside', () => {
  const guest = new Guest({ ...UNSTABLE, files: {} });
  const end = guest.bytes.length;
  assert.equal(guest.call('fd_filestat_get', ROOT, end - 56), 'success');
  assert.equal(guest.call('fd_filestat_get', ROOT, end - 55), 'fault');
  guest.namespace = 'wasi_snapshot_preview1';
  assert.equal(guest.call('fd_filestat_get', ROOT, end - 64), 'success');
  assert.equal(guest.call('fd_filestat_get', ROOT, end - 63), 'fault');
});

test('wasi_unstable: whence is cur, end, set', () => {
  const guest = new Guest({ ...UNSTABLE, files: { file: '0123456789' } });
  const fd = guest.mustOpen('file');
  const room = guest.room(8);
  const seek = (delta: bigint, whence: number): bigint | string => {
    const errno = guest.call('fd_seek', fd, delta, whence, room);
    return errno === 'success' ? guest.u64(room) : errno;
  };
  assert.equal(seek(4n, 2), 4n);
  assert.equal(seek(1n, 0), 5n);
  assert.equal(seek(-1n, 1), 9n);
  assert.equal(seek(0n, 3), 'inval');
});
