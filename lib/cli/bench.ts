/** `nebula bench ...`: hands everything on to the benchmarks, which are part of a clone and not of the package. */

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { NebulaError } from '../../host/errors.ts';

/** Ctrl-C reaches the whole group: this process waits for what the benchmarks make of it. */
const stay = (): void => undefined;

/**
 * Runs the benchmarks in a process of their own and takes over its exit code.
 * @throws NebulaError FILE_UNREADABLE where the package holds no benchmarks
 */
export async function bench(given: readonly string[]): Promise<void> {
  // Compiled to dist/lib/cli, beside dist/bench.
  const path = join(import.meta.dirname, '..', '..', 'bench', 'main.js');
  if (!existsSync(path))
    throw new NebulaError('FILE_UNREADABLE', { path, detail: 'benchmarks need a clone of the source' });
  const child = spawn(process.execPath, ['--expose-gc', path, ...given], { stdio: 'inherit' });
  process.on('SIGINT', stay);
  try {
    process.exitCode = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1)));
    });
  } finally {
    process.off('SIGINT', stay);
  }
}
