/** Runs the tools that build: what they say is kept, and told where they fail. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { messageOf, NebulaError } from '../../host/errors.ts';

/** The end of what a tool said is what tells why it failed. */
const KEPT_BYTES = 65_536;

/** A tool and what it is given. */
export interface ToolRun {
  readonly program: string;
  readonly given: readonly string[];
  readonly folder: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What it wrote to stdout. Aborted, it is killed with all that it started.
 * @throws NebulaError BUILD_FAILED with the end of what it said on stderr; the signal's reason
 */
export async function runTool({ program, given, folder, environment, signal }: ToolRun): Promise<string> {
  signal?.throwIfAborted();
  const child = spawn(program, given, {
    cwd: folder,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: what it started ends with it, and Ctrl-C is this process' to pass on.
    detached: true,
  });
  const end = (): void => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended already.
    }
  };
  signal?.addEventListener('abort', end);
  const written: Buffer[] = [];
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => written.push(chunk));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-KEPT_BYTES)));
  try {
    const [code, killed] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    signal?.throwIfAborted();
    if (code === 0) return Buffer.concat(written).toString();
    const detail = said.trim() === '' ? `it ended with ${code ?? killed}` : said.trim();
    throw new NebulaError('BUILD_FAILED', { folder, tool: program, detail });
  } catch (cause) {
    if (cause instanceof NebulaError || signal?.aborted === true) throw cause;
    throw new NebulaError('BUILD_FAILED', { folder, tool: program, detail: messageOf(cause) }, { cause });
  } finally {
    signal?.removeEventListener('abort', end);
  }
}

/**
 * What a tool prints, without line breaks around it; undefined where there is no such tool or it fails.
 * @throws the signal's reason, where that ends it
 */
export async function askTool(
  program: string,
  given: readonly string[],
  { folder, signal }: Pick<ToolRun, 'folder' | 'signal'>,
): Promise<string | undefined> {
  try {
    return (await runTool({ program, given, folder, signal })).trim();
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}
