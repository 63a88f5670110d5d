/** Commands that are programs of their own, beside this one in the build: `nebula bench`, `nebula meter`. */

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readFile } from 'node:fs/promises';
import { NebulaError } from '../../host/errors.ts';
import { writeAll } from './streams.ts';

/** The programs, below dist. The benchmarks are part of a clone and not of the package. */
const PROGRAMS = {
  bench: {
    path: 'bench/main.js',
    flags: ['--expose-gc'],
    detail: 'benchmarks are part of a clone of the source; see "nebula bench --help"',
  },
  meter: { path: 'hardware/cli/main.js', flags: [], detail: 'this build has no hardware folder' },
} as const;

/** What the benchmarks themselves say; the build writes it. */
const BENCH_HELP = join(import.meta.dirname, 'bench-help.txt');

const CLONE_TEXT = `
None of these is in the package. A clone of the source adds them, with the sources
of the functions, the plans of the comparison and the results of past runs:

  npm ci                          in the clone
  npm run bench -- start          one of the above
  npm run bench:install           the peers that some are measured beside
`;

const asksForHelp = (given: readonly string[]): boolean =>
  given.length === 0 || given[0] === 'help' || given.includes('--help') || given.includes('-h');

/** Ctrl-C reaches the whole group: this process waits for what the program makes of it. */
const stay = (): void => undefined;

/**
 * Runs a program with everything it was given, in a process of its own, and takes over its exit code.
 * @throws NebulaError FILE_UNREADABLE where the program is not there
 */
export async function runProgram(name: keyof typeof PROGRAMS, given: readonly string[]): Promise<void> {
  const { path: place, flags, detail } = PROGRAMS[name];
  // Compiled to dist/lib/cli.
  const path = join(import.meta.dirname, '..', '..', place);
  if (!existsSync(path)) {
    if (name !== 'bench' || !asksForHelp(given)) throw new NebulaError('FILE_UNREADABLE', { path, detail });
    await writeAll(process.stdout, `${await readFile(BENCH_HELP, 'utf8')}${CLONE_TEXT}`);
    return;
  }
  const child = spawn(process.execPath, [...flags, path, ...given], { stdio: 'inherit' });
  const pass = (): void => {
    child.kill('SIGTERM');
  };
  process.on('SIGINT', stay);
  process.on('SIGTERM', pass);
  try {
    process.exitCode = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1)));
    });
  } finally {
    process.off('SIGINT', stay);
    process.off('SIGTERM', pass);
  }
}
