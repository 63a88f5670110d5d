/** A thread that runs a function whose module another thread may have run before it, and tells tiers and times. */

import { parentPort, workerData } from 'node:worker_threads';
import type { FunctionDefinition } from '../../host/definition/definition.ts';
import { MicroVm } from '../../host/micro-vm/micro-vm.ts';
import type { SnapshotImage } from '../../host/snapshot/image.ts';
import { exportedFunctions } from './module-variants.ts';
import { runOnce } from './micro-vm.ts';
import { countTiers, type TierCounts } from './tiers.ts';

/** What a thread of its own is to call. */
export interface TierTask {
  /** Calls of a module of the thread's own that are made first, so that everything but the module is warm. */
  readonly own: { readonly definition: FunctionDefinition; readonly image: SnapshotImage; readonly calls: number };
  readonly definition: FunctionDefinition;
  readonly image: SnapshotImage;
  readonly input: string;
  readonly expected: string;
}

/** How long the first call took, in microseconds, and V8's tiers before and after it. */
export interface TierAnswer {
  readonly before: TierCounts;
  /** Time of the first call in this thread. */
  readonly firstUs: number;
  readonly after: TierCounts;
}

function answer({ own, definition, image, input, expected }: TierTask): TierAnswer {
  const bytes = new TextEncoder().encode(input);
  const warm = new MicroVm(own.definition, own.image, 'copy');
  for (let call = 0; call < own.calls; call++) {
    runOnce(warm, bytes, expected);
    warm.restore();
  }
  const vm = new MicroVm(definition, image, 'copy');
  const functions = exportedFunctions(definition.prepared.compiled);
  const before = countTiers(vm.state, functions);
  const firstUs = runOnce(vm, bytes, expected);
  return { before, firstUs, after: countTiers(vm.state, functions) };
}

parentPort?.postMessage(answer(workerData as TierTask));
