import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isNebulaError } from '../../../host/errors.ts';
import type { Result } from '../../../host/filesystem/descriptor.ts';
import { mountMemory } from '../../../host/filesystem/memory-mount.ts';
import { MACHINE_SOURCES } from '../../../host/filesystem/mount.ts';
import { resolveLimits } from '../../../host/limits.ts';
import { Guest, ROOT } from '../preview1/guest.ts';

function refusal(files: Record<string, string | Uint8Array>, limits = {}): string {
  try {
    mountMemory({ guest: '/m', files, access: 'read-only' }, resolveLimits(limits));
    return 'accepted';
  } catch (error) {
    assert.ok(isNebulaError(error));
    assert.equal(error.code, 'ERR_NEBULA_MOUNT_UNAVAILABLE');
    return String(error.fields['detail']);
  }
}

test('mountMemory() refuses paths that are no relative paths of names', () => {
  for (const path of ['', '/', '/abs', 'a//b', '../x', 'a/./b', 'a/..', 'nul\0', 'x'.repeat(256), '\ud800']) {
    assert.match(refusal({ [path]: '' }), /path of names/, JSON.stringify(path.slice(0, 10)));
  }
  assert.match(refusal({ a: '', 'a/b': '' }), /given twice/);
  assert.match(refusal({ 'a/b': '', a: '' }), /given twice/);
  assert.equal(refusal({ 'a/': '', 'a/b': '', __proto__x: '', 'ø/日': '' }), 'accepted');
});

test('mountMemory() refuses files beyond the limits', () => {
  assert.match(refusal({ a: 'x'.repeat(6), b: 'x'.repeat(5) }, { filesystemBytes: 10 }), /exceed 10 bytes/);
  assert.equal(refusal({ a: 'x'.repeat(5), b: 'x'.repeat(5) }, { filesystemBytes: 10 }), 'accepted');
  assert.match(refusal({ 'a/b': '', c: '' }, { filesystemEntries: 2 }), /more than 2/);
});

test('mountMemory() never lets a guest change the bytes of the capabilities', () => {
  const bytes = Buffer.from('original');
  const guest = new Guest({ files: { file: bytes } });
  const fd = guest.mustOpen('file', { write: true });
  guest.write(fd, 'CHANGED');
  guest.call('fd_filestat_set_size', fd, 3n);
  guest.mustOpen('file', { oflags: 8, rights: 0n });
  assert.equal(bytes.toString(), 'original');
});

test('an in-memory mount holds its limit of bytes and gives back what is removed', () => {
  const guest = new Guest({ files: {}, limits: { filesystemBytes: 100 } });
  const open = (name: string): number => guest.mustOpen(name, { oflags: 1, write: true });
  const first = open('first');
  assert.equal(guest.write(first, 'x'.repeat(60)), 'success');
  assert.equal(guest.write(open('second'), 'x'.repeat(40)), 'success');
  assert.equal(guest.write(open('second'), ''), 'success');
  assert.equal(guest.write(first, 'y'), 'nospc');
  assert.equal(guest.path('path_unlink_file', 'first'), 'success');
  assert.equal(guest.write(open('third'), 'z'), 'nospc', 'an open file keeps its bytes');
  assert.equal(guest.call('fd_close', first), 'success');
  assert.equal(guest.write(open('third'), 'z'.repeat(60)), 'success');
  assert.equal(guest.rename('third', 'second'), 'success');
  for (const fd of [4, 5, 6, 7, 8, 9, 10]) guest.call('fd_close', fd);
  assert.equal(guest.write(open('fourth'), 'z'.repeat(40)), 'success');
});

test('an in-memory mount holds its limit of entries, each name counted', () => {
  const guest = new Guest({ files: { file: '' }, limits: { filesystemEntries: 3 } });
  assert.equal(guest.link('file', 'second'), 'success');
  assert.equal(guest.path('path_create_directory', 'third'), 'success');
  for (const name of ['path_create_directory']) assert.equal(guest.path(name, 'fourth'), 'nospc');
  assert.equal(guest.symlink('x', 'fourth'), 'nospc');
  assert.equal(guest.link('file', 'fourth'), 'nospc');
  assert.equal(guest.open('fourth', { oflags: 1 }), 'nospc');
  assert.equal(guest.rename('second', 'fourth'), 'success');
  assert.equal(guest.path('path_unlink_file', 'file'), 'success');
  assert.equal(guest.symlink('x', 'file'), 'success');
});

test('what a file gained reads as zeros, also where it once held bytes', () => {
  const guest = new Guest({ files: { file: 'secretsecret' } });
  const fd = guest.mustOpen('file', { write: true });
  guest.call('fd_filestat_set_size', fd, 2n);
  guest.call('fd_seek', fd, 6n, 0, guest.room(8));
  guest.write(fd, 'x');
  assert.equal(guest.read(guest.mustOpen('file'), 20), 'se\0\0\0\0x');
  guest.call('fd_filestat_set_size', fd, 0n);
  guest.call('fd_filestat_set_size', fd, 5n);
  assert.equal(guest.read(guest.mustOpen('file'), 20), '\0\0\0\0\0');
});

test('times move with what they are the times of', () => {
  const mount = mountMemory({ guest: '/m', files: { 'dir/file': 'abc' }, access: 'read-write' }, resolveLimits());
  let nowNs = 100n;
  const root = mount.open({ ...MACHINE_SOURCES, nowNs: () => nowNs });
  const result = { stat: {} } as Result;
  const times = (path: string): bigint[] => {
    assert.equal(root.statAt(Buffer.from(path), false, result), 0);
    return [result.stat.atimNs, result.stat.mtimNs, result.stat.ctimNs];
  };
  assert.deepEqual(times('dir/file'), [100n, 100n, 100n]);
  nowNs = 200n;
  assert.equal(root.link(Buffer.from('dir/file'), false, root, Buffer.from('other')), 0);
  assert.deepEqual(times('dir/file'), [100n, 100n, 200n]);
  assert.deepEqual(times('dir'), [100n, 100n, 100n]);
  nowNs = 300n;
  assert.equal(root.rename(Buffer.from('other'), root, Buffer.from('dir/other')), 0);
  assert.deepEqual(times('dir'), [100n, 300n, 300n]);
  const read = {
    path: Buffer.from('dir/file'),
    isFollowing: true,
    oflags: 0,
    fdflags: 0,
    isForReading: true,
    isForWriting: true,
  };
  assert.equal(root.open(read, result), 0);
  nowNs = 400n;
  assert.equal(result.descriptor?.write(Buffer.from('x'), result), 0);
  assert.deepEqual(times('dir/file'), [100n, 400n, 400n]);
  nowNs = 500n;
  assert.equal(result.descriptor?.read(Buffer.alloc(1), result), 0);
  assert.deepEqual(times('dir/file'), [500n, 400n, 400n]);
});

test('mounts of one function have device numbers of their own, the same in each invocation', () => {
  const guest = new Guest({
    files: {},
    mounts: [mountMemory({ guest: '/b', files: {}, access: 'read-only' }, resolveLimits())],
  });
  const device = (fd: number): bigint => (guest.fdStat(fd) as { dev: bigint }).dev;
  const before = [device(ROOT), device(4)];
  assert.notEqual(before[0], before[1]);
  guest.begin();
  assert.deepEqual([device(ROOT), device(4)], before);
});
