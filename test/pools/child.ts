/** Runs a program that uses a worker pool in a process of its own: for what may end a process, or keep it alive. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const PRELUDE = `
  const { createWorkerExecutor } = await import(${url('../../pools/worker/pool.js')});
  const { define, modulePath, renamed } = await import(${url('../definition.js')});
  const input = (text = '') => ({ input: new TextEncoder().encode(text) });
  const sleep = (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs));
`;

function url(path: string): string {
  return JSON.stringify(new URL(path, import.meta.url).href);
}

/**
 * Runs the program, which finds `createWorkerExecutor`, `define`, `modulePath`, `renamed`, `input` and `sleep`, to its own
 * end and answers what it printed. Rejects when it fails, writes to stderr or does not end in time.
 */
export async function runProgram(program: string, timeoutMs: number = 60_000): Promise<string> {
  const child = promisify(execFile)(process.execPath, ['--input-type=module', '--eval', PRELUDE + program], {
    timeout: timeoutMs,
  });
  const { stdout, stderr } = await child;
  if (stderr !== '') throw new Error(`The program wrote to stderr: ${stderr}`);
  return stdout;
}
