import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DirectoryEntry } from '../../../host/filesystem/descriptor.ts';
import { errnoName } from '../errno-name.ts';
import { FILETYPE } from '../../../host/wasi/filetype.ts';
import { FSTFLAG, OFLAG } from '../../../host/wasi/flags.ts';
import { bytes, createResult, list, testBoth, text } from './machine-fixture.ts';

const result = createResult();

testBoth('MachineDirectory makes, lists, renames and removes', ({ root, path, write, read, open }) => {
  assert.equal(root.createDirectory(bytes('sub')), 0);
  assert.equal(root.createDirectory(bytes('sub/deeper/')), 0);
  assert.equal(errnoName(root.createDirectory(bytes('sub'))), 'exist');
  assert.equal(errnoName(root.createDirectory(bytes('missing/sub'))), 'noent');
  write('sub/file', 'one');
  assert.equal(read('sub/./deeper/../file'), 'one');
  assert.equal(readFileSync(join(path, 'sub/file'), 'utf8'), 'one');
  assert.equal(root.rename(bytes('sub/file'), root, bytes('moved')), 0);
  assert.equal(open('sub/file'), 'noent');
  assert.equal(read('moved'), 'one');
  assert.deepEqual(list(root).toSorted(), ['.', '..', 'moved', 'sub']);
  assert.deepEqual(list(root).slice(0, 2), ['.', '..']);
  assert.equal(errnoName(root.removeDirectory(bytes('sub'))), 'notempty');
  assert.equal(errnoName(root.removeDirectory(bytes('moved'))), 'notdir');
  assert.equal(root.removeDirectory(bytes('sub/deeper/')), 0);
  assert.equal(errnoName(root.unlinkFile(bytes('sub'))), 'isdir');
  assert.equal(errnoName(root.unlinkFile(bytes('sub/'))), 'isdir');
  assert.equal(errnoName(root.unlinkFile(bytes('moved/'))), 'notdir');
  assert.equal(root.removeDirectory(bytes('sub')), 0);
  assert.equal(root.unlinkFile(bytes('moved')), 0);
  assert.deepEqual(list(root), ['.', '..']);
});

testBoth('MachineDirectory.open() has the errno of POSIX', ({ root, write, open }) => {
  write('file', 'x');
  root.createDirectory(bytes('sub'));
  const cases: [string, string, Parameters<typeof open>[1]?][] = [
    ['', 'noent'],
    ['missing', 'noent'],
    ['file/', 'notdir'],
    ['file/more', 'notdir'],
    ['file', 'notdir', { oflags: OFLAG.directory }],
    ['sub', 'isdir', { isForWriting: true }],
    ['sub', 'isdir', { isForWriting: true, oflags: OFLAG.directory }],
    ['sub', 'isdir', { create: true }],
    ['new/', 'isdir', { create: true }],
    ['missing/new', 'noent', { create: true }],
    ['file', 'exist', { oflags: OFLAG.creat | OFLAG.excl, isForWriting: true }],
    ['new', 'inval', { oflags: OFLAG.creat | OFLAG.directory }],
    ['n'.repeat(256), 'nametoolong'],
    ['a/'.repeat(2500), 'nametoolong'],
    ['fi\0le', 'inval'],
    ['file\0', 'inval'],
    ['/file', 'notcapable'],
    ['/', 'notcapable'],
    ['..', 'notcapable'],
    ['sub/../..', 'notcapable'],
    ['sub/../../outside/secret', 'notcapable'],
  ];
  for (const [path, expected, asked] of cases) {
    assert.equal(open(path, asked), expected, JSON.stringify([path.slice(0, 30), asked]));
  }
  for (const path of ['.', './', 'sub', 'sub/', 'sub///', 'sub/..', 'sub/.']) {
    const opened = open(path, { oflags: OFLAG.directory });
    assert.ok(typeof opened !== 'string', path);
    assert.equal(opened.filetype, FILETYPE.directory);
    opened.close();
  }
});

testBoth('MachineDirectory refuses `.` and `..` as entries, and paths that leave', ({ root, write }) => {
  root.createDirectory(bytes('sub'));
  write('file', 'x');
  for (const [path, made, removed] of [
    ['sub/.', 'exist', 'inval'],
    ['sub/..', 'exist', 'notempty'],
    ['.', 'exist', 'inval'],
    ['..', 'notcapable', 'notcapable'],
    ['../outside/x', 'notcapable', 'notcapable'],
    ['/tmp/x', 'notcapable', 'notcapable'],
    ['', 'noent', 'noent'],
    ['a\0', 'inval', 'inval'],
  ] as const) {
    const at = bytes(path);
    assert.equal(errnoName(root.createDirectory(at)), made, path);
    assert.equal(errnoName(root.symlink(bytes('file'), at)), made, path);
    assert.equal(errnoName(root.link(bytes('file'), false, root, at)), made, path);
    assert.equal(errnoName(root.removeDirectory(at)), removed, path);
    const isDots = /(^|\/)\.\.?$/.test(path) && removed !== 'notcapable';
    assert.equal(errnoName(root.unlinkFile(at)), isDots ? 'isdir' : removed, path);
    const renamed = errnoName(root.rename(at, root, bytes('other')));
    assert.equal(renamed, isDots ? 'busy' : removed, path);
  }
});

