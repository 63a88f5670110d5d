/** Executors and calls for the tests of pools. */

import { cpus } from 'node:os';
import type { TestContext } from 'node:test';
import type { FunctionDefinition } from '../../host/definition/definition.ts';
import type { Invocation, Outcome } from '../../host/outcome.ts';
import type { Executor } from '../../pools/executor.ts';
import { createWorkerExecutor, type WorkerExecutorOptions } from '../../pools/worker/pool.ts';
import { define, modulePath, renamed, type DefinitionOverrides } from '../definition.ts';

/** Opens a worker pool that is closed after the test. */
export function openPool(context: TestContext, options: WorkerExecutorOptions = {}): Executor {
  const pool = createWorkerExecutor({ threads: 2, ...options });
  context.after(() => pool.close(0));
  return pool;
}

/** Deploys a built function by its folder. */
export async function deploy(
  executor: Executor,
  folder: string,
  overrides: DefinitionOverrides = {},
): Promise<FunctionDefinition> {
  const definition = await define(folder.slice(folder.lastIndexOf('/') + 1), modulePath(folder), overrides);
  await executor.deploy(definition);
  return definition;
}

/** Versions of a built function, each with nothing held against it: one that keeps ending its threads would be paused. */
export async function deployMany(
  executor: Executor,
  folder: string,
  count: number,
  overrides: DefinitionOverrides = {},
): Promise<readonly FunctionDefinition[]> {
  const { name, ...rest } = await define(folder.slice(folder.lastIndexOf('/') + 1), modulePath(folder), overrides);
  const versions = Array.from({ length: count }, () => ({ ...rest, ...renamed(name) }));
  for (const version of versions) await executor.deploy(version);
  return versions;
}

export function input(text: string = ''): Invocation {
  return { input: new TextEncoder().encode(text) };
}

export function stdoutOf(outcome: Outcome): string {
  return new TextDecoder().decode(outcome.stdout);
}

export function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[values.length >> 1] ?? Number.NaN;
}

/** Waits until `isTrue`. @throws Error when it does not come to pass in time */
export async function until(what: string, isTrue: () => boolean, timeoutMs: number = 60_000): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!isTrue()) {
    if (performance.now() > endMs) throw new Error(`It did not come to pass within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** From this share of the machine on, others keep it busy. */
export const BUSY_SHARE = 0.25;

/** Begins to watch who has the machine's time; what it returns answers the share that other processes have had since. */
export function watchMachine(): () => number {
  const began = machineTimeMs();
  const own = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(own);
    const { busyMs, allMs } = machineTimeMs();
    return (busyMs - began.busyMs - (user + system) / 1000) / (allMs - began.allMs);
  };
}

function machineTimeMs(): { readonly busyMs: number; readonly allMs: number } {
  let [busyMs, allMs] = [0, 0];
  for (const { times } of cpus()) {
    const busy = times.user + times.nice + times.sys + times.irq;
    busyMs += busy;
    allMs += busy + times.idle;
  }
  return { busyMs, allMs };
}
