/** Folders import in one direction: none needs, by whatever way, what needs it. The linter holds the same of files. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { folderCircle, folderImports } from './folders.ts';

// Compiled to dist/test/meta.
const root = join(import.meta.dirname, '..', '..', '..');

const FOLDERS = ['host', 'pools', 'lib', 'bench', 'hardware', 'statistics'];

test('folderCircle() finds the shortest way back to a folder, and none where there is none', () => {
  const line = [
    { from: 'a/one.ts', to: 'b/two.ts' },
    { from: 'b/two.ts', to: 'b/deep/three.ts' },
    { from: 'a/one.ts', to: 'b/deep/three.ts' },
  ];
  assert.equal(folderCircle(line), undefined);
  // A circle of folders is none of files.
  const back = { from: 'b/deep/other.ts', to: 'a/four.ts' };
  assert.deepEqual(folderCircle([...line, back]), [line[2], back]);
});

test('the folders of the sources import in one direction', () => {
  const imports = folderImports(root, FOLDERS);
  assert.ok(imports.length > 100);
  const circle = folderCircle(imports)?.map(({ from, to }) => `${from} imports ${to}`);
  assert.equal(circle, undefined, circle?.join('\n'));
});

test('no folder of host/component is in a circle of folders of the host', () => {
  const circle = folderCircle(folderImports(root, ['host']), 'host/component/');
  assert.equal(circle, undefined, circle?.map(({ from, to }) => `${from} imports ${to}`).join('\n'));
});
