import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { toPathErrno, toWasiErrno } from '../../../host/filesystem/machine-errno.ts';
import { mountMachine } from '../../../host/filesystem/machine-mount.ts';
import { errnoName } from '../errno-name.ts';
import { FDFLAG, FSTFLAG, OFLAG } from '../../../host/wasi/flags.ts';
import { bytes, createResult, skip, testBoth, text, withGuest } from './machine-fixture.ts';

const result = createResult();
const write = { isForWriting: true };

testBoth('MachineFile reads and writes at its offset and at others', ({ file, path }) => {
  const opened = file('file', { create: true });
  assert.equal(opened.write(bytes('hello world'), result), 0);
  assert.equal(result.count, 11);
  assert.equal(opened.seek(-5n, 2, result), 0);
  assert.equal(result.offset, 6n);
  const target = new Uint8Array(20);
  assert.equal(opened.readableBytes(), 5);
  assert.equal(opened.read(target, result), 0);
  assert.equal(text(target.subarray(0, result.count)), 'world');
  assert.equal(opened.readableBytes(), 0);
  assert.equal(opened.read(target, result), 0);
  assert.equal(result.count, 0);
  assert.equal(opened.pread(target, 2n, result), 0);
  assert.equal(text(target.subarray(0, result.count)), 'llo world');
  assert.equal(opened.pwrite(bytes('J'), 0n, result), 0);
  assert.equal(opened.seek(0n, 1, result), 0);
  assert.equal(result.offset, 11n);
  assert.equal(readFileSync(join(path, 'file'), 'utf8'), 'Jello world');
  assert.equal(errnoName(opened.seek(-1n, 0, result)), 'inval');
  assert.equal(errnoName(opened.seek(0n, 3, result)), 'inval');
  assert.equal(opened.seek(2n ** 40n, 0, result), 0);
  assert.equal(result.offset, 2n ** 40n);
  for (const offset of [2n ** 63n, 2n ** 64n - 1n]) {
    assert.equal(errnoName(opened.pread(target, offset, result)), 'inval');
    assert.equal(errnoName(opened.pwrite(target, offset, result)), 'inval');
  }
  assert.equal(opened.close(), 0);
  assert.equal(errnoName(opened.close()), 'badf');
  assert.equal(errnoName(opened.read(target, result)), 'badf');
});

testBoth('MachineFile reads into the middle of a Wasm memory', ({ file, path }) => {
  writeFileSync(join(path, 'file'), 'abc');
  const memory = new Uint8Array(new WebAssembly.Memory({ initial: 1 }).buffer).fill(63);
  const opened = file('file');
  assert.equal(opened.read(memory.subarray(100, 102), result), 0);
  assert.equal(text(memory.subarray(98, 104)), '??ab??');
  assert.equal(errnoName(opened.write(bytes('x'), result)), 'badf');
  opened.close();
});

testBoth('MachineFile appends with write and not with pwrite', ({ file, path }) => {
  const opened = file('file', { create: true, fdflags: FDFLAG.append });
  opened.write(bytes('aaaa'), result);
  opened.seek(0n, 0, result);
  opened.write(bytes('bb'), result);
  assert.equal(opened.pwrite(bytes('c'), 1n, result), 0);
  opened.seek(0n, 0, result);
  opened.write(bytes('d'), result);
  assert.equal(readFileSync(join(path, 'file'), 'utf8'), 'acaabbd');
  assert.equal(opened.setFlags(0), 0);
  opened.seek(0n, 0, result);
  opened.write(bytes('X'), result);
  assert.equal(opened.setFlags(FDFLAG.append | FDFLAG.nonblock), 0);
  assert.equal(opened.fdflags, FDFLAG.append | FDFLAG.nonblock);
  opened.write(bytes('Y'), result);
  assert.equal(readFileSync(join(path, 'file'), 'utf8'), 'XcaabbdY');
  assert.equal(errnoName(opened.setFlags(32)), 'inval');
  opened.close();
});

