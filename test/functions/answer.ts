/** Runs a function's committed Wasm in a micro-VM of this thread. */

import { deployHere } from '../../host/thread/deploy.ts';
import { MicroVm } from '../../host/micro-vm/micro-vm.ts';
import type { Ending } from '../../host/outcome.ts';
import { closeImage } from '../../host/snapshot/image.ts';
import type { Capabilities } from '../../host/capabilities/capabilities.ts';
import { defineFunction } from '../../lib/registry/function-definition.ts';
import type { Manifest } from '../../lib/schema/manifest.ts';
import { readFunctionManifest, readModule } from './cases.ts';

export interface Answer {
  readonly ending: Ending;
  readonly stdout: Uint8Array;
  readonly stderr: string;
}

/** What a test gives a function in place of its manifest's. */
export interface Given extends Partial<Pick<Manifest, 'limits' | 'init'>> {
  readonly capabilities?: Partial<Capabilities>;
}

/** A function made ready; `close` gives back what it holds. */
export interface ReadyFunction {
  answer(input: Uint8Array | string): Answer;
  close(): void;
}

/** Initialises a function as its manifest, and what is given over it, say. */
export async function readyFunction(name: string, given: Given = {}): Promise<ReadyFunction> {
  const manifest = { ...(await readFunctionManifest(name)), ...given };
  const definition = await defineFunction(name, { module: readModule(name), manifest }, { audit: true });
  const { image, strategy } = deployHere(definition);
  const create = (): MicroVm => new MicroVm(definition, image, strategy);
  let microVm = create();
  return {
    answer(input) {
      const { arguments: given, environment } = definition.capabilities;
      const call = { input: Buffer.from(input), arguments: given, environment };
      const ending = microVm.run(call, definition.limits.timeoutMs);
      const stdout = Buffer.from(microVm.stdout());
      const stderr = Buffer.from(microVm.stderr()).toString();
      if (!microVm.restore()) {
        microVm.close();
        microVm = create();
      }
      return { ending, stdout, stderr };
    },
    close() {
      microVm.close();
      closeImage(image);
    },
  };
}

/** One answer of a function that is not needed again. */
export async function answerOf(name: string, input: Uint8Array | string, given: Given = {}): Promise<Answer> {
  const ready = await readyFunction(name, given);
  try {
    return ready.answer(input);
  } finally {
    ready.close();
  }
}
