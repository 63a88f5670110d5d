/** C files, built for WASI by clang. */

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { NebulaError } from '../../host/errors.ts';
import type { Builder, BuildTask } from './builder.ts';
import { askTool, runTool } from './tool.ts';

/** That of the PATH with Debian's wasi-libc, and where the WASI SDK is installed usually. */
const COMPILERS = ['clang', '/opt/wasi-sdk/bin/clang'];
const TARGET = '--target=wasm32-wasi';
const INSTALL =
  'on Debian: apt-get install clang lld wasi-libc libclang-rt-dev-wasm32; elsewhere the WASI SDK in /opt/wasi-sdk';

const isSource = (name: string): boolean => name.endsWith('.c');

export const c: Builder = {
  about: 'C files (*.c)',
  matches: (names) => [...names].some(isSource),
  written: [],
  async build(task) {
    const { folder, modulePath, say, signal } = task;
    const program = await findCompiler(task);
    const sources = (await readdir(folder)).filter(isSource).sort();
    say('clang builds it');
    const given = [
      TARGET,
      '-O2',
      '-Wall',
      '-Wl,--strip-all',
      '-o',
      modulePath,
      ...sources.map((name) => join(folder, name)),
    ];
    await runTool({ program, given, folder, signal });
  },
};

/** One that has the C library of WASI: it is asked whether it finds the file that every program begins with. */
async function findCompiler(task: BuildTask): Promise<string> {
  for (const program of COMPILERS) {
    const start = await askTool(program, [TARGET, '-print-file-name=crt1.o'], task);
    if (start !== undefined && start !== 'crt1.o') return program;
  }
  throw new NebulaError('TOOL_MISSING', {
    folder: task.folder,
    tool: 'clang with the C library of WASI',
    install: INSTALL,
  });
}
