/** Micro-VMs below the public face, so that their parts can be timed one by one. */

import { resolveCapabilities } from '../../host/capabilities/capabilities.ts';
import type { FunctionDefinition } from '../../host/definition/definition.ts';
import type { InitOptions } from '../../host/init-options.ts';
import { resolveLimits } from '../../host/limits.ts';
import type { MicroVm } from '../../host/micro-vm/micro-vm.ts';
import { prepareModule } from '../../host/preparation/module.ts';
import { createImage, type SnapshotImage } from '../../host/snapshot/image.ts';
import { initialise } from '../../host/micro-vm/initialise.ts';
import { expectOutput } from './wasi.ts';

/** A function whose invocation is measured part by part. */
export interface Part {
  readonly function: string;
  readonly module: Uint8Array;
  readonly input: string;
  readonly expected: string;
  readonly entry: string;
  readonly init: Partial<InitOptions>;
  readonly memoryBytes: number;
}

/** A definition as deploying would make it, without a deadline of its own. */
export async function define(part: Part, module: Uint8Array = part.module): Promise<FunctionDefinition> {
  const limits = resolveLimits({ memoryBytes: part.memoryBytes, timeoutMs: 0 });
  return {
    id: part.function,
    name: part.function,
    prepared: await prepareModule(module, limits, { entry: part.entry }),
    entry: part.entry,
    limits,
    capabilities: resolveCapabilities(),
    init: { environment: {}, allow: [], warmUp: [], ...part.init },
    strategy: 'auto',
    audit: false,
  };
}

/** The image of a definition's snapshot; whoever asks closes it. */
export function imageOf(definition: FunctionDefinition): SnapshotImage {
  return createImage(initialise(definition).snapshot);
}

/** Runs a function once, checks what it wrote, and answers how long the run took, in microseconds. */
export function runOnce(vm: MicroVm, input: Uint8Array, expected: string): number {
  const call = { input, arguments: [], environment: {} };
  const startMs = performance.now();
  const ending = vm.run(call, 0);
  const us = (performance.now() - startMs) * 1000;
  expectOutput('a micro-VM', `${ending.kind} ${new TextDecoder().decode(vm.stdout())}`, `ok ${expected}`);
  return us;
}
