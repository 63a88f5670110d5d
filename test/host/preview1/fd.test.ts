import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mountMachine } from '../../../host/filesystem/machine-mount.ts';
import { mountMemory } from '../../../host/filesystem/memory-mount.ts';
import { resolveLimits } from '../../../host/limits.ts';
import { loadLibc } from '../../../host/linux/libc.ts';
import { Guest, ROOT } from './guest.ts';

const RIGHT = { read: 2n, seek: 4n, write: 64n, setSize: 1n << 22n, pathSetSize: 1n << 19n } as const;

test('fd_read and fd_write move bytes through several iovecs', () => {
  const guest = new Guest({ call: { input: Buffer.from('abcdefgh') } });
  const { iovs, rooms } = guest.iovecs(3, 0, 100);
  const nread = guest.room(4);
  assert.equal(guest.call('fd_read', 0, iovs, 3, nread), 'success');
  assert.equal(guest.u32(nread), 8);
  assert.equal(guest.text(rooms[0] as number, 3), 'abc');
  assert.equal(guest.text(rooms[2] as number, 6), 'defgh?');
  assert.equal(guest.call('fd_read', 0, iovs, 3, nread), 'success');
  assert.equal(guest.u32(nread), 0);
  const [text] = guest.put('onetwo');
  const out = guest.room(16);
  [text, 3, text + 3, 3].forEach((value, i) => guest.view.setUint32(out + i * 4, value, true));
  assert.equal(guest.call('fd_write', 1, out, 2, nread), 'success');
  assert.equal(guest.u32(nread), 6);
  assert.equal(Buffer.from(guest.host.stdout()).toString(), 'onetwo');
  assert.equal(guest.call('fd_write', 1, out, 0, nread), 'success');
  assert.equal(guest.u32(nread), 0);
});

test('fd_read gives a large input whole, whatever the pieces', () => {
  const input = Buffer.from(Array.from({ length: 50_000 }, (_, i) => (i * 7) & 255));
  for (const piece of [50_000, 4096, 47, 60_000]) {
    const guest = new Guest({ call: { input } });
    const { iovs, rooms } = guest.iovecs(piece);
    const nread = guest.room(4);
    const pieces: Buffer[] = [];
    do {
      guest.raw('fd_read', 0, iovs, 1, nread);
      pieces.push(Buffer.from(guest.bytes.slice(rooms[0], (rooms[0] as number) + guest.u32(nread))));
    } while (guest.u32(nread) > 0);
    assert.deepEqual(Buffer.concat(pieces), input);
    assert.equal(guest.host.inputBytesRead, input.length);
  }
});

test('fd_write ends the guest at the limit of its output and keeps what came before', () => {
  for (const [fd, limit] of [
    [1, 'outputBytes'],
    [2, 'stderrBytes'],
  ] as const) {
    const guest = new Guest({ limits: { [limit]: 10 } });
    assert.equal(guest.write(fd, '12345'), 'success');
    const [pointer] = guest.put('67890overflow');
    const iovs = guest.room(8);
    guest.view.setUint32(iovs, pointer, true);
    guest.view.setUint32(iovs + 4, 13, true);
    assert.ok(guest.isStoppedBy('fd_write', fd, iovs, 1, guest.room(4)));
    assert.deepEqual(guest.host.ending, { kind: 'limit', limit, allowed: 10 });
    assert.equal(Buffer.from(fd === 1 ? guest.host.stdout() : guest.host.stderr()).toString(), '1234567890');
    guest.begin();
    assert.equal(guest.write(fd, '1234567890'), 'success');
  }
});

test('fd_read answers BADF for what cannot be read, fd_write for what cannot be written', () => {
  const guest = new Guest({ files: { file: 'x' } });
  assert.equal(guest.read(1, 1), '<badf>');
  assert.equal(guest.write(0, 'x'), 'badf');
  assert.equal(guest.read(77, 1), '<badf>');
  assert.equal(guest.read(-1, 1), '<badf>');
  assert.equal(guest.write(guest.mustOpen('file', { rights: RIGHT.read }), 'x'), 'badf');
  assert.equal(guest.read(guest.mustOpen('file', { rights: RIGHT.write }), 1), '<badf>');
});