testBoth('MachineDirectory.link() makes hard links, and none of directories', ({ root, path, write, read }) => {
  write('file', 'one');
  root.createDirectory(bytes('sub'));
  symlinkSync('file', join(path, 'symlink'));
  symlinkSync('missing', join(path, 'dangling'));
  assert.equal(root.link(bytes('file'), false, root, bytes('sub/again')), 0);
  assert.equal(read('sub/again'), 'one');
  assert.equal(root.statAt(bytes('file'), true, result), 0);
  assert.equal(result.stat.nlink, 2n);
  assert.equal(root.link(bytes('symlink'), false, root, bytes('symlink2')), 0);
  assert.equal(root.statAt(bytes('symlink2'), false, result), 0);
  assert.equal(result.stat.filetype, FILETYPE.symbolicLink);
  assert.equal(root.link(bytes('symlink'), true, root, bytes('followed')), 0);
  assert.equal(root.statAt(bytes('followed'), false, result), 0);
  assert.equal(result.stat.nlink, 3n);
  for (const [from, to, expected] of [
    ['sub', 'x', 'perm'],
    ['sub/', 'x', 'perm'],
    ['file/', 'x', 'notdir'],
    ['file', 'sub', 'exist'],
    ['file', 'dangling', 'exist'],
    ['file', 'file', 'exist'],
    ['file', 'new/', 'noent'],
    ['missing', 'x', 'noent'],
    ['../outside/secret', 'x', 'notcapable'],
  ] as const) {
    assert.equal(errnoName(root.link(bytes(from), false, root, bytes(to))), expected, `${from} ${to}`);
  }
  assert.equal(errnoName(root.link(bytes('dangling'), true, root, bytes('x'))), 'inval');
});

testBoth('MachineDirectory.symlink() and readlink() keep the contents', ({ root, write, read }) => {
  write('file', 'one');
  assert.equal(root.symlink(bytes('file'), bytes('link')), 0);
  assert.equal(read('link'), 'one');
  assert.equal(root.readlink(bytes('link'), result), 0);
  assert.equal(text(result.bytes), 'file');
  for (const [contents, path, expected] of [
    ['/etc/passwd', 'x', 'notcapable'],
    ['', 'x', 'noent'],
    ['a\0b', 'x', 'inval'],
    ['f'.repeat(5000), 'x', 'nametoolong'],
    ['file', 'link', 'exist'],
    ['file', 'new/', 'noent'],
    ['file', 'file/', 'notdir'],
  ] as const) {
    assert.equal(errnoName(root.symlink(bytes(contents), bytes(path))), expected, path);
  }
  assert.equal(errnoName(root.readlink(bytes('file'), result)), 'inval');
  assert.equal(errnoName(root.readlink(bytes('.'), result)), 'inval');
  assert.equal(errnoName(root.readlink(bytes('missing'), result)), 'noent');
  assert.equal(errnoName(root.readlink(bytes('link/'), result)), 'notdir');
});

testBoth('MachineDirectory.rename() moves over what may be replaced', ({ root, write, read, path }) => {
  root.createDirectory(bytes('empty'));
  root.createDirectory(bytes('full'));
  root.createDirectory(bytes('moving'));
  write('full/file', 'kept');
  write('a', 'a');
  write('b', 'b');
  const rename = (from: string, to: string): string => errnoName(root.rename(bytes(from), root, bytes(to)));
  assert.equal(rename('a', 'b'), 'success');
  assert.equal(read('b'), 'a');
  assert.equal(rename('b', 'empty'), 'isdir');
  assert.equal(rename('moving', 'b'), 'notdir');
  assert.equal(rename('moving', 'full'), 'notempty');
  assert.equal(rename('moving', 'moving/inside'), 'inval');
  assert.equal(rename('b', 'c/'), 'notdir');
  assert.equal(rename('moving/', 'empty/'), 'success');
  assert.equal(rename('missing', 'x'), 'noent');
  symlinkSync('full', join(path, 'link'));
  assert.equal(rename('link', 'link2'), 'success');
  assert.equal(read('link2/file'), 'kept');
});

