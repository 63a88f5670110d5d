/** What a call is on each target, for whoever has only the report; docs/method.md has all of it. */

import type { Analysis } from '../analysis.ts';
import type { TargetName } from '../plan.ts';
import type { Table } from './tables.ts';

/** What a call is on each target. */
export const TARGET_TEXTS: Readonly<Record<TargetName, string>> = {
  'wasm-restored':
    'Nebula with its defaults and one worker thread: a micro-VM (a WebAssembly instance) put back to its snapshot after each call, with a deadline',
  'wasm-fresh': 'the same with a new instance for each call',
  'wasm-in-thread': "Nebula in the caller's own thread, without a deadline: the least that a call can cost",
  'node-wasi': "Node's own WASI and a new instance for each call, in a process that measures itself",
  process: 'the native program started as a child process: the floor under a container',
  'container-warm':
    'a container kept from call to call that answers over its attached stdin; the next caller finds the state that the last one left',
  'container-cold': 'a container for each call, without a network: create, attach, start, wait, remove',
  'container-cold-bridge': 'the same with the default bridge network of the engine',
  'container-cold-host': "the same with the machine's network",
  'docker-run':
    'the command `docker run --rm -i` for each call, with the default bridge network: until the container is removed and the command has ended',
  wasmtime: 'the wasmtime command, started for each call',
  workerd: "Cloudflare's runtime as a server of its own, over HTTP: a new instance of the module for each request",
  extism: "Extism's JavaScript SDK: a new plug-in for each call, for `noop` alone, since it gives a plug-in no stdin",
};

/** The targets that were measured, in the order of the run. */
export function targetsOf({ cells }: Analysis): readonly string[] {
  return [...new Set(cells.map(({ target }) => target))];
}

/** What a call is on each of these targets. */
export function targetTable(targets: readonly string[]): Table {
  const lines = targets.map((target) => [target, TARGET_TEXTS[target as TargetName] ?? '-']);
  return { head: ['target', 'what a call is'], lines };
}