test('a standard stream has no offset, no size and no terminal', () => {
  const guest = new Guest();
  const room = guest.room(64);
  assert.equal(guest.call('fd_seek', 0, 0n, 0, room), 'spipe');
  assert.equal(guest.call('fd_tell', 1, room), 'spipe');
  const { iovs } = guest.iovecs(1);
  assert.equal(guest.call('fd_pread', 0, iovs, 1, 0n, room), 'spipe');
  assert.equal(guest.call('fd_pwrite', 1, iovs, 1, 0n, room), 'spipe');
  assert.equal(guest.call('fd_filestat_set_size', 1, 0n), 'inval');
  assert.equal(guest.call('fd_sync', 1), 'success');
  assert.equal(guest.call('fd_datasync', 2), 'success');
  assert.equal(guest.call('fd_readdir', 0, room, 64, 0n, guest.room(4)), 'notdir');
  assert.equal(guest.path('path_create_directory', 'x', 0), 'notdir');
  const stat = guest.fdStat(1);
  assert.ok(typeof stat !== 'string' && stat.filetype === 0);
});

test('fd_fdstat_get writes exactly 24 bytes', () => {
  const guest = new Guest({ files: { file: '' } });
  const fd = guest.mustOpen('file', { rights: RIGHT.read | RIGHT.seek, inheriting: RIGHT.read, fdflags: 1 });
  const room = guest.room(32);
  assert.equal(guest.call('fd_fdstat_get', fd, room), 'success');
  assert.equal(guest.hex(room, 24), '040001000000000006000000000000000200000000000000');
  assert.equal(guest.text(room + 24, 8), '????????');
});

test('fd_filestat_get writes exactly 64 bytes', () => {
  const guest = new Guest({ files: { file: 'abc' }, capabilities: { clocks: { kind: 'fixed', epochMs: 1 } } });
  const room = guest.room(72);
  assert.equal(guest.call('fd_filestat_get', guest.mustOpen('file'), room), 'success');
  const time = '40420f0000000000';
  assert.equal(guest.hex(room + 16, 48), `040000000000000001000000000000000300000000000000${time.repeat(3)}`);
  assert.equal(guest.text(room + 64, 8), '????????');
});

test('fd_prestat_dir_name gives a relative path as it is', () => {
  const mounts = ['.', 'data'].map((guest) => mountMemory({ guest, files: {}, access: 'read-only' }, resolveLimits()));
  const guest = new Guest({ mounts });
  for (const [fd, path] of [
    [ROOT, '.'],
    [ROOT + 1, 'data'],
  ] as const) {
    const room = guest.room(16);
    assert.equal(guest.call('fd_prestat_get', fd, room), 'success');
    assert.equal(guest.u32(room + 4), path.length);
    assert.equal(guest.call('fd_prestat_dir_name', fd, room, path.length), 'success');
    assert.equal(guest.text(room, path.length), path);
  }
});

test('fd_prestat_get tells of preopens and of nothing else', () => {
  const guest = new Guest({ files: {} });
  const room = guest.room(16);
  assert.equal(guest.call('fd_prestat_get', ROOT, room), 'success');
  assert.equal(guest.hex(room, 8), '0000000005000000');
  assert.equal(guest.text(room + 8, 8), '????????');
  for (const fd of [0, 4, -1]) assert.equal(guest.call('fd_prestat_get', fd, room), 'badf');
  assert.equal(guest.call('fd_prestat_dir_name', ROOT, room, 4), 'nametoolong');
  assert.equal(guest.call('fd_prestat_dir_name', ROOT, room, 0), 'nametoolong');
  assert.equal(guest.call('fd_prestat_dir_name', ROOT, room + 8, 6), 'success');
  assert.equal(guest.text(room + 8, 7), '/data??');
});

test('fd_close and fd_renumber work on any descriptor', () => {
  const guest = new Guest({ files: { a: 'A', b: 'B' } });
  const a = guest.mustOpen('a');
  const b = guest.mustOpen('b');
  assert.equal(guest.call('fd_renumber', a, b), 'success');
  assert.equal(guest.read(b, 4), 'A');
  assert.equal(guest.call('fd_close', a), 'badf');
  assert.equal(guest.call('fd_renumber', b, a), 'badf');
  assert.equal(guest.call('fd_renumber', 77, b), 'badf');
  assert.equal(guest.call('fd_renumber', b, b), 'success');
  assert.equal(guest.mustOpen('b'), a);
  assert.equal(guest.call('fd_renumber', 1, b), 'success');
  assert.equal(guest.write(b, 'moved'), 'success');
  assert.equal(guest.write(1, 'gone'), 'badf');
  assert.equal(Buffer.from(guest.host.stdout()).toString(), 'moved');
  assert.equal(guest.call('fd_close', ROOT), 'success');
  assert.equal(guest.open('a'), 'badf');
  assert.equal(guest.call('fd_close', ROOT), 'badf');
});

