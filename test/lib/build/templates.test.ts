/** Names of packages in the folders that `nebula new` makes. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFolder } from '../../../lib/build/templates.ts';
import { temporaryDirectory } from '../tiny-module.ts';

/** As functions are named, and as their packages have to be. */
const PACKAGES: Readonly<Record<string, string>> = {
  build: 'f-build',
  deps: 'f-deps',
  examples: 'f-examples',
  incremental: 'f-incremental',
  'my.first-1': 'my-first-1',
  '1st': 'f-1st',
  builds: 'builds',
};

const hasCargo = spawnSync('cargo', ['--version']).status === 0;

test('makeFolder() names a package as Cargo takes it', async (context) => {
  const folder = temporaryDirectory(context);
  for (const [name, expected] of Object.entries(PACKAGES)) {
    const made = join(folder, name);
    await makeFolder(made, 'rust');
    assert.match(readFileSync(join(made, 'Cargo.toml'), 'utf8'), new RegExp(`^name = "${expected}"$`, 'm'));
    if (!hasCargo) continue;
    const given = ['metadata', '--offline', '--no-deps', '--format-version', '1'];
    const { status, stderr } = spawnSync('cargo', given, { cwd: made, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  }
});
