import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mountMemory } from '../../../host/filesystem/memory-mount.ts';
import { DEFAULT_LIMITS } from '../../../host/limits.ts';
import { Guest, RIGHTS_ALL, ROOT, type Stat } from './guest.ts';

const CREAT = 1;
const DIRECTORY = 2;
const EXCL = 4;
const TRUNC = 8;
const RIGHT_READ = 2n;
const RIGHT_WRITE = 64n;

const TREE = { file: 'contents', 'dir/nested/file': 'deep', 'empty/': '' };

function tree(access: 'read-only' | 'read-write' = 'read-write'): Guest {
  return new Guest({ files: TREE, access });
}

function stat(guest: Guest, path: string, lookup = 0): Stat {
  const found = guest.stat(path, lookup);
  if (typeof found === 'string') throw new Error(`stat ${path}: ${found}`);
  return found;
}

/** Every name a directory has, read through a buffer of the given size. */
function list(guest: Guest, fd: number, bufferBytes: number): string[] {
  const buffer = guest.room(bufferBytes);
  const used = guest.room(4);
  const names: string[] = [];
  let cookie = 0n;
  for (;;) {
    assert.equal(guest.call('fd_readdir', fd, buffer, bufferBytes, cookie, used), 'success');
    const end = guest.u32(used);
    let at = 0;
    while (at + 24 <= end && at + 24 + guest.u32(buffer + at + 16) <= end) {
      const length = guest.u32(buffer + at + 16);
      names.push(guest.text(buffer + at + 24, length));
      cookie = guest.u64(buffer + at);
      at += 24 + length;
    }
    if (end < bufferBytes) return names;
    assert.ok(at > 0, 'a full buffer holds an entry');
  }
}

test('path_open resolves what stays inside and refuses what leaves', () => {
  const guest = tree();
  assert.equal(guest.read(guest.mustOpen('dir/.//nested/../../dir/nested/../nested///./file'), 9), 'deep');
  for (const path of ['/file', '/', '..', '../file', 'dir/../..', 'dir/nested/../../../x/file']) {
    assert.equal(guest.open(path), 'notcapable', path);
  }
  const dir = guest.mustOpen('dir', { oflags: DIRECTORY });
  assert.equal(guest.open('../file', { fd: dir }), 'notcapable');
  assert.equal(guest.read(guest.mustOpen('nested/file', { fd: dir }), 9), 'deep');
});

test('path_open gives each wrong path its errno', () => {
  const guest = tree();
  const expected: [string, string][] = [
    ['', 'noent'],
    ['missing', 'noent'],
    ['missing/x', 'noent'],
    ['file/x', 'notdir'],
    ['file/', 'notdir'],
    ['file///', 'notdir'],
    ['file/.', 'notdir'],
    ['file\0', 'inval'],
    ['fi\0le', 'inval'],
    ['x'.repeat(256), 'nametoolong'],
    ['x/'.repeat(2100), 'nametoolong'],
  ];
  for (const [path, errno] of expected) assert.equal(guest.open(path), errno, JSON.stringify(path.slice(0, 20)));
  const [pointer] = guest.put(new Uint8Array([0xff, 0xfe]));
  assert.equal(guest.call('path_open', ROOT, 0, pointer, 2, 0, 0n, 0n, 0, guest.room(4)), 'ilseq');
  assert.equal(guest.open('file', { fd: 99 }), 'badf');
  assert.equal(guest.open('file', { fd: guest.mustOpen('file') }), 'notdir');
  for (const path of ['dir/', 'dir///', 'dir/.', 'dir/nested/..', '.', './'])
    assert.equal(typeof guest.open(path), 'number');
});

test('path_open refuses stray bits and flags that contradict each other', () => {
  const guest = tree();
  const [path, length] = guest.put('file');
  const opened = guest.room(4);
  const open = (lookup: number, oflags: number, fdflags: number): string =>
    guest.call('path_open', ROOT, lookup, path, length, oflags, 0n, 0n, fdflags, opened);
  assert.equal(open(2, 0, 0), 'inval');
  assert.equal(open(0, 16, 0), 'inval');
  assert.equal(open(0, 0, 32), 'inval');
  for (const oflag of [CREAT, EXCL, TRUNC]) assert.equal(open(0, oflag | DIRECTORY, 0), 'inval');
  assert.equal(open(0, 0, 31), 'success');
  assert.equal(guest.fdstat(guest.u32(opened))[0], 31);
});

