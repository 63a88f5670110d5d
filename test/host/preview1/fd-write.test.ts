import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FDFLAG, OFLAG } from '../../../host/wasi/flags.ts';
import { testMounts } from '../filesystem/both-mounts.ts';
import { Guest } from './guest.ts';

function tell(guest: Guest, fd: number): bigint {
  const offset = guest.room(8);
  assert.equal(guest.call('fd_tell', fd, offset), 'success');
  return guest.u64(offset);
}

function flags(guest: Guest, fd: number): number {
  const fdstat = guest.room(24);
  assert.equal(guest.call('fd_fdstat_get', fd, fdstat), 'success');
  return guest.view.getUint16(fdstat + 2, true);
}

/** One write of pieces: the errno and how many bytes it says were written. */
function writePieces(guest: Guest, fd: number, ...pieces: string[]): [string, number] {
  const { iovs, rooms } = guest.iovecs(...pieces.map((piece) => piece.length));
  pieces.forEach((piece, i) => guest.bytes.set(Buffer.from(piece), rooms[i]));
  const written = guest.room(4);
  guest.view.setUint32(written, 0, true);
  const errno = guest.call('fd_write', fd, iovs, pieces.length, written);
  return [errno, guest.u32(written)];
}

testMounts('fd_write of no bytes moves no offset and no size, appending or not', { file: 'abcdef' }, (guest) => {
  for (const fdflags of [0, FDFLAG.append]) {
    const fd = guest.mustOpen('file', { write: true, fdflags });
    assert.equal(guest.read(fd, 2), 'ab');
    assert.deepEqual(writePieces(guest, fd, ''), ['success', 0]);
    assert.deepEqual(writePieces(guest, fd), ['success', 0]);
    assert.deepEqual(writePieces(guest, fd, '', ''), ['success', 0]);
    assert.equal(tell(guest, fd), 2n, `fdflags ${fdflags}`);
    assert.equal((guest.fdStat(fd) as { size: bigint }).size, 6n);
    assert.equal(guest.read(fd, 9), 'cdef');
  }
  const beyond = guest.mustOpen('file', { write: true });
  assert.equal(guest.call('fd_seek', beyond, 100n, 0, guest.room(8)), 'success');
  assert.deepEqual(writePieces(guest, beyond, ''), ['success', 0]);
  assert.equal((guest.fdStat(beyond) as { size: bigint }).size, 6n);
});

test('fd_write writes what fits into a mount in memory, and says NOSPC once nothing does', () => {
  const guest = new Guest({ files: {}, limits: { filesystemBytes: 10 } });
  const fd = guest.mustOpen('file', { oflags: OFLAG.creat, write: true });
  assert.deepEqual(writePieces(guest, fd, 'abcd', 'efghijkl', 'mn'), ['success', 10]);
  assert.equal(tell(guest, fd), 10n);
  assert.deepEqual(writePieces(guest, fd, 'x'), ['nospc', 0]);
  assert.deepEqual(writePieces(guest, fd, ''), ['success', 0]);
  assert.equal(guest.call('fd_filestat_set_size', fd, 4n), 'success');
  assert.equal(guest.call('fd_seek', fd, 2n, 0, guest.room(8)), 'success');
  assert.deepEqual(writePieces(guest, fd, 'CDEFGHIJKLMN'), ['success', 8]);
  assert.equal(guest.call('fd_seek', fd, 0n, 0, guest.room(8)), 'success');
  assert.equal(guest.read(fd, 20), 'abCDEFGHIJ');
});

test('fd_pwrite into a mount in memory fills a gap only where what follows it has room', () => {
  const guest = new Guest({ files: {}, limits: { filesystemBytes: 10 } });
  const fd = guest.mustOpen('file', { oflags: OFLAG.creat, write: true });
  const pwrite = (text: string, offset: bigint): [string, number] => {
    const { iovs, rooms } = guest.iovecs(text.length);
    guest.bytes.set(Buffer.from(text), rooms[0]);
    const written = guest.room(4);
    guest.view.setUint32(written, 0, true);
    return [guest.call('fd_pwrite', fd, iovs, 1, offset, written), guest.u32(written)];
  };
  assert.deepEqual(pwrite('x', 10n), ['nospc', 0]);
  assert.deepEqual(pwrite('x', 1n << 50n), ['nospc', 0]);
  assert.equal((guest.fdStat(fd) as { size: bigint }).size, 0n);
  assert.deepEqual(pwrite('xyz', 8n), ['success', 2]);
  assert.equal(guest.read(fd, 20), '\0'.repeat(8) + 'xy');
});

testMounts(
  'fd_fdstat_set_flags takes back what fd_fdstat_get gave, and changes no synchronisation',
  { file: 'x' },
  (guest) => {
    const { append, dsync, nonblock, rsync, sync } = FDFLAG;
    for (const held of [0, dsync, sync, rsync, dsync | sync, dsync | rsync | sync]) {
      const fd = guest.mustOpen('file', { write: true, fdflags: held });
      assert.equal(flags(guest, fd), held);
      assert.equal(guest.call('fd_fdstat_set_flags', fd, held | append), 'success');
      assert.equal(flags(guest, fd), held | append);
      assert.equal(guest.call('fd_fdstat_set_flags', fd, nonblock), 'success', 'bits left out stay, as of fcntl(2)');
      assert.equal(flags(guest, fd), held | nonblock);
      for (const bit of [dsync, rsync, sync]) {
        assert.equal(
          guest.call('fd_fdstat_set_flags', fd, bit),
          (held & bit) === 0 ? 'inval' : 'success',
          `${held}, ${bit}`,
        );
      }
      assert.equal(guest.call('fd_fdstat_set_flags', fd, 32), 'inval');
    }
  },
);

testMounts('offsets beyond all files are invalid, of reads, writes, seeks and advice', { file: 'x' }, (guest) => {
  const fd = guest.mustOpen('file', { write: true });
  const last = (1n << 63n) - 1n;
  const { iovs } = guest.iovecs(3);
  const empty = guest.iovecs(0).iovs;
  const room = guest.room(8);
  for (const offset of [last, last - 2n, 1n << 63n, (1n << 64n) - 1n]) {
    assert.equal(guest.call('fd_pread', fd, iovs, 1, offset, room), 'inval', String(offset));
    assert.equal(guest.call('fd_pwrite', fd, iovs, 1, offset, room), 'inval', String(offset));
  }
  assert.equal(guest.call('fd_pread', fd, empty, 1, last, room), 'success');
  assert.equal(guest.call('fd_pwrite', fd, empty, 1, last, room), 'success');
  assert.equal(guest.call('fd_seek', fd, last, 0, room), 'inval');
  assert.equal(guest.call('fd_seek', fd, last, 2, room), 'inval');
  assert.equal(guest.call('fd_advise', fd, 1n << 63n, 0n, 0), 'inval');
  assert.equal(guest.call('fd_advise', fd, 0n, 1n << 63n, 0), 'inval');
});