test('path_open stops at the limit of open files', () => {
  const guest = new Guest({ files: { file: '' }, limits: { openFiles: 6 } });
  assert.equal(guest.mustOpen('file'), 4);
  const last = guest.mustOpen('file');
  assert.equal(guest.open('file'), 'mfile');
  guest.call('fd_close', last);
  assert.equal(guest.mustOpen('file'), last);
});

test('fd_seek and fd_tell follow POSIX on files and refuse directories', () => {
  const guest = new Guest({ files: { file: '0123456789' } });
  const fd = guest.mustOpen('file');
  const room = guest.room(8);
  const seek = (delta: bigint, whence: number): string | bigint => {
    const errno = guest.call('fd_seek', fd, delta, whence, room);
    return errno === 'success' ? guest.u64(room) : errno;
  };
  assert.equal(seek(4n, 0), 4n);
  assert.equal(seek(-1n, 1), 3n);
  assert.equal(seek(-2n, 2), 8n);
  assert.equal(guest.read(fd, 9), '89');
  assert.equal(seek(1000n, 1), 1010n);
  assert.equal(guest.read(fd, 9), '');
  assert.equal(seek(-2000n, 1), 'inval');
  assert.equal(seek(0n, 3), 'inval');
  assert.equal(guest.call('fd_tell', fd, room), 'success');
  assert.equal(guest.u64(room), 1010n);
  assert.equal(guest.call('fd_seek', 55, 0n, 3, room), 'badf');
  for (const whence of [0, 1, 2]) assert.equal(guest.call('fd_seek', ROOT, 0n, whence, room), 'badf');
  assert.equal(guest.call('fd_tell', ROOT, room), 'badf');
});

test('fd_seek and fd_tell need the rights that the specification says suffice', () => {
  const guest = new Guest({ files: { file: '0123456789' } });
  const [SEEK, TELL] = [4n, 32n];
  const room = guest.room(8);
  const answers = (dropped: bigint): string[] => {
    const fd = guest.mustOpen('file');
    const [, base, inheriting] = guest.fdstat(fd);
    assert.equal(guest.call('fd_fdstat_set_rights', fd, base & ~dropped, inheriting), 'success');
    return [
      guest.call('fd_tell', fd, room),
      guest.call('fd_seek', fd, 0n, 1, room),
      guest.call('fd_seek', fd, 1n, 1, room),
      guest.call('fd_seek', fd, 0n, 0, room),
    ];
  };
  assert.deepEqual(answers(0n), ['success', 'success', 'success', 'success']);
  assert.deepEqual(answers(TELL), ['success', 'success', 'success', 'success']);
  assert.deepEqual(answers(SEEK), ['success', 'success', 'notcapable', 'notcapable']);
  assert.deepEqual(answers(SEEK | TELL), ['notcapable', 'notcapable', 'notcapable', 'notcapable']);
});

test('fd_pread and fd_pwrite leave the offset alone', () => {
  const guest = new Guest({ files: { file: '0123456789' } });
  const fd = guest.mustOpen('file', { write: true });
  const { iovs, rooms } = guest.iovecs(2, 3);
  const count = guest.room(4);
  assert.equal(guest.call('fd_pread', fd, iovs, 2, 6n, count), 'success');
  assert.equal(guest.u32(count), 4);
  assert.equal(guest.text(rooms[0] as number, 2) + guest.text(rooms[1] as number, 3), '6789?');
  assert.equal(guest.call('fd_pread', fd, iovs, 2, -1n, count), 'inval');
  guest.bytes.set(Buffer.from('ab'), rooms[0]);
  guest.bytes.set(Buffer.from('cde'), rooms[1]);
  assert.equal(guest.call('fd_pwrite', fd, iovs, 2, 2n, count), 'success');
  assert.equal(guest.u32(count), 5);
  assert.equal(guest.read(fd, 20), '01abcde789');
});

