import assert from 'node:assert/strict';
import { RIGHTS } from '../../../host/preview1/rights.ts';
import { OFLAG } from '../../../host/wasi/flags.ts';
import { testMounts } from '../filesystem/both-mounts.ts';
import { type Guest, RIGHTS_ALL, ROOT } from './guest.ts';

const ALLOCATE = BigInt(RIGHTS.fdAllocate);
const SET_SIZE = BigInt(RIGHTS.fdFilestatSetSize);
const READ = BigInt(RIGHTS.fdRead);
const WRITE = BigInt(RIGHTS.fdWrite);

function baseRights(guest: Guest, fd: number): bigint {
  const fdstat = guest.room(24);
  assert.equal(guest.call('fd_fdstat_get', fd, fdstat), 'success');
  return guest.u64(fdstat + 8);
}

testMounts('path_open opens to read what is asked for neither to be read nor written', { file: 'text' }, (guest) => {
  for (const rights of [0n, BigInt(RIGHTS.fdSeek | RIGHTS.fdTell), SET_SIZE, BigInt(RIGHTS.fdFilestatGet)]) {
    const fd = guest.mustOpen('file', { rights });
    assert.equal(guest.read(fd, 9), 'text', `rights ${rights}`);
    assert.equal(guest.write(fd, 'x'), 'badf', `rights ${rights}`);
    assert.equal(baseRights(guest, fd) & (READ | WRITE), READ, `rights ${rights}`);
  }
  const writeOnly = guest.mustOpen('file', { rights: WRITE });
  assert.equal(guest.read(writeOnly, 9), '<badf>');
});

testMounts(
  'path_open does not give back by asking for nothing what a directory handed on no more',
  { file: 'x' },
  (guest) => {
    const root = guest.mustOpen('.', { rights: RIGHTS_ALL & ~WRITE });
    const fdstat = guest.room(24);
    guest.call('fd_fdstat_get', root, fdstat);
    const [base, inheriting] = [guest.u64(fdstat + 8), guest.u64(fdstat + 16)];
    assert.equal(guest.call('fd_fdstat_set_rights', root, base, inheriting & ~READ), 'success');
    assert.equal(guest.read(guest.mustOpen('file', { fd: root, rights: 0n }), 1), '<badf>');
  },
);

testMounts('path_open opens a directory with rights to sizes, and refuses one to be written', {}, (guest) => {
  assert.equal(guest.path('path_create_directory', 'sub'), 'success');
  for (const oflags of [0, OFLAG.directory]) {
    for (const rights of [ALLOCATE, SET_SIZE, READ | ALLOCATE | SET_SIZE]) {
      assert.equal(typeof guest.open('sub', { oflags, rights }), 'number', `oflags ${oflags}, rights ${rights}`);
      assert.equal(
        guest.open('sub', { oflags, rights: rights | WRITE }),
        'isdir',
        `oflags ${oflags}, rights ${rights}`,
      );
    }
  }
});

testMounts('path_open keeps the use of rights to sizes on a file', { file: 'abcdef' }, (guest) => {
  const fd = guest.mustOpen('file', { rights: READ | SET_SIZE | ALLOCATE });
  assert.equal(guest.call('fd_filestat_set_size', fd, 2n), 'success');
  assert.equal(guest.call('fd_allocate', fd, 0n, 4n), 'success');
  assert.equal(guest.read(fd, 9), 'ab\0\0');
  assert.equal(guest.write(fd, 'x'), 'badf');
});

testMounts(
  'path_open opens a file of a read-only mount with rights to sizes, and lets none be changed',
  { file: 'abcdef' },
  (guest) => {
    const fd = guest.mustOpen('file', { rights: READ | SET_SIZE | ALLOCATE });
    assert.equal(guest.read(fd, 9), 'abcdef');
    assert.notEqual(guest.call('fd_filestat_set_size', fd, 2n), 'success');
    assert.notEqual(guest.call('fd_allocate', fd, 0n, 100n), 'success');
    assert.equal((guest.fdStat(fd) as { size: bigint }).size, 6n);
    assert.equal(guest.open('file', { rights: WRITE }), 'rofs');
  },
  'read-only',
);

testMounts('path_open with directory refuses to create, to insist and to truncate', { file: 'x' }, (guest) => {
  for (const oflags of [OFLAG.creat, OFLAG.excl, OFLAG.trunc, OFLAG.creat | OFLAG.excl]) {
    for (const path of ['file', 'new', '.']) {
      assert.equal(guest.open(path, { oflags: oflags | OFLAG.directory }), 'inval', `${path}, oflags ${oflags}`);
    }
  }
});

testMounts(
  'path_open calls a link that it does not follow no directory where it is to be one',
  { file: 'x' },
  (guest) => {
    assert.equal(guest.symlink('.', 'to-dir'), 'success');
    assert.equal(guest.open('to-dir', { follow: false }), 'loop');
    assert.equal(guest.open('to-dir', { follow: false, oflags: OFLAG.directory }), 'notdir');
  },
);

testMounts('path calls look at their descriptors before their paths', { file: 'x' }, (guest) => {
  const fd = guest.mustOpen('file');
  for (const path of ['', 'a\0b', '/a', '../a', 'a']) {
    const bytes = guest.put(path);
    for (const [from, errno] of [
      [fd, 'notdir'],
      [77, 'badf'],
    ] as const) {
      assert.equal(guest.call('path_unlink_file', from, ...bytes), errno, path);
      assert.equal(guest.call('path_symlink', ...bytes, from, ...bytes), errno, path);
      assert.equal(guest.call('path_rename', ROOT, ...bytes, from, ...bytes), errno, path);
      assert.equal(guest.call('path_rename', from, ...bytes, ROOT, ...bytes), errno, path);
      assert.equal(guest.call('path_link', ROOT, 0, ...bytes, from, ...bytes), errno, path);
    }
  }
});

testMounts(
  'path_remove_directory tells the dot of a path from its two dots, as rmdir(2) does',
  { file: 'x' },
  (guest) => {
    assert.equal(guest.path('path_create_directory', 'sub'), 'success');
    assert.equal(guest.path('path_remove_directory', 'sub/.'), 'inval');
    assert.equal(guest.path('path_remove_directory', '.'), 'inval');
    assert.equal(guest.path('path_remove_directory', 'sub/..'), 'notempty');
    assert.equal(guest.path('path_remove_directory', 'sub/../'), 'notempty');
    assert.equal(guest.path('path_remove_directory', '..'), 'notcapable');
  },
);

testMounts('path_open creates nothing that ends in a slash, whatever is there', { file: 'x' }, (guest) => {
  assert.equal(guest.path('path_create_directory', 'sub'), 'success');
  for (const [contents, path] of [
    ['missing', 'to-missing'],
    ['file/x', 'to-below-file'],
    ['sub', 'to-sub'],
    ['to-itself', 'to-itself'],
  ] as const) {
    assert.equal(guest.symlink(contents, path), 'success');
  }
  for (const path of ['new/', 'file/', 'sub/', 'to-missing/', 'to-below-file/', 'to-sub/', 'to-itself/']) {
    assert.equal(guest.open(path, { oflags: OFLAG.creat }), 'isdir', path);
  }
  assert.equal(guest.open('missing/new/', { oflags: OFLAG.creat }), 'noent');
});
