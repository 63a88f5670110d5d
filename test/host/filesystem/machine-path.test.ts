import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { mountMachine } from '../../../host/filesystem/machine-mount.ts';
import { checkPath, splitPath } from '../../../host/filesystem/machine-path.ts';
import { errnoName } from '../errno-name.ts';
import { OFLAG } from '../../../host/wasi/flags.ts';
import { bytes, createResult, skip, text } from './machine-fixture.ts';
import { repetitions } from '../../repetitions.ts';

const NAMES = ['a', 'b', 'file', 'up', 'in', 'out', 'absolute', 'loop', 'dangling', 'slashed', 'dots', '.', '..', ''];

/** The same names at two depths, so that a random path often leads somewhere. */
function createTree(path: string, depth: number): void {
  mkdirSync(path);
  writeFileSync(join(path, 'file'), 'x');
  symlinkSync('..', join(path, 'up'));
  symlinkSync('a/file', join(path, 'in'));
  symlinkSync('../../..', join(path, 'out'));
  symlinkSync('/', join(path, 'absolute'));
  symlinkSync('loop', join(path, 'loop'));
  symlinkSync('missing', join(path, 'dangling'));
  symlinkSync('a/', join(path, 'slashed'));
  symlinkSync('./b/.././a/.', join(path, 'dots'));
  if (depth > 0) {
    createTree(join(path, 'a'), depth - 1);
    createTree(join(path, 'b'), depth - 1);
  }
}

test('resolveByWalk() agrees with resolveByKernel() on every path', { skip }, () => {
  const base = mkdtempSync(join(tmpdir(), 'nebula-path-'));
  createTree(join(base, 'tree'), 2);
  const machine = join(base, 'tree');
  const mounts = (['kernel', 'walk'] as const).map((resolver) =>
    mountMachine({ guest: '/d', machine, access: 'read-write' }, { resolver }),
  );
  const roots = mounts.map((mount) => mount.open());
  const ask = fc.record({
    names: fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 7 }),
    isFollowing: fc.boolean(),
    oflags: fc.constantFrom(0, OFLAG.directory, OFLAG.creat | OFLAG.excl, OFLAG.trunc),
    isForWriting: fc.boolean(),
  });
  const seen = new Set<string>();
  fc.assert(
    fc.property(ask, ({ names, isFollowing, oflags, isForWriting }) => {
      const path = bytes(names.join('/'));
      const answers = roots.map((root) => {
        const result = createResult();
        const stat = errnoName(root.statAt(path, isFollowing, result));
        const { ino, filetype } = result.stat;
        const opened = errnoName(
          root.open({ path, isFollowing, oflags, fdflags: 0, isForReading: true, isForWriting }, result),
        );
        result.descriptor?.stat(result);
        result.descriptor?.close();
        if (opened === 'success' && (oflags & OFLAG.creat) !== 0) {
          assert.equal(root.unlinkFile(path), 0);
          return { stat, opened };
        }
        const link = errnoName(root.readlink(path, result));
        return { stat, ino, filetype, opened, openedIno: result.stat.ino, link, contents: text(result.bytes) };
      });
      seen.add(answers[0]?.stat ?? '').add(answers[0]?.opened ?? '');
      assert.deepEqual(answers[1], answers[0]);
    }),
    { numRuns: repetitions(3000) },
  );
  for (const mount of mounts) {
    mount.close();
  }
  rmSync(base, { recursive: true });
  for (const errno of ['success', 'noent', 'notdir', 'loop', 'notcapable', 'isdir', 'exist']) {
    assert.ok(seen.has(errno), `no path led to ${errno}`);
  }
});

test('splitPath() parts a path before its last component', () => {
  for (const [path, parent, base, entry, dots] of [
    ['a', '.', 'a', 'a', false],
    ['a/b', 'a/', 'b', 'b', false],
    ['a//b//', 'a//', 'b', 'b//', false],
    ['a/..', 'a/', '..', '..', true],
    ['./', '.', '.', './', true],
    ['...', '.', '...', '...', false],
  ] as const) {
    const checked = checkPath(bytes(path));
    assert.ok(typeof checked !== 'number');
    const split = splitPath(checked);
    assert.deepEqual(
      [text(split.parent), text(split.base), text(split.entry), split.isDots, split.hasTrailingSlash],
      [`${parent}\0`, `${base}\0`, `${entry}\0`, dots, path.endsWith('/')],
    );
  }
});