for (const kind of ['memory', 'machine']) {
  const skip = kind === 'machine' && loadLibc() === undefined;
  test(`a directory answers BADF to what only files can do (${kind})`, { skip }, () => {
    const mount = kind === 'machine' ? mountMachine({ guest: '/data', machine: '/', access: 'read-only' }) : undefined;
    const guest = new Guest(mount === undefined ? { files: {} } : { mounts: [mount] });
    const { iovs } = guest.iovecs(1);
    const count = guest.room(8);
    const calls: [string, ...(number | bigint)[]][] = [
      ['fd_read', ROOT, iovs, 1, count],
      ['fd_write', ROOT, iovs, 1, count],
      ['fd_read', ROOT, iovs, 0, count],
      ['fd_pread', ROOT, iovs, 1, 0n, count],
      ['fd_pwrite', ROOT, iovs, 1, 0n, count],
      ['fd_seek', ROOT, 0n, 0, count],
      ['fd_tell', ROOT, count],
      ['fd_advise', ROOT, 0n, 0n, 4],
      ['fd_allocate', ROOT, 0n, 0n],
      ['fd_filestat_set_size', ROOT, 0n],
      ['fd_sync', ROOT],
      ['fd_datasync', ROOT],
      ['fd_fdstat_set_flags', ROOT, 4],
    ];
    for (const [name, ...parameters] of calls) assert.equal(guest.call(name, ...parameters), 'badf', name);
    mount?.close();
  });
}

test('a standard stream answers BADF to advice and allocation', () => {
  const guest = new Guest();
  assert.equal(guest.call('fd_advise', 1, 0n, 0n, 3), 'badf');
  assert.equal(guest.call('fd_allocate', 1, 0n, 1n), 'badf');
});

test('fd_fdstat_set_flags turns appending off and on, and refuses a stray bit', () => {
  const guest = new Guest({ files: { file: '' } });
  const fd = guest.mustOpen('file', { write: true, fdflags: 1 });
  const rewind = (): number => guest.raw('fd_seek', fd, 0n, 0, guest.room(8));
  guest.write(fd, 'one');
  rewind();
  guest.write(fd, 'two');
  assert.equal(guest.fdstat(fd)[0], 1);
  assert.equal(guest.call('fd_fdstat_set_flags', fd, 32), 'inval');
  assert.equal(guest.call('fd_fdstat_set_flags', fd, 0), 'success');
  rewind();
  guest.write(fd, 'ONE');
  rewind();
  assert.equal(guest.read(fd, 20), 'ONEtwo');
  assert.equal(guest.call('fd_fdstat_set_flags', 99, 0), 'badf');
});

test('fd_pwrite writes where it is told to, with append too', () => {
  const guest = new Guest({ files: { file: 'abcd' } });
  const fd = guest.mustOpen('file', { write: true, fdflags: 1 });
  const { iovs, rooms } = guest.iovecs(1);
  guest.bytes.set(Buffer.from('B'), rooms[0]);
  assert.equal(guest.call('fd_pwrite', fd, iovs, 1, 1n, guest.room(4)), 'success');
  assert.equal(guest.read(fd, 9), 'aBcd');
});

test('fd_fdstat_set_rights only takes away, and what is gone is refused', () => {
  const guest = new Guest({ files: { file: 'text' } });
  const fd = guest.mustOpen('file', { write: true });
  const [, base, inheriting] = guest.fdstat(fd);
  assert.equal(guest.call('fd_fdstat_set_rights', fd, base, inheriting), 'success');
  const fewer = base & ~(RIGHT.read | RIGHT.seek | RIGHT.setSize);
  assert.equal(guest.call('fd_fdstat_set_rights', fd, fewer, 0n), 'success');
  assert.deepEqual(guest.fdstat(fd), [0, fewer, 0n]);
  assert.equal(guest.call('fd_fdstat_set_rights', fd, base, 0n), 'notcapable');
  assert.equal(guest.call('fd_fdstat_set_rights', fd, fewer | (1n << 40n), 0n), 'notcapable');
  assert.equal(guest.call('fd_fdstat_set_rights', fd, fewer, inheriting), 'notcapable');
  assert.equal(guest.read(fd, 1), '<badf>');
  assert.equal(guest.write(fd, 'T'), 'success');
  assert.equal(guest.call('fd_seek', fd, 0n, 0, guest.room(8)), 'notcapable');
  assert.equal(guest.call('fd_filestat_set_size', fd, 0n), 'notcapable');
});