test('path_open creates, truncates and insists as its flags say', () => {
  const guest = tree();
  assert.equal(guest.open('new'), 'noent');
  const fd = guest.mustOpen('new', { oflags: CREAT | EXCL, write: true });
  assert.equal(guest.write(fd, 'data'), 'success');
  assert.equal(guest.open('new', { oflags: CREAT | EXCL }), 'exist');
  assert.equal(guest.read(guest.mustOpen('new', { oflags: CREAT }), 9), 'data');
  assert.equal(guest.open('missing/new', { oflags: CREAT }), 'noent');
  assert.equal(guest.open('new/', { oflags: CREAT }), 'isdir');
  assert.equal(guest.open('other/', { oflags: CREAT }), 'isdir');
  guest.mustOpen('new', { oflags: TRUNC, rights: 0n });
  assert.equal(stat(guest, 'new').size, 0n);
});

test('path_open tells files from directories', () => {
  const guest = tree();
  assert.equal(guest.open('file', { oflags: DIRECTORY }), 'notdir');
  assert.equal(guest.open('dir', { oflags: DIRECTORY, rights: RIGHT_READ | RIGHT_WRITE }), 'isdir');
  assert.equal(guest.open('dir', { rights: RIGHT_WRITE }), 'isdir');
  assert.equal(guest.open('dir', { oflags: TRUNC, rights: 0n }), 'isdir');
  assert.equal(guest.open('dir', { oflags: CREAT, rights: 0n }), 'isdir');
  assert.equal(typeof guest.open('.', { oflags: DIRECTORY, rights: RIGHT_READ }), 'number');
  const [, base, inheriting] = guest.fdstat(ROOT);
  assert.equal(typeof guest.open('.', { rights: base, inheriting }), 'number');
});

test('symbolic links are followed inside the mount, and only where asked at the end of a path', () => {
  const guest = tree();
  assert.equal(guest.symlink('file', 'to-file'), 'success');
  assert.equal(guest.symlink('dir/nested', 'to-dir'), 'success');
  assert.equal(guest.symlink('../file', 'dir/up'), 'success');
  assert.equal(guest.symlink('missing', 'dangling'), 'success');
  assert.equal(guest.symlink('loop-b', 'loop-a'), 'success');
  assert.equal(guest.symlink('loop-a', 'loop-b'), 'success');
  assert.equal(guest.read(guest.mustOpen('to-file'), 9), 'contents');
  assert.equal(guest.open('to-file', { follow: false }), 'loop');
  assert.equal(guest.open('to-dir', { follow: false, oflags: DIRECTORY }), 'notdir', 'as of open(2)');
  assert.equal(guest.read(guest.mustOpen('to-dir/file', { follow: false }), 9), 'deep');
  assert.equal(guest.open('to-file', { oflags: DIRECTORY }), 'notdir');
  assert.equal(guest.read(guest.mustOpen('dir/up'), 9), 'contents');
  assert.equal(guest.open('up', { fd: guest.mustOpen('dir') }), 'notcapable');
  assert.equal(guest.open('dangling'), 'noent');
  assert.equal(guest.open('loop-a'), 'loop');
  assert.equal(guest.open('loop-a/x'), 'loop');
  assert.equal(guest.open('dangling', { oflags: CREAT | EXCL }), 'exist');
  assert.equal(typeof guest.open('dangling', { oflags: CREAT }), 'number');
  assert.equal(stat(guest, 'missing').filetype, 4);
});

test('path_symlink refuses a link out of every mount and a name that is taken', () => {
  const guest = tree();
  assert.equal(guest.symlink('/etc/passwd', 'x'), 'notcapable');
  assert.equal(guest.symlink('', 'x'), 'noent');
  assert.equal(guest.symlink('a', ''), 'noent');
  assert.equal(guest.symlink('a', 'file'), 'exist');
  assert.equal(guest.symlink('a', 'dir/'), 'exist');
  assert.equal(guest.symlink('a', 'file/'), 'notdir');
  assert.equal(guest.symlink('a', 'new/'), 'noent');
  assert.equal(guest.symlink('../../out', 'out'), 'success');
  assert.equal(guest.open('out'), 'notcapable');
});

