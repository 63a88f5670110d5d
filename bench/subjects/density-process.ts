/** The process that `bench density` looks at from within. */

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createNebula } from '../../lib/index.ts';
import { functionPath } from '../measurement/root.ts';
import type { DensityAnswer, DensityTask } from './density.ts';

/** A name section that differs makes the module another one to V8, which shares code between equal modules. */
function distinct(module: Uint8Array, index: number): Uint8Array {
  const text = new TextEncoder().encode(String(index).padStart(8, '0'));
  const name = new TextEncoder().encode('name');
  const content = [name.length, ...name, 127, text.length, ...text];
  return Uint8Array.from([...module, 0, content.length, ...content]);
}

async function residentBytes(): Promise<number> {
  for (let turn = 0; turn < 3; turn++) {
    globalThis.gc?.();
    await sleep(500);
  }
  return process.memoryUsage.rss();
}

async function manyFunctions(count: number): Promise<DensityAnswer> {
  await using nebula = await createNebula({ threads: 1 });
  const module = readFileSync(functionPath('noop'));
  const deploy = async (index: number): Promise<void> => {
    const name = `function-${index}`;
    await nebula.deploy(distinct(module, index), { name });
    await nebula.invokeOrThrow(name);
  };
  for (let index = 0; index < 10; index++) await deploy(index);
  const beforeBytes = await residentBytes();
  for (let index = 10; index < count + 10; index++) await deploy(index);
  return { beforeBytes, afterBytes: await residentBytes() };
}

async function manyCalls(first: number, total: number): Promise<DensityAnswer> {
  await using nebula = await createNebula({ threads: 1 });
  await nebula.deploy(functionPath('noop'), { name: 'noop' });
  const call = async (count: number): Promise<void> => {
    for (let left = count; left > 0; left--) await nebula.invoke('noop');
  };
  await call(first);
  const beforeBytes = await residentBytes();
  await call(total - first);
  return { beforeBytes, afterBytes: await residentBytes() };
}

const task = JSON.parse(process.argv[2] ?? '') as DensityTask;
const answer = task.kind === 'functions' ? await manyFunctions(task.count) : await manyCalls(task.first, task.total);
process.send?.(answer);
process.disconnect();
