/** A call that is a command of its own: input on stdin, answer on stdout, stamps on stderr. */

import { spawn } from 'node:child_process';
import type { CallResult } from '../target.ts';

/** What a call starts. */
export interface CallCommand {
  readonly command: string;
  readonly arguments: readonly string[];
  /** Milliseconds after which it is ended; default: never. */
  readonly timeoutMs?: number;
}

/** Starts a command and waits for its end. @throws the system's error when it cannot be started */
export function callCommand(call: CallCommand, input: Uint8Array): Promise<CallResult> {
  const limit = call.timeoutMs === undefined ? {} : { timeout: call.timeoutMs };
  const child = spawn(call.command, [...call.arguments], { stdio: 'pipe', ...limit });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  // A guest need not read its input.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode, signal) => {
      const streams = { stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr) };
      if (exitCode === 0) resolve({ outcome: 'ok', ...streams });
      else resolve({ outcome: 'exit', reason: signal === null ? `exit code ${exitCode}` : signal, ...streams });
    });
  });
}