test('a directory that gave up a right does not hand it on', () => {
  const guest = new Guest({ files: { file: 'text' } });
  const [, base, inheriting] = guest.fdstat(ROOT);
  assert.equal(base & RIGHT.pathSetSize, RIGHT.pathSetSize);
  assert.equal(
    guest.call('fd_fdstat_set_rights', ROOT, base & ~RIGHT.pathSetSize, inheriting & ~RIGHT.write),
    'success',
  );
  assert.equal(guest.open('file', { oflags: 8, rights: 0n }), 'notcapable');
  const fd = guest.mustOpen('file', { write: true });
  assert.equal(guest.fdstat(fd)[1] & RIGHT.write, 0n);
  assert.equal(guest.write(fd, 'x'), 'badf');
});

test('path_open clips rights to those that are held and mean something', () => {
  const guest = new Guest({ files: { file: '', 'dir/': '' } });
  const [, file] = guest.fdstat(guest.mustOpen('file', { write: true }));
  const [, directory, inheriting] = guest.fdstat(
    guest.mustOpen('dir', { rights: (1n << 64n) - 1n - RIGHT.write - RIGHT.setSize - (1n << 8n) }),
  );
  assert.equal(file & (1n << 13n), 0n);
  assert.equal(file & RIGHT.write, RIGHT.write);
  assert.equal(directory & RIGHT.setSize, 0n);
  assert.equal(directory & RIGHT.read, 0n);
  assert.equal(inheriting & RIGHT.read, RIGHT.read);
  assert.equal(inheriting >> 28n, 0n);
});

test('fd_allocate and fd_filestat_set_size size a file', () => {
  const guest = new Guest({ files: { file: 'abcdef' }, limits: { filesystemBytes: 1000 } });
  const fd = guest.mustOpen('file', { write: true });
  const size = (): bigint => (guest.fdStat(fd) as { size: bigint }).size;
  assert.equal(guest.call('fd_allocate', fd, 0n, 3n), 'success');
  assert.equal(size(), 6n);
  assert.equal(guest.call('fd_allocate', fd, 4n, 6n), 'success');
  assert.equal(size(), 10n);
  assert.equal(guest.call('fd_allocate', fd, 0n, 0n), 'inval');
  assert.equal(guest.call('fd_allocate', fd, 0n, -1n), 'inval');
  assert.equal(guest.call('fd_allocate', fd, 0n, 1001n), 'nospc');
  assert.equal(guest.call('fd_filestat_set_size', fd, 2n), 'success');
  assert.equal(guest.call('fd_filestat_set_size', fd, 5n), 'success');
  assert.equal(guest.read(fd, 9), 'ab\0\0\0');
  assert.equal(guest.call('fd_filestat_set_size', fd, -1n), 'inval');
  assert.equal(guest.call('fd_filestat_set_size', fd, 1n << 60n), 'fbig');
  assert.equal(guest.call('fd_filestat_set_size', fd, 1001n), 'nospc');
  const readOnly = guest.mustOpen('file');
  assert.equal(guest.call('fd_filestat_set_size', readOnly, 0n), 'inval');
});

test('fd_advise checks its arguments and changes nothing', () => {
  const guest = new Guest({ files: { file: 'abc' } });
  const fd = guest.mustOpen('file');
  for (let advice = 0; advice <= 5; advice++) assert.equal(guest.call('fd_advise', fd, 0n, 2n, advice), 'success');
  assert.equal(guest.call('fd_advise', fd, 0n, 2n, 6), 'inval');
  assert.equal(guest.call('fd_advise', fd, -1n, 2n, 0), 'inval');
  assert.equal(guest.call('fd_advise', 99, 0n, 2n, 0), 'badf');
  assert.equal(guest.read(fd, 9), 'abc');
});

test('fd_filestat_set_times sets what is asked for, exactly', () => {
  const guest = new Guest({ files: { file: '' } });
  const fd = guest.mustOpen('file');
  assert.equal(guest.call('fd_filestat_set_times', fd, 123_456_789n, 987_654_321_012_345_678n, 5), 'success');
  const stat = guest.fdStat(fd);
  assert.ok(typeof stat !== 'string');
  assert.deepEqual([stat.atim, stat.mtim], [123_456_789n, 987_654_321_012_345_678n]);
  for (const flags of [3, 12, 15, 16]) {
    assert.equal(guest.call('fd_filestat_set_times', fd, 0n, 0n, flags), 'inval');
  }
  assert.equal(guest.call('fd_filestat_set_times', fd, 0n, 0n, 2), 'success');
  const after = guest.fdStat(fd);
  assert.ok(typeof after !== 'string' && after.atim > stat.mtim && after.mtim === stat.mtim);
});
