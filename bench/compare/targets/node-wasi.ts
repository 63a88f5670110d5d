/** Node's own WASI, which wants files for streams and allows neither a WASI nor an instance to be used twice. */

import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WASI } from 'node:wasi';
import { functionPath } from '../../root.ts';
import { sha256, type ComparisonCase } from '../cases.ts';
import type { Plan, TargetName } from '../plan.ts';
import { STAMP_ENVIRONMENT } from '../stamps.ts';
import type { CallResult, Deployed, Target } from './target.ts';

export async function openNodeWasi(name: TargetName, _plan: Plan, cases: readonly ComparisonCase[]): Promise<Target> {
  const folder = await mkdtemp(join(tmpdir(), 'nebula-node-wasi-'));
  const modules = new Map<string, WebAssembly.Module>();
  const deployed: Deployed[] = [];
  for (const functionName of new Set(cases.map((test) => test.function))) {
    const bytes = await readFile(functionPath(functionName));
    modules.set(functionName, await WebAssembly.compile(bytes));
    deployed.push({ function: functionName, digest: sha256(bytes), sizeBytes: bytes.length });
  }
  const streams = { input: join(folder, 'in'), output: join(folder, 'out'), errors: join(folder, 'err') };
  return {
    name,
    cold: false,
    deployed,
    refuses: () => undefined,
    call: (test) => Promise.resolve().then(() => run(modules.get(test.function) as WebAssembly.Module, test, streams)),
    close: () => rm(folder, { recursive: true }),
  };
}

interface Streams {
  readonly input: string;
  readonly output: string;
  readonly errors: string;
}

/** Its input has to be written to a file, and its answer read from one, so both are part of the call. */
function run(module: WebAssembly.Module, test: ComparisonCase, streams: Streams): CallResult {
  writeFileSync(streams.input, test.bytes);
  const stdin = openSync(streams.input, 'r');
  const stdout = openSync(streams.output, 'w');
  const stderr = openSync(streams.errors, 'w');
  let exitCode: number;
  try {
    const wasi = new WASI({ version: 'preview1', stdin, stdout, stderr, env: STAMP_ENVIRONMENT, returnOnExit: true });
    const instance = new WebAssembly.Instance(module, wasi.getImportObject() as WebAssembly.Imports);
    exitCode = wasi.start(instance);
  } finally {
    for (const fd of [stdin, stdout, stderr]) closeSync(fd);
  }
  const output = { stdout: readFileSync(streams.output), stderr: readFileSync(streams.errors) };
  return exitCode === 0
    ? { outcome: 'ok', ...output }
    : { outcome: 'exit', reason: `exit code ${exitCode}`, ...output };
}