testBoth('MachineFile sets sizes, allocates, advises and syncs', ({ file, path }) => {
  const opened = file('file', { create: true, fdflags: FDFLAG.dsync });
  const size = (): number => statSync(join(path, 'file')).size;
  assert.equal(opened.setSize(10n), 0);
  assert.equal(size(), 10);
  assert.equal(opened.allocate(0n, 100n), 0);
  assert.equal(size(), 100);
  assert.equal(opened.allocate(10n, 10n), 0);
  assert.equal(size(), 100);
  assert.equal(errnoName(opened.allocate(0n, 0n)), 'inval');
  assert.equal(errnoName(opened.allocate(2n ** 64n - 1n, 1n)), 'fbig');
  assert.equal(errnoName(opened.setSize(2n ** 63n)), 'fbig');
  for (let advice = 0; advice < 6; advice++) {
    assert.equal(opened.advise(0n, 50n, advice), 0);
  }
  assert.equal(errnoName(opened.advise(0n, 50n, 6)), 'inval');
  assert.equal(opened.sync(), 0);
  assert.equal(opened.datasync(), 0);
  opened.close();
});

testBoth('MachineFile tells its stat and sets its times to the nanosecond', ({ file, path }) => {
  writeFileSync(join(path, 'file'), 'abc', { mode: 0o600 });
  const opened = file('file');
  assert.equal(opened.setTimes(1_000_000_001n, 2_000_000_000_999_999_999n, FSTFLAG.atim | FSTFLAG.mtim), 0);
  assert.equal(errnoName(opened.setTimes(1n, 1n, FSTFLAG.atim | FSTFLAG.atimNow)), 'inval');
  assert.equal(opened.stat(result), 0);
  const { atimNs, mtimNs, sizeBytes, nlink, filetype, ino, ctimNs } = result.stat;
  assert.deepEqual(
    [atimNs, mtimNs, sizeBytes, nlink, filetype],
    [1_000_000_001n, 2_000_000_000_999_999_999n, 3n, 1n, 4],
  );
  const stat = statSync(join(path, 'file'), { bigint: true });
  assert.deepEqual([ino, ctimNs], [stat.ino, stat.ctimeNs]);
  opened.close();
});

testBoth('MachineFile is truncated by its open, and made once by an exclusive one', ({ file, path, tryOpen }) => {
  writeFileSync(join(path, 'file'), 'abc');
  file('file', { ...write, oflags: OFLAG.trunc }).close();
  assert.equal(statSync(join(path, 'file')).size, 0);
  const exclusive = { ...write, oflags: OFLAG.creat | OFLAG.excl };
  assert.equal(tryOpen('once', exclusive), 'success');
  assert.equal(tryOpen('once', exclusive), 'exist');
  truncateSync(join(path, 'once'), 7);
  const opened = file('once');
  assert.equal(opened.readableBytes(), 7);
  opened.close();
});

