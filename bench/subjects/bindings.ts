/** Calls of a host function by a guest, each beside the least that such a call can cost. A sample is the mean of a round of them. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { createNebula } from '../../lib/index.ts';
import { root } from '../measurement/root.ts';
import type { Subject } from '../measurement/series.ts';
import { peerFile } from './peers.ts';

/** Calls in a round: what starts and ends it is a hundredth of it at most. */
const ROUND = 500;
const REQUEST = 'hello';

/** What a round takes, in microseconds for each call. */
async function sampleRounds(count: number, round: () => unknown): Promise<Float64Array> {
  const samples = new Float64Array(count);
  for (let at = 0; at < count; at++) {
    const beganMs = performance.now();
    await round();
    samples[at] = ((performance.now() - beganMs) * 1000) / ROUND;
  }
  return samples;
}

/** A guest that calls a binding which answers what it is given, before it returns. */
export async function boundGuest(executor: 'worker' | 'in-thread'): Promise<Subject> {
  const bindings = { orders: { echo: (bytes: Uint8Array) => bytes } };
  const nebula = await createNebula({ executor, threads: 1, spareThreads: 0, bindings });
  const name = 'call-binding';
  const module = readFileSync(join(root, 'functions', 'guests', name, `${name}.wasm`));
  await nebula.deploy(module, { name, capabilities: { bindings: ['orders'] } });
  const input = `${ROUND} orders.echo\n${REQUEST}`;
  const round = async (): Promise<void> => {
    const { kind, stdout } = await nebula.invoke(name, input);
    if (kind !== 'ok' || String(Buffer.from(stdout)) !== REQUEST) throw new Error(`the guest ended with ${kind}`);
  };
  return {
    name: executor === 'worker' ? 'nebula' : 'nebula-in-thread',
    run: round,
    sample: (count) => sampleRounds(count, round),
    close: () => nebula.close(),
  };
}

/** Each asks with a cell of shared memory and waits for the other: what a binding in another thread costs at least. */
const PING = `
const { parentPort, workerData } = require('node:worker_threads');
const cells = new Int32Array(workerData);
let asked = 0;
parentPort.on('message', (count) => {
  for (let left = count; left > 0; left--) {
    Atomics.store(cells, 0, ++asked);
    Atomics.notify(cells, 0);
    while (Atomics.load(cells, 1) !== asked) Atomics.wait(cells, 1, asked - 1);
  }
  parentPort.postMessage(0);
});`;

type WaitAsync = (
  cells: Int32Array,
  index: number,
  value: number,
) => { readonly async: false } | { readonly async: true; readonly value: Promise<string> };

/** A worker and this thread that pass a cell of shared memory to and fro; the worker blocks, this thread does not. */
export function rawAtomics(): Subject {
  const cells = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(PING, { eval: true, workerData: cells.buffer });
  const { waitAsync } = Atomics as unknown as { readonly waitAsync: WaitAsync };
  const state = { isClosed: false };
  const answer = async (): Promise<void> => {
    for (let seen = 0; !state.isClosed; ) {
      const waited = waitAsync(cells, 0, seen);
      if (waited.async) await waited.value;
      seen = Atomics.load(cells, 0);
      Atomics.store(cells, 1, seen);
      Atomics.notify(cells, 1);
    }
  };
  void answer();
  const round = (): Promise<unknown> =>
    new Promise((resolve) => {
      worker.once('message', resolve);
      worker.postMessage(ROUND);
    });
  return {
    name: 'raw-atomics',
    run: round,
    sample: (count) => sampleRounds(count, round),
    close: async () => {
      state.isClosed = true;
      Atomics.notify(cells, 0);
      await worker.terminate();
    },
  };
}

/**
 * A plug-in of Extism's that calls a host function 500 times with the same five bytes:
 *
 *     (module
 *       (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
 *       (import "extism:host/user" "echo" (func $echo (param i64) (result i64)))
 *       (memory (export "memory") 1)
 *       (func (export "run") (result i32) (local i32 i64)
 *         (local.set 1 (call $alloc (i64.const 5)))
 *         (local.set 0 (i32.const 500))
 *         (loop
 *           (drop (call $echo (local.get 1)))
 *           (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
 *         (i32.const 0)))
 */
const PLUG_IN =
  '0061736d01000000010a0260017e017e6000017f0231020f65787469736d3a686f73742f656e7605616c6c6f6300001065787469736d3a686f73742f75736572046563686f0000030201010503010001071002066d656d6f727902000372756e00020a26012402017f017e42051000210141f40321000340200110011a200041016b22000d000b41000b';

interface CallContext {
  read(offset: bigint): { bytes(): Uint8Array } | null;
  store(bytes: Uint8Array): bigint;
}

interface Plugin {
  call(name: string, input: string): Promise<unknown>;
  close(): Promise<void>;
}

interface Extism {
  createPlugin(module: WebAssembly.Module, options: object): Promise<Plugin>;
}

const echo = (context: CallContext, offset: bigint): bigint =>
  context.store(context.read(offset)?.bytes() ?? new Uint8Array(0));

/** The same over Extism's kernel, in this thread or in a worker; undefined where it is not installed. */
export async function extismHostFunction(runInWorker: boolean): Promise<Subject | undefined> {
  if (peerFile('@extism', 'extism') === undefined) return undefined;
  const library = createRequire(join(root, 'bench', 'peers', 'package.json'))('@extism/extism') as Extism;
  const functions = { 'extism:host/user': { echo } };
  const module = new WebAssembly.Module(Buffer.from(PLUG_IN, 'hex'));
  const plugin = await library.createPlugin(module, { runInWorker, functions });
  const round = (): Promise<unknown> => plugin.call('run', '');
  return {
    name: runInWorker ? 'extism-worker' : 'extism',
    run: round,
    // A call from its worker takes a hundred times as long as one of any other.
    perBlock: runInWorker ? 1 : 10,
    sample: (count) => sampleRounds(count, round),
    close: () => plugin.close(),
  };
}
