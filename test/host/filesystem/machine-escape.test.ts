import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { mountMachine } from '../../../host/filesystem/machine-mount.ts';
import { errnoName } from '../errno-name.ts';
import { OFLAG } from '../../../host/wasi/flags.ts';
import { bytes, createResult, type Guest, skip, testBoth, text, withGuest } from './machine-fixture.ts';
import { repetitions } from '../../repetitions.ts';

const result = createResult();

testBoth('MachineDirectory follows symlinks that stay inside', ({ root, path, read, write, open }) => {
  mkdirSync(join(path, 'a/b'), { recursive: true });
  writeFileSync(join(path, 'a/file'), 'inside');
  symlinkSync('../file', join(path, 'a/b/up'));
  symlinkSync('b/up', join(path, 'a/chain'));
  symlinkSync('a/b/', join(path, 'directory'));
  symlinkSync('a/b/../../a', join(path, 'winding'));
  symlinkSync('a/new', join(path, 'dangling'));
  for (const inside of [
    'a/b/up',
    'a/chain',
    'directory/up',
    'directory/../file',
    'winding/file',
    'winding/b/../chain',
  ]) {
    assert.equal(read(inside), 'inside', inside);
  }
  assert.equal(open('a/chain', { isFollowing: false }), 'loop');
  assert.equal(open('dangling'), 'noent');
  assert.equal(open('dangling', { oflags: OFLAG.creat | OFLAG.excl, isForWriting: true }), 'exist');
  write('dangling', 'made');
  assert.equal(readFileSync(join(path, 'a/new'), 'utf8'), 'made');
  assert.equal(root.statAt(bytes('winding'), false, result), 0);
  assert.equal(result.stat.filetype, 7);
  assert.equal(root.statAt(bytes('winding'), true, result), 0);
  assert.equal(result.stat.filetype, 3);
  assert.equal(root.statAt(bytes('winding/'), false, result), 0);
  assert.equal(result.stat.filetype, 3);
  assert.equal(errnoName(root.removeDirectory(bytes('directory'))), 'notdir');
  assert.equal(root.unlinkFile(bytes('directory')), 0);
});

testBoth('MachineDirectory refuses symlinks that loop', ({ root, path, open }) => {
  symlinkSync('loop', join(path, 'loop'));
  symlinkSync('two', join(path, 'one'));
  symlinkSync('one/x', join(path, 'two'));
  for (const looping of ['loop', 'loop/x', 'one', 'two/x']) {
    assert.equal(open(looping), 'loop', looping);
  }
  assert.equal(errnoName(root.statAt(bytes('loop'), true, result)), 'loop');
  assert.equal(errnoName(root.link(bytes('loop'), true, root, bytes('x'))), 'loop');
});

/** Every way by which a path can be handed over. */
function tryAll({ root, tryOpen }: Guest, path: string): Record<string, string> {
  const at = bytes(path);
  return {
    open: tryOpen(path),
    create: tryOpen(path, { create: true }),
    stat: errnoName(root.statAt(at, true, result)),
    setTimes: errnoName(root.setTimesAt(at, true, 0n, 0n, 1)),
    createDirectory: errnoName(root.createDirectory(bytes(`${path}/new`))),
    unlinkFile: errnoName(root.unlinkFile(bytes(`${path}/secret`))),
    removeDirectory: errnoName(root.removeDirectory(bytes(`${path}/x`))),
    renameFrom: errnoName(root.rename(bytes(`${path}/secret`), root, bytes('stolen'))),
    renameTo: errnoName(root.rename(bytes('mine'), root, bytes(`${path}/planted`))),
    linkFrom: errnoName(root.link(bytes(`${path}/secret`), false, root, bytes('stolen'))),
    linkFollow: errnoName(root.link(at, true, root, bytes('stolen'))),
    linkTo: errnoName(root.link(bytes('mine'), false, root, bytes(`${path}/planted`))),
    symlink: errnoName(root.symlink(bytes('mine'), bytes(`${path}/planted`))),
    readlink: errnoName(root.readlink(bytes(`${path}/secret`), result)),
  };
}