for (const resolver of ['kernel', 'walk'] as const) {
  const readOnly = withGuest({ resolver, access: 'read-only' }, ({ root, path, read, tryOpen, file }) => {
    writeFileSync(join(path, 'file'), 'kept');
    const before = statSync(join(path, 'file'), { bigint: true });
    assert.equal(read('file'), 'kept');
    const answers = {
      write: tryOpen('file', write),
      create: tryOpen('new', { create: true }),
      createThere: tryOpen('file', { oflags: OFLAG.creat }),
      exclusive: tryOpen('file', { oflags: OFLAG.creat | OFLAG.excl }),
      truncate: tryOpen('file', { oflags: OFLAG.trunc }),
      missing: tryOpen('missing', write),
      directory: tryOpen('.', write),
      outside: tryOpen('../outside/new', { create: true }),
      createDirectory: errnoName(root.createDirectory(bytes('new'))),
      removeDirectory: errnoName(root.removeDirectory(bytes('new'))),
      unlinkFile: errnoName(root.unlinkFile(bytes('file'))),
      rename: errnoName(root.rename(bytes('file'), root, bytes('other'))),
      link: errnoName(root.link(bytes('file'), false, root, bytes('other'))),
      symlink: errnoName(root.symlink(bytes('file'), bytes('other'))),
      setTimesAt: errnoName(root.setTimesAt(bytes('file'), true, 0n, 0n, FSTFLAG.mtim)),
      setTimes: errnoName(root.setTimes(0n, 0n, FSTFLAG.mtim)),
    };
    assert.deepEqual(answers, {
      write: 'rofs',
      create: 'rofs',
      createThere: 'success',
      exclusive: 'exist',
      truncate: 'rofs',
      missing: 'noent',
      directory: 'isdir',
      outside: 'notcapable',
      createDirectory: 'rofs',
      removeDirectory: 'rofs',
      unlinkFile: 'rofs',
      rename: 'rofs',
      link: 'rofs',
      symlink: 'rofs',
      setTimesAt: 'rofs',
      setTimes: 'rofs',
    });
    const opened = file('file');
    assert.equal(errnoName(opened.write(bytes('x'), result)), 'badf');
    assert.equal(errnoName(opened.pwrite(bytes('x'), 0n, result)), 'badf');
    assert.equal(errnoName(opened.setSize(0n)), 'rofs');
    assert.equal(errnoName(opened.allocate(0n, 9n)), 'rofs');
    assert.equal(errnoName(opened.setTimes(0n, 0n, FSTFLAG.mtim)), 'rofs');
    opened.close();
    const after = statSync(join(path, 'file'), { bigint: true });
    assert.deepEqual([after.mtimeNs, after.size, after.nlink], [before.mtimeNs, before.size, before.nlink]);
  });
  test(`MachineDirectory of a read-only mount changes nothing (${resolver})`, { skip }, readOnly);
}

testBoth('MachineDirectory takes nothing from a read-only mount into a writable one', ({ root, path, outside }) => {
  const mounted = mountMachine({ guest: '/ro', machine: outside, access: 'read-only' });
  const other = mounted.open();
  writeFileSync(join(path, 'file'), 'x');
  assert.equal(errnoName(other.link(bytes('secret'), false, root, bytes('stolen'))), 'rofs');
  assert.equal(errnoName(other.rename(bytes('secret'), root, bytes('stolen'))), 'rofs');
  assert.equal(errnoName(root.link(bytes('file'), false, other, bytes('planted'))), 'rofs');
  assert.equal(errnoName(root.rename(bytes('file'), other, bytes('planted'))), 'rofs');
  mounted.close();
});

testBoth('MachineFile says that the file system is full', ({ file, path, tryOpen }, t) => {
  const full = join(path, 'full');
  try {
    execFileSync('mkdir', [full]);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,nr_inodes=3', 'tmpfs', full], { stdio: 'pipe' });
  } catch {
    t.skip('mounting a small tmpfs needs root');
    return;
  }
  try {
    const opened = file('full/a', { create: true });
    assert.equal(opened.write(new Uint8Array(100_000), result), 0);
    assert.equal(result.count, 65_536);
    assert.equal(errnoName(opened.write(new Uint8Array(1), result)), 'nospc');
    assert.equal(errnoName(opened.allocate(0n, 1_000_000n)), 'nospc');
    opened.close();
    tryOpen('full/b', { create: true });
    assert.equal(tryOpen('full/c', { create: true }), 'nospc');
  } finally {
    execFileSync('umount', [full]);
  }
});

test('toWasiErrno() knows the numbers of Linux', () => {
  const known: [number, string][] = [
    [1, 'perm'],
    [2, 'noent'],
    [11, 'again'],
    [18, 'xdev'],
    [27, 'fbig'],
    [28, 'nospc'],
    [30, 'rofs'],
    [36, 'nametoolong'],
    [39, 'notempty'],
    [40, 'loop'],
    [75, 'overflow'],
    [84, 'ilseq'],
    [95, 'notsup'],
    [99, 'addrnotavail'],
    [110, 'timedout'],
    [116, 'stale'],
    [122, 'dquot'],
    [131, 'notrecoverable'],
    [117, 'io'],
    [9999, 'io'],
  ];
  for (const [errno, name] of known) {
    assert.equal(errnoName(toWasiErrno(errno)), name, String(errno));
  }
  assert.equal(errnoName(toPathErrno(18)), 'notcapable');
});
