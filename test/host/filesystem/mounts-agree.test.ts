import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { mountMachine } from '../../../host/filesystem/machine-mount.ts';
import { loadLibc } from '../../../host/linux/libc.ts';
import { ERRNO } from '../../../host/wasi/errno.ts';
import { Guest, ROOT } from '../preview1/guest.ts';
import { repetitions } from '../../repetitions.ts';

/** Which of several things that are wrong is told is left to the file system. */
const ERRORS: ReadonlySet<string> = new Set(Object.keys(ERRNO).filter((name) => name !== 'success'));

type Call = (guest: Guest) => string | number;

const name = fc.constantFrom('a', 'b', 'c', 'd');
const part = fc.oneof({ weight: 8, arbitrary: name }, { weight: 1, arbitrary: fc.constantFrom('.', '..', '') });
const slash = fc.constantFrom('', '', '', '/');
const path = fc
  .tuple(fc.array(part, { minLength: 1, maxLength: 3 }), slash)
  .map(([parts, end]) => parts.join('/') + end)
  .filter((text) => !text.startsWith('/'));

/** What a path's filestat says that every file system agrees on. */
function shape(guest: Guest, path: string, lookup: number): string {
  const stat = guest.stat(path, lookup);
  if (typeof stat === 'string') return stat;
  return stat.filetype === 3 ? 'directory' : `${stat.filetype} ${stat.size} ${stat.nlink}`;
}

/** Opens, writes if it may, and closes; answers the errno's name or what was read. */
function openAndUse(guest: Guest, path: string, oflags: number, write: boolean, follow: boolean): string {
  const fd = guest.open(path, { oflags, write, follow, ...(write ? {} : { rights: 2n }) });
  if (typeof fd === 'string') return fd;
  const stat = guest.fdStat(fd);
  const used = write ? guest.write(fd, 'text') : guest.read(fd, 20);
  guest.raw('fd_close', fd);
  return typeof stat !== 'string' && stat.filetype === 3 ? 'directory' : used;
}

const call: fc.Arbitrary<{ readonly text: string; readonly run: Call }> = fc.oneof(
  fc
    .tuple(fc.constantFrom('path_create_directory', 'path_remove_directory', 'path_unlink_file'), path)
    .map(([f, p]) => ({
      text: `${f} ${p}`,
      run: (guest: Guest) => guest.path(f, p),
    })),
  fc
    .tuple(path, path)
    .map(([from, to]) => ({ text: `rename ${from} ${to}`, run: (guest: Guest) => guest.rename(from, to) })),
  fc.tuple(path, path, fc.constantFrom(0, 1)).map(([from, to, lookup]) => ({
    text: `link ${from} ${to} ${lookup}`,
    run: (guest: Guest) => guest.link(from, to, lookup),
  })),
  fc
    .tuple(path, path)
    .map(([to, at]) => ({ text: `symlink ${to} ${at}`, run: (guest: Guest) => guest.symlink(to, at) })),
  fc.tuple(path, fc.constantFrom(0, 1)).map(([p, lookup]) => ({
    text: `stat ${p} ${lookup}`,
    run: (guest: Guest) => shape(guest, p, lookup),
  })),
  fc
    .tuple(path, fc.constantFrom(0, 1, 2, 4, 5, 8, 9, 10), fc.boolean(), fc.boolean())
    .map(([p, oflags, write, follow]) => ({
      text: `open ${p} ${oflags} ${write ? 'write' : 'read'} ${follow ? 'follow' : ''}`,
      run: (guest: Guest) => openAndUse(guest, p, oflags, write, follow),
    })),
  path.map((p) => ({
    text: `readlink ${p}`,
    run: (guest: Guest) => {
      const used = guest.room(4);
      const buffer = guest.room(32);
      const errno = guest.call('path_readlink', ROOT, ...guest.put(p), buffer, 32, used);
      return errno === 'success' ? guest.text(buffer, guest.u32(used)) : errno;
    },
  })),
);

test('a mount in memory and one of the machine answer every call alike', { skip: loadLibc() === undefined }, () => {
  const report = fc.check(
    fc.property(fc.array(call, { maxLength: 40 }), (calls) => {
      const folder = mkdtempSync(join(tmpdir(), 'nebula-agree-'));
      const mount = mountMachine({ guest: '/data', machine: folder, access: 'read-write' });
      try {
        const machine = new Guest({ mounts: [mount] });
        const memory = new Guest({ files: {} });
        calls.forEach(({ text, run }, i) => {
          const answers = [run(memory), run(machine)];
          if (answers.every((answer) => ERRORS.has(String(answer)))) return;
          assert.equal(`call ${i}, ${text}: ${answers[0]}`, `call ${i}, ${text}: ${answers[1]}`);
        });
      } finally {
        mount.close();
        rmSync(folder, { recursive: true });
      }
    }),
    { numRuns: repetitions(100) },
  );
  const calls = report.counterexample?.[0].map(({ text }) => text).join('\n');
  assert.ok(!report.failed, `${String(report.errorInstance)}\nafter\n${calls} (seed ${report.seed})`);
});

test('a read-only mount of the machine tells what it cannot reach before that it cannot change it', {
  skip: loadLibc() === undefined,
}, () => {
  const folder = mkdtempSync(join(tmpdir(), 'nebula-agree-'));
  const mount = mountMachine({ guest: '/data', machine: folder, access: 'read-only' });
  try {
    for (const guest of [new Guest({ mounts: [mount] }), new Guest({ files: {}, access: 'read-only' })]) {
      const changes = ['path_create_directory', 'path_remove_directory', 'path_unlink_file'];
      for (const change of changes) {
        assert.equal(guest.path(change, '../a'), 'notcapable', change);
        assert.equal(guest.path(change, 'missing/a'), 'noent', change);
      }
      assert.equal(guest.path('path_create_directory', 'a'), 'rofs');
      assert.equal(guest.symlink('a', 'missing/b'), 'noent');
    }
  } finally {
    mount.close();
    rmSync(folder, { recursive: true });
  }
});
