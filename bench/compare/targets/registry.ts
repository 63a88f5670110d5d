/** Every target by its name. */

import type { ComparisonCase } from '../cases.ts';
import { messageOf } from '../../../host/errors.ts';
import type { Plan, TargetName } from '../plan.ts';
import { openDockerRun } from './docker-run.ts';
import { openContainers, openProcess } from './native.ts';
import { openNebula } from './nebula.ts';
import { openNodeWasi } from './node-wasi.ts';
import { openExtism } from './extism.ts';
import type { MissingTarget, OpenTarget, Target } from '../target.ts';
import { openWasmtime } from './wasmtime.ts';
import { openWorkerd } from './workerd.ts';

const OPENERS: Readonly<Record<TargetName, OpenTarget>> = {
  'wasm-restored': openNebula,
  'wasm-fresh': openNebula,
  'wasm-in-thread': openNebula,
  'node-wasi': openNodeWasi,
  process: openProcess,
  'container-warm': openContainers,
  'container-cold': openContainers,
  'container-cold-bridge': openContainers,
  'container-cold-host': openContainers,
  'docker-run': openDockerRun,
  wasmtime: openWasmtime,
  workerd: openWorkerd,
  extism: openExtism,
};

/** The targets of a plan that could be opened, and those that could not. */
export interface OpenedTargets {
  readonly targets: readonly Target[];
  readonly missing: readonly MissingTarget[];
  close(): Promise<void>;
}

/** Opens what can be opened; what cannot is told and compared no further. */
export async function openTargets(plan: Plan, cases: readonly ComparisonCase[]): Promise<OpenedTargets> {
  const targets: Target[] = [];
  const missing: MissingTarget[] = [];
  for (const name of plan.targets) {
    try {
      targets.push(await OPENERS[name](name, plan, cases));
    } catch (error) {
      missing.push({ target: name, reason: messageOf(error) });
    }
  }
  const close = async (): Promise<void> => {
    const closings = await Promise.allSettled(targets.map((target) => target.close()));
    const failed = closings.find((each) => each.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  };
  return { targets, missing, close };
}
