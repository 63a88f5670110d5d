/** What anybody can do on Node without Nebula: a new instance for each call, with hand-made imports or with node:wasi. */

import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Subject } from '../measurement/series.ts';

const ERRNO_NOSYS = 52;

/** The cheapest honest host: just what a Rust program that reads stdin and writes stdout calls, no checks. */
class BareHost {
  memory!: WebAssembly.Memory;
  output: Uint8Array = new Uint8Array();
  readonly #input: Uint8Array;
  #position = 0;

  constructor(input: Uint8Array) {
    this.#input = input;
  }

  reset(): void {
    this.#position = 0;
    this.output = new Uint8Array();
  }

  readonly imports = {
    wasi_snapshot_preview1: {
      fd_read: (_fd: number, iovs: number, count: number, result: number): number => this.#read(iovs, count, result),
      fd_write: (_fd: number, iovs: number, count: number, result: number): number => this.#write(iovs, count, result),
      environ_get: (): number => 0,
      environ_sizes_get: (count: number, size: number): number => this.#zero(count, size),
      args_get: (): number => 0,
      args_sizes_get: (count: number, size: number): number => this.#zero(count, size),
      clock_time_get: (): number => ERRNO_NOSYS,
      proc_exit: (code: number): never => {
        throw new Error(`exit ${code}`);
      },
    },
  };

  #zero(first: number, second: number): number {
    const view = new DataView(this.memory.buffer);
    view.setUint32(first, 0, true);
    view.setUint32(second, 0, true);
    return 0;
  }

  #read(iovs: number, count: number, result: number): number {
    const view = new DataView(this.memory.buffer);
    let total = 0;
    for (let at = 0; at < count; at++) {
      const pointer = view.getUint32(iovs + at * 8, true);
      const taken = Math.min(view.getUint32(iovs + at * 8 + 4, true), this.#input.length - this.#position);
      new Uint8Array(this.memory.buffer, pointer, taken).set(
        this.#input.subarray(this.#position, this.#position + taken),
      );
      this.#position += taken;
      total += taken;
    }
    view.setUint32(result, total, true);
    return 0;
  }

  #write(iovs: number, count: number, result: number): number {
    const view = new DataView(this.memory.buffer);
    let total = 0;
    for (let at = 0; at < count; at++) {
      const pointer = view.getUint32(iovs + at * 8, true);
      const length = view.getUint32(iovs + at * 8 + 4, true);
      this.output = new Uint8Array(this.memory.buffer, pointer, length).slice();
      total += length;
    }
    view.setUint32(result, total, true);
    return 0;
  }
}

/** A new `WebAssembly.Instance` and a run, the module compiled beforehand. */
export function newInstance(path: string, input: string, expected: string): Subject {
  const module = new WebAssembly.Module(readFileSync(path));
  const host = new BareHost(new TextEncoder().encode(input));
  const run = (): void => {
    host.reset();
    const { exports } = new WebAssembly.Instance(module, host.imports);
    host.memory = exports['memory'] as WebAssembly.Memory;
    (exports['_start'] as () => void)();
  };
  run();
  expectOutput('new-instance', new TextDecoder().decode(host.output), expected);
  return { name: 'new-instance', run };
}

/** What the process of node:wasi is told. */
export interface NodeWasiTask {
  readonly path: string;
  readonly input: string;
  readonly expected: string;
  readonly warmUp: number;
  readonly count: number;
}

const WARM_UP = 10;
const CALLS_PER_PROCESS = 50;
const MOST_ATTEMPTS = 10;

/**
 * A new `WASI` and a new instance for each call: node:wasi allows neither to be used twice. It runs in processes of its
 * own, a few calls each, for Node crashes after some hundred instances (nodejs/node issue 53087); those calls are repeated.
 */
export function nodeWasi(path: string, input: string, expected: string): Subject {
  const sample = async (count: number): Promise<Float64Array> => {
    const samples = new Float64Array(count);
    for (let at = 0; at < count; at += CALLS_PER_PROCESS) {
      const part = Math.min(CALLS_PER_PROCESS, count - at);
      samples.set(await repeated({ path, input, expected, warmUp: WARM_UP, count: part }), at);
    }
    return samples;
  };
  return { name: 'node-wasi', run: () => undefined, sample };
}

async function repeated(task: NodeWasiTask): Promise<Float64Array> {
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt++) {
    const times = await inProcess(task);
    if (times !== undefined) return times;
  }
  throw new Error(`Cannot measure node-wasi: its process crashed ${MOST_ATTEMPTS} times`);
}

function inProcess(task: NodeWasiTask): Promise<Float64Array | undefined> {
  const path = fileURLToPath(new URL(`./node-wasi-process${extname(import.meta.url)}`, import.meta.url));
  const child = fork(path, [JSON.stringify(task)], {
    execArgv: ['--expose-gc', '--no-warnings'],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  return new Promise((resolve) => {
    child.once('message', (times) => resolve(Float64Array.from(times as number[])));
    child.once('exit', () => resolve(undefined));
  });
}

/** A subject that answers wrongly measures nothing. */
export function expectOutput(subject: string, got: string, expected: string): void {
  if (got !== expected)
    throw new Error(`Cannot measure ${subject}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`);
}