test('path_readlink gives the contents, cut to the buffer', () => {
  const guest = tree();
  guest.symlink('target', 'link');
  const buffer = guest.room(16);
  const used = guest.room(4);
  const read = (path: string, length: number): string =>
    guest.call('path_readlink', ROOT, ...guest.put(path), buffer, length, used);
  assert.equal(read('link', 3), 'success');
  assert.equal(guest.u32(used), 3);
  assert.equal(guest.text(buffer, 8), 'tar?????');
  assert.equal(read('link', 0), 'success');
  assert.equal(guest.u32(used), 0);
  assert.equal(read('link', 16), 'success');
  assert.equal(guest.text(buffer, 8), 'target??');
  assert.equal(guest.u32(used), 6);
  assert.equal(read('file', 16), 'inval');
  assert.equal(read('dir', 16), 'inval');
  assert.equal(read('missing', 16), 'noent');
});

test('path_filestat_get tells of the link or of what it leads to', () => {
  const guest = tree();
  guest.symlink('file', 'link');
  assert.deepEqual([stat(guest, 'link').filetype, stat(guest, 'link').size], [7, 4n]);
  assert.deepEqual(stat(guest, 'link', 1), stat(guest, 'file'));
  assert.equal(guest.stat('link/'), 'notdir');
  assert.equal(guest.stat('file/'), 'notdir');
  assert.equal(guest.stat('file', 2), 'inval');
  assert.equal(stat(guest, 'dir/').filetype, 3);
  guest.symlink('missing', 'dangling');
  assert.equal(stat(guest, 'dangling').filetype, 7);
  assert.equal(guest.stat('dangling', 1), 'noent');
});

test('path_filestat_set_times checks its flags first and sets times exactly', () => {
  const guest = tree();
  const set = (path: string, atim: bigint, mtim: bigint, flags: number, lookup = 0): string =>
    guest.call('path_filestat_set_times', ROOT, lookup, ...guest.put(path), atim, mtim, flags);
  assert.equal(set('file', 111n, 999_999_999_999_999_999n, 5), 'success');
  assert.deepEqual([stat(guest, 'file').atim, stat(guest, 'file').mtim], [111n, 999_999_999_999_999_999n]);
  for (const flags of [3, 12, 16]) assert.equal(set('file', 1n, 1n, flags), 'inval');
  assert.equal(set('file', 1n, 1n, 4, 2), 'inval');
  assert.equal(stat(guest, 'file').mtim, 999_999_999_999_999_999n);
  guest.symlink('file', 'link');
  assert.equal(set('link', 0n, 5n, 4), 'success');
  assert.equal(stat(guest, 'link').mtim, 5n);
  assert.equal(set('link', 0n, 6n, 4, 1), 'success');
  assert.deepEqual([stat(guest, 'link').mtim, stat(guest, 'file').mtim], [5n, 6n]);
});

test('path_create_directory and path_remove_directory keep to what is there', () => {
  const guest = tree();
  const create = (path: string): string => guest.path('path_create_directory', path);
  const remove = (path: string): string => guest.path('path_remove_directory', path);
  assert.equal(create('new'), 'success');
  assert.equal(create('slash/'), 'success');
  assert.equal(create('new'), 'exist');
  assert.equal(create('file'), 'exist');
  assert.equal(create('.'), 'exist');
  assert.equal(create('missing/x'), 'noent');
  assert.equal(create('../x'), 'notcapable');
  assert.equal(remove('new'), 'success');
  assert.equal(remove('slash/'), 'success');
  assert.equal(remove('new'), 'noent');
  assert.equal(remove('file'), 'notdir');
  assert.equal(remove('file/'), 'notdir');
  assert.equal(remove('dir'), 'notempty');
  assert.equal(remove('.'), 'inval');
  assert.equal(remove('dir/..'), 'notempty');
  guest.symlink('empty', 'link');
  assert.equal(remove('link'), 'notdir');
  const fd = guest.mustOpen('empty');
  assert.equal(remove('empty'), 'success');
  assert.equal(guest.path('path_create_directory', 'x', fd), 'noent');
  assert.deepEqual(list(guest, fd, 256), ['.', '..']);
});

