import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'node:test';
import { temporaryDirectory } from '../tiny-module.ts';

const STREAMS = pathToFileURL(join(import.meta.dirname, '..', '..', '..', 'lib', 'cli', 'streams.js')).href;

test('readInput() of a pipe leaves modules behind symbolic links where they are', (context) => {
  const root = realpathSync(temporaryDirectory(context));
  mkdirSync(join(root, 'node_modules'));
  for (const name of ['first', 'second']) {
    mkdirSync(join(root, name));
    writeFileSync(join(root, name, 'package.json'), JSON.stringify({ name, exports: './index.js', type: 'module' }));
    writeFileSync(join(root, name, 'index.js'), '');
    symlinkSync(join(root, name), join(root, 'node_modules', name));
  }
  const program = join(root, 'program.mjs');
  writeFileSync(
    program,
    `import { readInput } from '${STREAMS}';
import.meta.resolve('first');
await readInput(100);
process.stdout.write(import.meta.resolve('second'));`,
  );
  const { stdout, stderr } = spawnSync(process.execPath, [program], { encoding: 'utf8', input: 'some' });
  assert.equal(stderr, '');
  assert.equal(stdout, pathToFileURL(join(root, 'second', 'index.js')).href);
});
