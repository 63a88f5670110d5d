/** The wasmtime command as a peer, when it is on the PATH: a process for each call, its module compiled beforehand. */

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { functionPath } from '../../measurement/root.ts';
import { sha256, type ComparisonCase } from '../cases.ts';
import type { Plan, TargetName } from '../plan.ts';
import { callCommand } from './command-call.ts';
import type { CallResult, Deployed, Target } from '../target.ts';

const execute = promisify(execFile);

/** Opens the wasmtime command. @throws Error when there is none */
export async function openWasmtime(name: TargetName, _plan: Plan, cases: readonly ComparisonCase[]): Promise<Target> {
  const { stdout: version } = await execute('wasmtime', ['--version']).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? new Error('there is no wasmtime command on the PATH') : error;
  });
  const folder = await mkdtemp(join(tmpdir(), 'nebula-wasmtime-'));
  const deployed: Deployed[] = [];
  for (const functionName of new Set(cases.map((test) => test.function))) {
    const path = functionPath(functionName);
    await execute('wasmtime', ['compile', '-o', join(folder, `${functionName}.cwasm`), path]);
    const bytes = await readFile(path);
    deployed.push({ function: functionName, digest: sha256(bytes), sizeBytes: bytes.length, detail: version.trim() });
  }
  return {
    name,
    isCold: false,
    deployed,
    refuses: () => undefined,
    // Its process is gone when its answer is there.
    settled: () => Promise.resolve(0),
    call: (test) => run(join(folder, `${test.function}.cwasm`), test.bytes),
    close: () => rm(folder, { recursive: true }),
  };
}

function run(path: string, input: Uint8Array): Promise<CallResult> {
  const given = ['run', '--allow-precompiled', '--env', 'NEBULA_STAMP=1', path];
  return callCommand({ command: 'wasmtime', arguments: given }, input);
}
