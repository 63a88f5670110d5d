/** Other runtimes, loaded from bench/peers when `npm run bench:install` has put them there. */

import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Subject } from '../measurement/series.ts';
import { root } from '../measurement/root.ts';

const peers = join(root, 'bench', 'peers');

/** The file of a peer, or undefined when the peers are not installed. */
export function peerFile(...parts: string[]): string | undefined {
  const path = join(peers, 'node_modules', ...parts);
  return existsSync(path) ? path : undefined;
}

interface Plugin {
  call(name: string, input: string): Promise<unknown>;
  close(): Promise<void>;
}

interface Extism {
  createPlugin(module: WebAssembly.Module, options: object): Promise<Plugin>;
}

/** Extism with a new plug-in for each call, which is what it takes to have a fresh state. */
export function extism(path: string, runInWorker: boolean): Subject | undefined {
  if (peerFile('@extism', 'extism') === undefined) return undefined;
  const library = createRequire(join(peers, 'package.json'))('@extism/extism') as Extism;
  const module = new WebAssembly.Module(readFileSync(path));
  const run = async (): Promise<void> => {
    const plugin = await library.createPlugin(module, { useWasi: true, runInWorker });
    await plugin.call('_start', '');
    await plugin.close();
  };
  return { name: runInWorker ? 'extism-worker' : 'extism', run, perBlock: 70 };
}
