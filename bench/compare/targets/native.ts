/** Native programs as targets: as child processes, and in containers that are kept or made for each call. */

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { resolveLimits } from '../../../host/limits.ts';
import { createContainerExecutor } from '../../../pools/container/executor.ts';
import {
  CONTAINER_DEFAULTS,
  type ContainerDefinition,
  type ContainerNetwork,
} from '../../../pools/container/definition.ts';
import type { Executor } from '../../../pools/executor.ts';
import type { NativeDefinition } from '../../../pools/native/backend.ts';
import type { ProcessDefinition } from '../../../pools/process/definition.ts';
import { createProcessExecutor } from '../../../pools/process/executor.ts';
import { root } from '../../measurement/root.ts';
import { sha256, type ComparisonCase } from '../cases.ts';
import type { Plan, TargetName } from '../plan.ts';
import { STAMP_ENVIRONMENT } from '../stamps.ts';
import { resultOf } from './nebula.ts';
import type { Deployed, Target } from '../target.ts';

const MIB = 1024 * 1024;

/** The static program that functions/build.sh makes. @throws Error when it was not built */
export async function readProgram(functionName: string): Promise<Uint8Array> {
  const path = join(root, 'functions', 'target', 'native', functionName);
  if (!existsSync(path)) throw new Error(`no native ${functionName} at ${path}: run npm run functions:build`);
  return readFile(path);
}

/** What every native definition says, whatever runs it. */
export function nativeDefinition(functionName: string, mode: 'cold' | 'warm', plan: Plan): NativeDefinition {
  return {
    id: `${functionName}@${mode}`,
    name: functionName,
    mode,
    limits: resolveLimits({ timeoutMs: plan.timeoutMs, memoryBytes: plan.memoryMib * MIB }),
    arguments: [],
    environment: STAMP_ENVIRONMENT,
    idleTimeoutMs: 0,
  };
}

/** Opens native programs as child processes. @throws NebulaError when one cannot be deployed */
export async function openProcess(name: TargetName, plan: Plan, cases: readonly ComparisonCase[]): Promise<Target> {
  const executor = createProcessExecutor({ processes: 1, awaitRemoval: true });
  const define = async (functionName: string): Promise<Defined<ProcessDefinition>> => {
    const binary = await readProgram(functionName);
    return { definition: { ...nativeDefinition(functionName, 'cold', plan), binary }, binary };
  };
  return open(name, executor, cases, define);
}

/** Opens containers, cold or warm by the name. @throws NebulaError when no engine answers */
export async function openContainers(name: TargetName, plan: Plan, cases: readonly ComparisonCase[]): Promise<Target> {
  const mode = name === 'container-warm' ? 'warm' : 'cold';
  const network: ContainerNetwork = name.endsWith('-bridge') ? 'bridge' : name.endsWith('-host') ? 'host' : 'none';
  const executor = createContainerExecutor({ awaitRemoval: true });
  return open(name, executor, cases, (functionName) => defineContainer(functionName, { mode, network }, plan));
}

/** A container without a base image that has a function's native program. @throws Error when that was not built */
export async function defineContainer(
  functionName: string,
  { mode, network }: { readonly mode: 'cold' | 'warm'; readonly network: ContainerNetwork },
  plan: Plan,
): Promise<Defined<ContainerDefinition>> {
  const binary = await readProgram(functionName);
  const native = nativeDefinition(functionName, mode, plan);
  return { definition: { ...CONTAINER_DEFAULTS, ...native, network, mounts: [], source: { binary } }, binary };
}

/** A definition, and the program in it. */
export interface Defined<Definition> {
  readonly definition: Definition;
  readonly binary: Uint8Array;
}

async function open<Definition extends NativeDefinition>(
  name: TargetName,
  executor: Executor<Definition>,
  cases: readonly ComparisonCase[],
  define: (functionName: string) => Promise<Defined<Definition>>,
): Promise<Target> {
  const deployed: Deployed[] = [];
  const definitions = new Map<string, Definition>();
  try {
    for (const functionName of new Set(cases.map((test) => test.function))) {
      const { definition, binary } = await define(functionName);
      const { reason, imageId } = await executor.deploy(definition);
      definitions.set(functionName, definition);
      const image = imageId === undefined ? {} : { imageId };
      const digest = sha256(binary);
      deployed.push({ function: functionName, digest, sizeBytes: binary.length, ...image, detail: reason });
    }
  } catch (error) {
    await executor.close(0);
    throw error;
  }
  return {
    name,
    isCold: name.startsWith('container-cold'),
    deployed,
    refuses: () => undefined,
    call: async (test) => {
      const definition = definitions.get(test.function) as Definition;
      return resultOf(await executor.invoke(definition, { input: test.bytes }));
    },
    // A kept container goes on with the state that the call left it in: nothing is put back.
    ...(name === 'container-warm' ? { settled: () => Promise.resolve(0) } : {}),
    close: () => executor.close(0),
  };
}