test('path_unlink_file removes names, not directories', () => {
  const guest = tree();
  const unlink = (path: string): string => guest.path('path_unlink_file', path);
  const fd = guest.mustOpen('file');
  assert.equal(unlink('file/'), 'notdir');
  assert.equal(unlink('file'), 'success');
  assert.equal(unlink('file'), 'noent');
  assert.equal(guest.read(fd, 9), 'contents');
  assert.equal(unlink('dir'), 'isdir');
  assert.equal(unlink('dir/'), 'isdir');
  assert.equal(unlink('.'), 'isdir');
  guest.symlink('dir', 'link');
  assert.equal(unlink('link'), 'success');
  assert.equal(stat(guest, 'dir').filetype, 3);
});

test('path_link makes a second name of the same file', () => {
  const guest = tree();
  assert.equal(guest.link('file', 'dir/second'), 'success');
  assert.deepEqual(stat(guest, 'dir/second'), stat(guest, 'file'));
  assert.equal(stat(guest, 'file').nlink, 2n);
  guest.write(guest.mustOpen('dir/second', { write: true }), 'CON');
  assert.equal(guest.read(guest.mustOpen('file'), 9), 'CONtents');
  assert.equal(guest.link('file', 'dir/second'), 'exist');
  assert.equal(guest.link('file', 'file'), 'exist');
  assert.equal(guest.link('file', 'dir'), 'exist');
  assert.equal(guest.link('dir', 'dir2'), 'perm');
  assert.equal(guest.link('file', 'new/'), 'noent');
  assert.equal(guest.link('missing', 'new'), 'noent');
  assert.equal(guest.link('file', 'new', 2), 'inval');
  guest.symlink('missing', 'dangling');
  assert.equal(guest.link('dangling', 'same-link'), 'success');
  assert.equal(stat(guest, 'same-link').ino, stat(guest, 'dangling').ino);
  assert.equal(guest.link('dangling', 'new', 1), 'inval');
  assert.equal(guest.link('missing', 'new', 1), 'noent');
  assert.equal(guest.link('file', 'dangling'), 'exist');
});

test('path_rename follows rename(2)', () => {
  const guest = tree();
  const expected: [string, string, string][] = [
    ['missing', 'x', 'noent'],
    ['file', 'dir', 'isdir'],
    ['dir', 'file', 'notdir'],
    ['empty', 'dir', 'notempty'],
    ['dir', 'dir/nested/inside', 'inval'],
    ['dir', 'dir/inside', 'inval'],
    ['file/', 'x', 'notdir'],
    ['file', 'x/', 'notdir'],
    ['file', 'missing/x', 'noent'],
    ['.', 'x', 'busy'],
    ['file', '../x', 'notcapable'],
    ['file', 'file', 'success'],
    ['dir', 'empty', 'success'],
    ['empty/', 'moved', 'success'],
    ['moved', 'again/', 'success'],
    ['again/nested/file', 'file', 'success'],
  ];
  for (const [from, to, errno] of expected) assert.equal(guest.rename(from, to), errno, `${from} -> ${to}`);
  assert.equal(guest.read(guest.mustOpen('file'), 9), 'deep');
  assert.deepEqual(list(guest, ROOT, 4096).sort(), ['.', '..', 'again', 'file']);
  assert.deepEqual(list(guest, guest.mustOpen('again/nested'), 4096), ['.', '..']);
});

test('path_rename moves a tree of any depth, and never into itself', () => {
  const guest = new Guest({ files: {} });
  const name = guest.put('a');
  const opened = guest.room(4);
  let deepest = ROOT;
  for (let depth = 0; depth < 9990; depth++) {
    assert.equal(guest.call('path_create_directory', deepest, ...name), 'success');
    assert.equal(guest.call('path_open', deepest, 0, ...name, DIRECTORY, 0n, RIGHTS_ALL, 0, opened), 'success');
    if (deepest !== ROOT) guest.call('fd_close', deepest);
    deepest = guest.u32(opened);
  }
  assert.equal(guest.call('path_rename', ROOT, ...name, deepest, ...name), 'inval');
  assert.equal(guest.rename('a', 'b'), 'success');
  assert.equal(guest.path('path_create_directory', 'c', deepest), 'success');
});

