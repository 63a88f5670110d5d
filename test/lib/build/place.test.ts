/** Where the module of a build goes. */

import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildFunction } from '../../../lib/build/build.ts';
import { nebula } from '../cli/command.ts';
import { withCompiler } from './compiler.ts';

test('buildFunction() writes no module outside its folder, neither by its path nor through a symbolic link', async (context) => {
  const { folder, path } = withCompiler(context, 'while [ "$1" != -o ]; do shift; done; echo built > "$2"');
  const victim = join(folder, '..', 'victim');
  mkdirSync(victim);
  writeFileSync(join(victim, 'file'), 'mine');
  symlinkSync(victim, join(folder, 'link'));
  symlinkSync(join(victim, 'file'), join(folder, 'linked'));
  symlinkSync(folder, `${folder}-link`);
  mkdirSync(join(folder, '..in'));
  const name = (module: string): void =>
    writeFileSync(join(folder, 'nebula.json'), JSON.stringify({ name: 'f', module }));
  for (const module of ['../victim/file', join(victim, 'file'), 'link/file', '.', '..', 'no/file']) {
    name(module);
    await assert.rejects(buildFunction(folder), {
      key: 'BUILD_FAILED',
      message: /with nebula build: expected the module of nebula\.json in the folder or in one below it, got /,
    });
  }
  for (const [module, given] of [
    ['..in/file', folder],
    ['linked', folder],
    [join(folder, 'file'), `${folder}-link`],
  ] as const) {
    name(module);
    const { code, stderr } = await nebula(['build', given], { environment: { PATH: path } });
    assert.equal(code, 0, stderr);
  }
  assert.equal(readFileSync(join(victim, 'file'), 'utf8'), 'mine');
  assert.equal(readFileSync(join(folder, 'linked'), 'utf8'), 'built\n');
  assert.deepEqual(readdirSync(victim), ['file']);
});
