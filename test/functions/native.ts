/** The native binaries of the functions, where `functions/build.sh` has built them. */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { requirePart } from '../require.ts';
import { FUNCTIONS_FOLDER } from './cases.ts';

const FOLDER = join(FUNCTIONS_FOLDER, 'target', 'native');

/** What node:test takes as `skip` for a test that needs the native binaries. */
export function skipWithoutNative(): string | false {
  return requirePart('native', existsSync(join(FOLDER, 'noop')), 'functions/build.sh has not built them');
}

export function nativePath(name: string): string {
  return join(FOLDER, name);
}

export interface NativeAnswer {
  readonly stdout: Uint8Array;
  readonly stderr: string;
  readonly exitCode: number | null;
}

/** Runs a native binary once. */
export function runNative(name: string, input: Uint8Array, args: readonly string[] = []): NativeAnswer {
  const run = spawnSync(nativePath(name), args, { input, maxBuffer: 256 * 1024 * 1024 });
  return { stdout: run.stdout, stderr: run.stderr.toString(), exitCode: run.status };
}

/** Serves all inputs from one process: framed requests in, framed answers out (functions/guest/src/serve.rs). */
export function serveNative(name: string, inputs: readonly Uint8Array[]): NativeAnswer[] {
  const frames = inputs.flatMap((input) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(input.length);
    return [length, input];
  });
  const bytes = Buffer.from(runNative(name, Buffer.concat(frames), ['--serve']).stdout);
  const answers: NativeAnswer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const stdoutEnd = at + 12 + bytes.readUInt32LE(at + 4);
    const end = stdoutEnd + bytes.readUInt32LE(at + 8);
    const stderr = bytes.subarray(stdoutEnd, end).toString();
    answers.push({ exitCode: bytes.readUInt32LE(at), stdout: bytes.subarray(at + 12, stdoutEnd), stderr });
    at = end;
  }
  return answers;
}