test('path_rename and path_link do not cross from one mount to another', () => {
  const other = mountMemory({ guest: '/other', files: {}, access: 'read-write' }, DEFAULT_LIMITS);
  const guest = new Guest({ files: TREE, mounts: [other] });
  assert.equal(guest.call('path_rename', ROOT, ...guest.put('file'), 4, ...guest.put('x')), 'xdev');
  assert.equal(guest.call('path_link', ROOT, 0, ...guest.put('file'), 4, ...guest.put('x')), 'xdev');
  assert.equal(guest.read(guest.mustOpen('file'), 9), 'contents');
  assert.equal(guest.open('x', { fd: 4 }), 'noent');
});

test('a read-only mount answers ROFS to every change and keeps what it has', () => {
  const guest = tree('read-only');
  assert.equal(guest.open('new', { oflags: CREAT }), 'rofs');
  assert.equal(guest.open('file', { write: true }), 'rofs');
  assert.equal(guest.open('file', { oflags: TRUNC, rights: 0n }), 'rofs');
  assert.equal(guest.path('path_create_directory', 'x'), 'rofs');
  assert.equal(guest.path('path_create_directory', 'dir'), 'exist');
  assert.equal(guest.path('path_remove_directory', 'empty'), 'rofs');
  assert.equal(guest.path('path_unlink_file', 'file'), 'rofs');
  assert.equal(guest.rename('file', 'x'), 'rofs');
  assert.equal(guest.link('file', 'x'), 'rofs');
  assert.equal(guest.symlink('file', 'x'), 'rofs');
  assert.equal(guest.call('path_filestat_set_times', ROOT, 0, ...guest.put('file'), 0n, 0n, 4), 'rofs');
  assert.equal(guest.read(guest.mustOpen('file', { oflags: CREAT }), 9), 'contents');
});

test('fd_readdir writes exact entries, `.` and `..` first, and cuts the last one at the end of the buffer', () => {
  const guest = tree();
  const fd = guest.mustOpen('dir');
  const buffer = guest.room(96);
  const used = guest.room(4);
  assert.equal(guest.call('fd_readdir', fd, buffer, 96, 0n, used), 'success');
  const ino = (path: string): string => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(stat(guest, path).ino);
    return bytes.toString('hex');
  };
  const dot = `0100000000000000${ino('dir')}01000000030000002e`;
  const dots = `0200000000000000${ino('.')}02000000030000002e2e`;
  const nested = `0300000000000000${ino('dir/nested')}0600000003000000${Buffer.from('nested').toString('hex')}`;
  assert.equal(guest.hex(buffer, guest.u32(used)), dot + dots + nested);
  for (const cut of [0, 1, 8, 23, 24, 25, 50, 51, 60, 75, 80]) {
    guest.bytes.fill(63, buffer, buffer + 96);
    assert.equal(guest.call('fd_readdir', fd, buffer, cut, 0n, used), 'success');
    assert.equal(guest.u32(used), cut);
    assert.equal(guest.hex(buffer, cut), (dot + dots + nested).slice(0, cut * 2));
    assert.equal(guest.text(buffer + cut, 8), '????????');
  }
  for (const cookie of [3n, 4n, -1n]) {
    assert.equal(guest.call('fd_readdir', fd, buffer, 96, cookie, used), 'success');
    assert.equal(guest.u32(used), 0);
  }
});

test('fd_readdir: cookies survive 10,000 entries through a small buffer, and entries removed on the way', () => {
  const names = Array.from({ length: 9999 }, (_, i) => `file.${i}`);
  const guest = new Guest({
    files: Object.fromEntries(names.map((name) => [name, ''])),
    limits: { filesystemEntries: 9999 },
  });
  assert.deepEqual(list(guest, ROOT, 300), ['.', '..', ...names]);
  assert.equal(guest.open('one-more', { oflags: CREAT }), 'nospc');
  const buffer = guest.room(4096);
  const used = guest.room(4);
  guest.raw('fd_readdir', ROOT, buffer, 4096, 0n, used);
  for (let i = 0; i < 100; i++) assert.equal(guest.path('path_unlink_file', `file.${i}`), 'success');
  guest.raw('fd_readdir', ROOT, buffer, 4096, 102n, used);
  assert.equal(guest.text(buffer + 24, 8), 'file.100');
  assert.equal(list(guest, ROOT, 4096).length, 9901);
});
