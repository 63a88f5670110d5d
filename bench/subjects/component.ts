/** One component in this thread: its state made, put back, or found ready. */

import { setImmediate } from 'node:timers/promises';
import { ComponentVm } from '../../host/component/vm/component-vm.ts';
import type { ComponentDefinition } from '../../host/component/vm/component-definition.ts';
import { prepareComponent, transpileComponent } from '../../host/preparation/component.ts';
import { resolveCapabilities } from '../../host/capabilities/capabilities.ts';
import { deployHere } from '../../host/thread/deploy.ts';
import { resolveLimits } from '../../host/limits.ts';
import { closeImage } from '../../host/snapshot/image.ts';
import { collectGarbage } from '../../host/linux/address-space.ts';
import { createNebula } from '../../lib/index.ts';
import type { Subject } from '../measurement/series.ts';

const NO_BYTES: Uint8Array = new Uint8Array();
const MEMORY_BYTES = 2 ** 28;
/** Samples in a block of what takes long. */
const FEW = 4;
const HEAD = { method: 'GET', scheme: 'http', authority: 'localhost', headers: [] } as const;

async function define(bytes: Uint8Array): Promise<ComponentDefinition> {
  const limits = resolveLimits({ timeoutMs: 0, memoryBytes: MEMORY_BYTES });
  const { component, prepared } = await prepareComponent(await transpileComponent(bytes), limits);
  const { entry } = prepared.info;
  const init = { environment: {}, allow: [], warmUp: [] };
  const capabilities = resolveCapabilities();
  return {
    id: 'bench',
    name: 'bench',
    component,
    prepared,
    entry,
    limits,
    capabilities,
    init,
    strategy: 'auto',
    audit: false,
  };
}

/** Has an instance answer one request. */
function ask(vm: ComponentVm, pathWithQuery: string): void {
  let sizeBytes = 0;
  const sink = {
    head: (): void => undefined,
    room: (): number => 65_536,
    piece: (bytes: Uint8Array): void => void (sizeBytes += bytes.length),
    trailers: (): void => undefined,
    end: (): void => undefined,
  };
  const request = { ...HEAD, pathWithQuery };
  const component = { kind: 'handler', request, isStreamed: false, sink } as const;
  const { kind } = vm.run({ input: NO_BYTES, arguments: [], environment: {}, component }, 0);
  if (kind !== 'ok' || sizeBytes === 0) throw new Error(`Cannot measure the component: it ended with ${kind}`);
}

/** Times of one kind, in microseconds; `round` answers what it took of the clock. */
function sampled(name: string, count: number, round: () => number): Subject & Required<Pick<Subject, 'sample'>> {
  return {
    name,
    perBlock: count,
    run: round,
    sample: async (wanted) => Float64Array.from({ length: wanted }, round),
  };
}

function timed(work: () => void): number {
  const startMs = performance.now();
  work();
  return (performance.now() - startMs) * 1000;
}

/**
 * `instantiation`: a component made anew. `renewal`: a used one put back, after the answer. `ready`: what a caller whose
 * instance is ready waits for before its guest runs. `call-new`, `call-ready`: the whole call with the one and the other.
 */
export async function componentSubjects(
  bytes: Uint8Array,
  path: string,
): Promise<{ readonly subjects: readonly Subject[]; close(): Promise<void> }> {
  const definition = await define(bytes);
  const deployment = deployHere(definition);
  const { image, strategy } = deployment;
  const vm = new ComponentVm(definition, image, strategy);
  const renew = (): void => {
    if (!vm.restore()) throw new Error('Cannot measure the component: its state could not be put back');
  };
  // Compiled code and learnt pages are what a worker has after its first requests.
  for (let round = 0; round < 100; round++) {
    ask(vm, path);
    renew();
  }
  let made = 0;
  const make = (): ComponentVm => {
    // Memories that nobody collected would fill the address space.
    if (++made % 64 === 0) collectGarbage();
    return new ComponentVm(definition);
  };
  const ready = await readySubject(bytes, path);
  const subjects = [
    sampled('instantiation', FEW, () => {
      let one: ComponentVm | undefined;
      const us = timed(() => (one = make()));
      one?.close();
      return us;
    }),
    sampled('call-new', FEW, () => {
      let one: ComponentVm | undefined;
      const us = timed(() => ask((one = make()), path));
      one?.close();
      return us;
    }),
    sampled('call-ready', 20, () => {
      const us = timed(() => ask(vm, path));
      renew();
      return us;
    }),
    sampled('renewal', 20, () => {
      ask(vm, path);
      return timed(renew);
    }),
    ready,
  ];
  return {
    subjects,
    close: async () => {
      await ready.close?.();
      vm.close();
      closeImage(image);
    },
  };
}

/** Through Nebula in this thread: the phases before the run, of a call that came after the state was put back. */
async function readySubject(bytes: Uint8Array, path: string): Promise<Subject> {
  const nebula = await createNebula({ executor: 'in-thread' });
  await nebula.deploy(bytes, { name: 'bench', limits: { memoryBytes: MEMORY_BYTES, timeoutMs: 0 } });
  const call = async (): Promise<number> => {
    const response = await nebula.fn('bench').send({ ...HEAD, pathWithQuery: path }, NO_BYTES);
    const { phases, start } = await response.outcome;
    await setImmediate();
    if (start === 'cold') return call();
    return (phases.restore + phases.instantiate) / 1000;
  };
  const sample = async (count: number): Promise<Float64Array> => {
    const times = new Float64Array(count);
    for (let at = 0; at < count; at++) times[at] = await call();
    return times;
  };
  return { name: 'ready', run: call, sample, perBlock: 20, close: () => nebula.close() };
}
