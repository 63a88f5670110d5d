/** A component that was prepared runs where the transpiler is not installed: a package as it ships, beside all others but that. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { temporaryDirectory } from '../tiny-module.ts';

// Compiled to dist/test/lib/cli.
const ROOT = join(import.meta.dirname, '..', '..', '..', '..');
const COMPONENT = join(ROOT, 'functions', 'components', 'match-lines');
const TRANSPILER = ['@bytecodealliance', 'binaryen'];

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function nebula(root: string, args: readonly string[], input = ''): Ran {
  return spawnSync(process.execPath, [join(root, 'dist', 'lib', 'cli', 'main.js'), ...args], {
    encoding: 'utf8',
    input,
  });
}

/** The package with its dependencies, without the transpiler and what it brings. */
function installWithoutTranspiler(context: TestContext): string {
  const root = temporaryDirectory(context);
  for (const part of ['host', 'pools', 'lib'])
    cpSync(join(ROOT, 'dist', part), join(root, 'dist', part), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(root, 'package.json'));
  mkdirSync(join(root, 'node_modules'));
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (TRANSPILER.includes(name) || name.startsWith('.')) continue;
    symlinkSync(join(ROOT, 'node_modules', name), join(root, 'node_modules', name));
  }
  return root;
}

test('nebula prepare makes a folder that runs where neither jco nor binaryen is installed', (context) => {
  const prepared = join(temporaryDirectory(context), 'prepared');
  const made = nebula(ROOT, ['prepare', COMPONENT, '--out', prepared]);
  assert.equal(made.status, 0, made.stderr);
  const root = installWithoutTranspiler(context);
  const ran = nebula(root, ['invoke', prepared], 'one\nthree\nfour\n');
  assert.deepEqual([ran.status, ran.stdout, ran.stderr], [0, 'one\nfour\n', '']);
  const refused = nebula(root, ['invoke', COMPONENT], 'one\n');
  assert.equal(refused.status, 3);
  assert.match(refused.stderr, /@bytecodealliance\/jco-transpile/);
});
