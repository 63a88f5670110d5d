/**
 * The process in which node:wasi runs functions: argument 1 is a folder with `<function>.wasm`, the inputs as
 * `<function>.<input>`, and room for the files that are its streams. It measures by itself, on the clock of this machine.
 */

import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WASI } from 'node:wasi';
import { STAMP_ENVIRONMENT } from '../stamps.ts';

/** One call that is asked for. */
export interface NodeWasiCall {
  readonly function: string;
  readonly input: string;
}

/** What the process that runs Node's WASI answers for one call; times in nanoseconds of the monotonic clock. */
export interface NodeWasiAnswer {
  readonly calledNs: bigint;
  readonly answeredNs: bigint;
  /** When its streams were closed; the instance itself is left to the next collection. */
  readonly clearedNs: bigint;
  /** -1 when it ended with an error. */
  readonly exitCode: number;
  readonly error?: string;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}

const folder = process.argv[2] as string;
const modules = new Map<string, WebAssembly.Module>();
const inputs = new Map<string, Uint8Array>();
const streams = { input: join(folder, 'stdin'), output: join(folder, 'stdout'), errors: join(folder, 'stderr') };

function known<T>(all: Map<string, T>, name: string, load: (bytes: Uint8Array<ArrayBuffer>) => T): T {
  const found = all.get(name) ?? load(new Uint8Array(readFileSync(join(folder, name))));
  all.set(name, found);
  return found;
}

/** Its input has to be written to a file, and its answer read from one, so both are part of the call. */
function run(module: WebAssembly.Module, input: Uint8Array): NodeWasiAnswer {
  const calledNs = process.hrtime.bigint();
  writeFileSync(streams.input, input);
  const stdin = openSync(streams.input, 'r');
  const stdout = openSync(streams.output, 'w');
  const stderr = openSync(streams.errors, 'w');
  let ending: { exitCode: number; error?: string };
  try {
    const wasi = new WASI({ version: 'preview1', stdin, stdout, stderr, env: STAMP_ENVIRONMENT, returnOnExit: true });
    const instance = new WebAssembly.Instance(module, wasi.getImportObject() as WebAssembly.Imports);
    ending = { exitCode: wasi.start(instance) };
  } catch (error) {
    ending = { exitCode: -1, error: String(error) };
  }
  const answer = readFileSync(streams.output);
  const answeredNs = process.hrtime.bigint();
  for (const fd of [stdin, stdout, stderr]) closeSync(fd);
  const clearedNs = process.hrtime.bigint();
  return { ...ending, calledNs, answeredNs, clearedNs, stdout: answer, stderr: readFileSync(streams.errors) };
}

process.on('message', ({ function: name, input }: NodeWasiCall) => {
  const module = known(modules, `${name}.wasm`, (bytes) => new WebAssembly.Module(bytes));
  const bytes = known(inputs, `${name}.${input}`, (each) => each);
  globalThis.gc?.();
  process.send?.(run(module, bytes));
});