testBoth('MachineDirectory keeps times to the nanosecond', ({ root, path, write }) => {
  write('file', 'x');
  symlinkSync('file', join(path, 'link'));
  const { atim, mtim, atimNow, mtimNow } = FSTFLAG;
  const [atimNs, mtimNs] = [1_234_567_890_123_456_789n, 987_654_321_987_654_321n];
  assert.equal(root.setTimesAt(bytes('file'), true, atimNs, mtimNs, atim | mtim), 0);
  assert.equal(root.statAt(bytes('file'), true, result), 0);
  assert.deepEqual([result.stat.atimNs, result.stat.mtimNs], [atimNs, mtimNs]);
  const stat = statSync(join(path, 'file'), { bigint: true });
  assert.deepEqual([stat.atimeNs, stat.mtimeNs, stat.ino], [atimNs, mtimNs, result.stat.ino]);
  assert.equal(stat.dev !== 0n, true);
  assert.equal(root.setTimesAt(bytes('link'), false, 5n, 6n, atim | mtim), 0);
  root.statAt(bytes('link'), false, result);
  assert.deepEqual([result.stat.atimNs, result.stat.mtimNs], [5n, 6n]);
  assert.equal(root.setTimesAt(bytes('link'), true, 7n, 0n, atim), 0);
  root.statAt(bytes('file'), false, result);
  assert.deepEqual([result.stat.atimNs, result.stat.mtimNs], [7n, mtimNs]);
  const before = BigInt(Date.now() - 1000) * 1_000_000n;
  assert.equal(root.setTimes(0n, 9n, atimNow | mtim), 0);
  root.stat(result);
  assert.ok(result.stat.atimNs > before);
  assert.equal(result.stat.mtimNs, 9n);
  for (const flags of [atim | atimNow, mtim | mtimNow, 16]) {
    assert.equal(errnoName(root.setTimesAt(bytes('file'), true, 0n, 0n, flags)), 'inval');
  }
});

testBoth('MachineDirectory.readEntries() has cookies that stay, for 10,000 entries', ({ root, path, open }) => {
  mkdirSync(join(path, 'many'));
  const names = Array.from({ length: 10_000 }, (_, index) => `file-${index}`);
  for (const name of names) {
    writeFileSync(join(path, 'many', name), '');
  }
  const many = open('many', { oflags: OFLAG.directory });
  assert.ok(typeof many !== 'string');
  const all = list(many);
  assert.deepEqual(all.slice(2).toSorted(), names.toSorted());
  rmSync(join(path, 'many', all[5] as string));
  assert.deepEqual(list(many, 4_000n), all.slice(4_000));
  assert.deepEqual(list(many, 4_000n, 7), all.slice(4_000, 4_007));
  assert.deepEqual(list(many, 10_002n), []);
  assert.deepEqual(list(many, 2n ** 64n - 1n), []);
  assert.equal(list(many).length, 10_001);
  many.close();
  const entries: DirectoryEntry[] = [];
  root.readEntries(0n, entries, 10);
  root.stat(result);
  assert.deepEqual(
    entries.map((entry) => [text(entry.name), entry.filetype]),
    [
      ['.', 3],
      ['..', 3],
      ['many', 3],
    ],
  );
  assert.deepEqual(
    entries.slice(0, 2).map(({ ino }) => ino),
    [result.stat.ino, result.stat.ino],
  );
});

testBoth('MachineDirectory keeps names that are not UTF-8', ({ root, open, path }) => {
  const name = Uint8Array.of(0x66, 0xff, 0xfe, 0x80);
  const file = open(name, { create: true });
  assert.ok(typeof file !== 'string');
  file.close();
  const entries: DirectoryEntry[] = [];
  root.readEntries(2n, entries, 10);
  assert.deepEqual(
    entries.map((entry) => [...entry.name]),
    [[...name]],
  );
  assert.equal(root.statAt(name, true, result), 0);
  assert.equal(root.unlinkFile(name), 0);
  assert.ok(statSync(path).isDirectory());
});

testBoth('MachineDirectory goes on when its directory is moved', ({ open, path, outside, file }) => {
  mkdirSync(join(path, 'sub'));
  writeFileSync(join(path, 'sub/file'), 'x');
  const sub = file('sub', { oflags: OFLAG.directory });
  renameSync(join(path, 'sub'), join(outside, 'sub'));
  const opened = open('file', {}, sub);
  assert.ok(typeof opened !== 'string');
  opened.close();
  assert.equal(open('../secret', {}, sub), 'notcapable');
  assert.equal(open('../mount/sub', {}, sub), 'notcapable');
  rmSync(join(outside, 'sub'), { recursive: true });
  assert.equal(open('new', { create: true }, sub), 'noent');
  assert.equal(sub.close(), 0);
  assert.equal(errnoName(sub.close()), 'badf');
  assert.equal(open('x', {}, sub), 'badf');
});

testBoth('MachineDirectory neither hangs on a FIFO nor opens what is no file', ({ root, path, open }) => {
  execFileSync('mkfifo', [join(path, 'fifo')]);
  assert.equal(open('fifo'), 'acces');
  assert.equal(open('fifo', { isForWriting: true, isForReading: false }), 'nxio');
  assert.equal(open('fifo', { isForWriting: true }), 'acces');
  assert.equal(root.statAt(bytes('fifo'), true, result), 0);
  assert.equal(result.stat.filetype, FILETYPE.unknown);
  assert.equal(root.unlinkFile(bytes('fifo')), 0);
});