testBoth('MachineDirectory lets no path out', (guest) => {
  guest.write('mine', 'mine');
  mkdirSync(join(guest.path, 'sub'));
  symlinkSync('../outside', join(guest.path, 'relative'));
  symlinkSync(guest.outside, join(guest.path, 'absolute'));
  symlinkSync('/', join(guest.path, 'slash'));
  symlinkSync('relative', join(guest.path, 'indirect'));
  symlinkSync('sub/../../outside', join(guest.path, 'winding'));
  for (const out of ['relative', 'absolute', 'slash', 'indirect', 'winding', '../outside', 'sub/../../outside']) {
    const answers = tryAll(guest, out);
    assert.deepEqual([...new Set(Object.values(answers))], ['notcapable'], `${out}: ${JSON.stringify(answers)}`);
  }
  symlinkSync('../outside/planted', join(guest.path, 'plant'));
  assert.equal(guest.tryOpen('plant', { create: true }), 'notcapable');
  assert.equal(guest.tryOpen('plant', { isForWriting: true, oflags: OFLAG.creat | OFLAG.excl }), 'exist');
  assert.deepEqual(readdirSync(guest.outside), ['secret']);
  assert.equal(readFileSync(join(guest.outside, 'secret'), 'utf8'), 'secret');
});

for (const resolver of ['kernel', 'walk'] as const) {
  test(`MachineDirectory refuses the links of /proc (${resolver})`, { skip }, () => {
    const mounted = mountMachine({ guest: '/p', machine: '/proc', access: 'read-only' }, { resolver });
    const root = mounted.open();
    const asked = { isFollowing: true, oflags: 0, fdflags: 0, isForReading: true, isForWriting: false };
    for (const magic of ['self/root', 'self/cwd', 'self/fd/0', 'thread-self/root/etc', 'self/exe']) {
      const errno = errnoName(root.open({ ...asked, path: bytes(magic) }, result));
      assert.ok(['loop', 'notcapable', 'noent'].includes(errno), `${magic}: ${errno}`);
      assert.ok(root.statAt(bytes(magic), true, result) !== 0, magic);
    }
    mounted.close();
  });

  test(`MachineDirectory withstands a directory swapped for a symlink (${resolver})`, { skip, timeout: 60_000 }, () =>
    withGuest({ resolver }, async (guest) => {
      const { path, outside, open } = guest;
      mkdirSync(join(path, 'swap'));
      writeFileSync(join(path, 'swap/secret'), 'inside');
      symlinkSync(outside, join(path, 'absolute'));
      const source = `
        const { parentPort, workerData: { path } } = require('node:worker_threads');
        const { renameSync, symlinkSync } = require('node:fs');
        symlinkSync('../outside', path + '/relative');
        let stop = false;
        parentPort.on('message', () => { stop = true; });
        const round = () => {
          for (let turn = 0; turn < 200; turn++) {
            const link = turn % 2 ? '/absolute' : '/relative';
            renameSync(path + '/swap', path + '/aside');
            renameSync(path + link, path + '/swap');
            renameSync(path + '/swap', path + link);
            renameSync(path + '/aside', path + '/swap');
          }
          if (stop) parentPort.close(); else setImmediate(round);
        };
        parentPort.postMessage('ready');
        round();`;
      const worker = new Worker(source, { eval: true, workerData: { path } });
      await new Promise((resolve) => worker.once('message', resolve));
      const seen = new Map<string, number>();
      const target = new Uint8Array(16);
      for (let round = 0; round < repetitions(20_000); round++) {
        const opened = open(round % 2 === 0 ? 'swap/secret' : 'swap/../swap/./secret');
        let answer = 'opened';
        if (typeof opened === 'string') {
          answer = opened;
        } else {
          opened.read(target, result);
          answer = text(target.subarray(0, result.count));
          opened.close();
        }
        seen.set(answer, (seen.get(answer) ?? 0) + 1);
      }
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker of Node, not a window
      worker.postMessage('stop');
      await new Promise((resolve) => worker.once('exit', resolve));
      assert.ok((seen.get('inside') ?? 0) > 0, JSON.stringify([...seen]));
      assert.ok((seen.get('notcapable') ?? 0) > 0, `the race was never met: ${JSON.stringify([...seen])}`);
      for (const answer of seen.keys()) {
        assert.ok(['inside', 'notcapable', 'noent', 'again'].includes(answer), answer);
      }
      rmSync(join(path, 'swap'), { recursive: true });
    })(),
  );
}
