/** CPython built for WASI: a command of 20 MB. How long until an instance of it is ready for the next call. */

import { AddressSpace, memoryLimit } from '../../host/linux/address-space.ts';
import { resolveCapabilities } from '../../host/capabilities/capabilities.ts';
import type { FunctionDefinition } from '../../host/definition/definition.ts';
import { deployHere } from '../../host/thread/deploy.ts';
import { GuestThread } from '../../host/thread/guest-thread.ts';
import { resolveLimits } from '../../host/limits.ts';
import { prepareModule } from '../../host/preparation/module.ts';
import { monotonicNs } from '../../host/monotonic.ts';
import { Preview1 } from '../../host/preview1/preview1.ts';
import { closeImage } from '../../host/snapshot/image.ts';
import type { Series, SeriesPlan, Subject } from '../measurement/series.ts';

const ID = 'cpython';

/** CPython, initialised and ready for its first line. */
export interface ReadyInterpreter {
  readonly subjects: readonly Subject[];
  /** The time from a call's end to a ready instance, taken out of each measured call. */
  used(plan: SeriesPlan): Series[];
}

/**
 * `call` prints the version through a restored micro-VM, and notes what putting it back took; `new-instance` makes an
 * instance of the original module with the same host and runs nothing.
 */
export async function readyInterpreter(bytes: Uint8Array): Promise<ReadyInterpreter> {
  const limits = resolveLimits({ memoryBytes: 512 * 2 ** 20, timeoutMs: 0 });
  const capabilities = resolveCapabilities({ arguments: ['--version'] });
  const prepared = await prepareModule(bytes, limits);
  const init = { environment: {}, allow: [], warmUp: [] };
  const definition: FunctionDefinition = {
    id: ID,
    name: ID,
    prepared,
    entry: '_start',
    limits,
    capabilities,
    init,
    strategy: 'auto',
    audit: false,
  };
  const deployment = deployHere(definition);
  const thread = new GuestThread({ space: new AddressSpace(new SharedArrayBuffer(4), memoryLimit()) });
  thread.install(definition, deployment.image, deployment.strategy);
  const restores: number[] = [];
  const invocation = { input: new Uint8Array() };
  const call = (): void => {
    const outcome = thread.invoke(ID, invocation, monotonicNs(), 0);
    if (outcome.kind !== 'ok') throw new Error(`Cannot measure cpython: it ended with ${outcome.kind}`);
    const startMs = performance.now();
    thread.settle(ID);
    restores.push((performance.now() - startMs) * 1000);
  };
  const module = await WebAssembly.compile(bytes as Uint8Array<ArrayBuffer>);
  const { imports } = new Preview1({ programName: ID, limits, capabilities }, []);
  const instances: WebAssembly.Instance[] = [];
  const instantiate = (): void => {
    instances[0] = new WebAssembly.Instance(module, imports);
  };
  const close = (): void => {
    thread.close();
    closeImage(deployment.image);
  };
  return {
    subjects: [
      { name: 'nebula-call', run: call, close },
      { name: 'new-instance', run: instantiate },
    ],
    used(plan) {
      const kept = restores.slice(-plan.blocks * plan.perBlock);
      const blocks = Array.from({ length: plan.blocks }, (_, block) =>
        Float64Array.from(kept.slice(block * plan.perBlock, (block + 1) * plan.perBlock)),
      );
      return [{ bench: plan.bench, subject: 'nebula', function: plan.function, blocks }];
    },
  };
}
