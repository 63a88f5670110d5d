/** A call that is a command of its own: input on stdin, answer on stdout, stamps on stderr. */

import { spawn } from 'node:child_process';
import type { CallResult } from '../target.ts';

/** What a call starts. */
export interface CallCommand {
  readonly command: string;
  readonly arguments: readonly string[];
  /** Milliseconds after which it is killed; default: never. */
  readonly timeoutMs?: number;
  /** Ends what the command has others run for it, before it is killed itself. */
  readonly onTimeout?: () => void;
}

/** No function of a comparison answers as much, in bytes. */
const MOST_OUTPUT = 64 * 1024 * 1024;

/** Starts a command and waits for its end. @throws the system's error when it cannot be started */
export function callCommand(call: CallCommand, input: Uint8Array): Promise<CallResult> {
  const child = spawn(call.command, [...call.arguments], { stdio: 'pipe' });
  let stopped: Pick<CallResult, 'outcome' | 'reason'> | undefined;
  const stop = (outcome: string, reason: string): void => {
    stopped ??= { outcome, reason };
    call.onTimeout?.();
    child.kill('SIGKILL');
  };
  const { timeoutMs } = call;
  const timer =
    timeoutMs === undefined ? undefined : setTimeout(() => stop('timeout', `no end within ${timeoutMs} ms`), timeoutMs);
  const gather = (stream: NodeJS.ReadableStream): Buffer[] => {
    const chunks: Buffer[] = [];
    let size = 0;
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MOST_OUTPUT) chunks.push(chunk);
      else if (stopped === undefined) stop('limit', `more than ${MOST_OUTPUT} bytes of output`);
    });
    return chunks;
  };
  const [stdout, stderr] = [gather(child.stdout), gather(child.stderr)];
  // A guest need not read its input.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once('close', (exitCode, signal) => {
      clearTimeout(timer);
      const streams = { stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr) };
      const ended = exitCode === 0 ? { outcome: 'ok' } : { outcome: 'exit', reason: signal ?? `exit code ${exitCode}` };
      resolve({ ...(stopped ?? ended), ...streams });
    });
  });
}
