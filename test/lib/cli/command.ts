/** Runs the built `nebula` command as a process of its own. */

import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

// Compiled to dist/test/lib/cli.
export const projectRoot: string = join(import.meta.dirname, '..', '..', '..', '..');

const main = join(projectRoot, 'dist', 'lib', 'cli', 'main.js');

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly input?: string | Uint8Array;
  readonly environment?: Readonly<Record<string, string>>;
  readonly directory?: string;
}

/** Starts the command in the project's folder, without the variables it reads. */
export function startNebula(
  commandLine: readonly string[],
  options: CommandOptions = {},
): ChildProcessWithoutNullStreams {
  const { PORT: _port, NEBULA_TOKEN: _token, ...environment } = process.env;
  return spawn(process.execPath, [main, ...commandLine], {
    cwd: options.directory ?? projectRoot,
    env: { ...environment, ...options.environment },
  });
}

/** The function built under functions/, by its folder. */
export function builtFunction(path: string): string {
  return join(projectRoot, 'functions', path);
}

/** Runs the command to its end. */
export async function nebula(commandLine: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  return resultOf(startNebula(commandLine, options), options.input ?? '');
}

async function resultOf(child: ChildProcessWithoutNullStreams, input: string | Uint8Array): Promise<CommandResult> {
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  // A command that fails before it reads its input closes the pipe.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

/** What a shell needs to run the command on a function. */
export function shellEnvironment(target: string): NodeJS.ProcessEnv {
  return { ...process.env, NODE: process.execPath, MAIN: main, TARGET: target };
}

/** Has a shell start the command, for what `spawn` cannot hand over. */
export async function shell(script: string, target: string): Promise<CommandResult> {
  const child = spawn('sh', ['-c', script], { cwd: projectRoot, env: shellEnvironment(target) });
  return resultOf(child, '');
}

/** Starts `nebula serve` and waits for its one line; killed after the test if it still runs. */
export async function startServe(
  context: TestContext,
  commandLine: readonly string[],
): Promise<{
  readonly child: ChildProcessWithoutNullStreams;
  readonly line: string;
  readonly url: string;
  readonly log: () => string;
}> {
  const child = startNebula(['serve', '--port', '0', '--threads', '1', ...commandLine]);
  context.after(() => child.kill('SIGKILL'));
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  const first = await Promise.race([once(child.stdout.setEncoding('utf8'), 'data'), once(child, 'close')]);
  const line = String(first[0]);
  const url = /http:\/\/[^/\s"]+/.exec(line)?.[0];
  if (url === undefined) throw new Error(`nebula serve said ${JSON.stringify(line)} and ${complaint}`);
  return { child, line, url, log: () => complaint };
}
