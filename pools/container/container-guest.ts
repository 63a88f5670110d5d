/**
 * A native guest in a container: created, attached to, given its input, started, waited for. Attaching comes before
 * starting so that no output is lost; the input waits in the engine for the guest.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, NebulaError } from '../../host/errors.ts';
import { monotonicNs } from '../../host/monotonic.ts';
import type { EngineUsage } from '../../host/outcome.ts';
import type { GuestEnd, Launch, NativeGuest } from '../native/backend.ts';
import { faultOfExitCode } from '../native/ending.ts';
import type { ContainerDefinition } from './definition.ts';
import {
  EngineError,
  type ContainerEnd,
  type ContainerOptions,
  type ContainerStreams,
  type EngineContainer,
} from './engine/engine.ts';
import { engineError } from './engine/engine-error.ts';
import type { OwnedEngine } from './owned-engine.ts';

/** 128 + SIGKILL: the kernel took it for its memory, or someone killed it. */
const KILLED = 137;

/** How long an engine may take to kill a container before the call is answered all the same. */
const KILL_PATIENCE_MS = 2000;

/** How long an ended guest's streams may take to reach their end. */
const STREAM_PATIENCE_MS = 2000;
/** How often it is looked whether a guest that was killed was short of memory, and after how long each time. */
const OOM_LOOKS = 4;
const OOM_LOOK_MS = 50;

/** What a launch of a container needs besides the function. */
export interface ContainerLaunch extends Launch {
  readonly options: ContainerOptions;
  /** Whether to ask the engine when the guest started and ended, after the call. */
  readonly inspectEnd: boolean;
}

/**
 * Launches a guest in a container of its own; of one that could not be launched nothing is left.
 * @throws NebulaError CONTAINER_REFUSED, IMAGE_MISSING, DOCKER_UNAVAILABLE, DOCKER_FORBIDDEN
 */
export async function launchContainer(
  owned: OwnedEngine,
  definition: ContainerDefinition,
  launch: ContainerLaunch,
): Promise<NativeGuest> {
  const container = owned.engine.container(owned.nextName());
  const { onStdout, onStderr, times } = launch;
  let action = 'create a container';
  try {
    const calledNs = monotonicNs();
    await container.create(launch.options);
    const createdNs = monotonicNs();
    times.create = createdNs - calledNs;
    action = 'attach to a container';
    const streams = await container.attach({ onStdout, onStderr });
    const attachedNs = monotonicNs();
    times.attach = attachedNs - createdNs;
    if (launch.input !== undefined) streams.end(launch.input);
    action = 'start a container';
    await container.start();
    times.start = monotonicNs() - attachedNs;
    return new ContainerGuest(container, streams, launch.inspectEnd);
  } catch (error) {
    const isCreated = action !== 'create a container';
    // What stays is found by its label when the executor closes, or by the next one.
    if (isCreated) await container.remove().catch(() => undefined);
    const isMissing = error instanceof EngineError && error.fault === 'missing';
    if (isMissing && !isCreated) {
      const { source } = definition;
      const image = 'image' in source ? source.image : launch.options.image;
      throw new NebulaError('IMAGE_MISSING', { image }, { cause: error });
    }
    throw engineError(error, owned.engine.address, definition.name, action);
  }
}

class ContainerGuest implements NativeGuest {
  readonly ended: Promise<GuestEnd>;
  readonly #container: EngineContainer;
  readonly #streams: ContainerStreams;
  readonly #inspectEnd: boolean;
  #guestNs: number | undefined;
  #isKilled = false;
  #removal: Promise<void> | undefined;

  /** Of a container that has been started. */
  constructor(container: EngineContainer, streams: ContainerStreams, inspectEnd: boolean) {
    this.#container = container;
    this.#streams = streams;
    this.#inspectEnd = inspectEnd;
    this.ended = this.#wait();
  }

  write(chunk: Uint8Array): void {
    this.#streams.write(chunk);
  }

  async kill(): Promise<void> {
    this.#isKilled = true;
    // Whatever the engine answers, nothing more can be done: it has ended, it is gone, or there is no engine.
    await patiently(KILL_PATIENCE_MS, this.#container.kill()).catch(() => undefined);
  }

  remove(): Promise<void> {
    this.#isKilled = true;
    this.#removal ??= this.#remove();
    return this.#removal;
  }

  usage(): EngineUsage {
    const requestNs = { ...this.#container.requestNs };
    return this.#guestNs === undefined ? { requestNs } : { requestNs, guestNs: this.#guestNs };
  }

  async #remove(): Promise<void> {
    this.#streams.destroy();
    // What stays is found by its label when the executor closes, or by the next one.
    await this.#container.remove().catch(() => undefined);
  }

  async #wait(): Promise<GuestEnd> {
    let exitCode: number;
    try {
      exitCode = await this.#container.wait();
    } catch (error) {
      return { kind: 'lost', detail: messageOf(error), endedNs: monotonicNs() };
    }
    const endedNs = monotonicNs();
    await patiently(STREAM_PATIENCE_MS, this.#streams.ended);
    const isAsked = this.#inspectEnd || (exitCode === KILLED && !this.#isKilled);
    const end = isAsked ? await this.#askHow(exitCode) : undefined;
    if (exitCode === KILLED) {
      if (end?.isOutOfMemory === true) return { kind: 'memory', endedNs };
      return { kind: 'lost', detail: 'killed from outside', endedNs };
    }
    const signal = faultOfExitCode(exitCode);
    return signal === undefined ? { kind: 'exit', exitCode, endedNs } : { kind: 'signal', signal, endedNs };
  }

  /** How it has ended. The engine hears that memory was short by an event of its own, which may come after that of the end. */
  async #askHow(exitCode: number): Promise<ContainerEnd | undefined> {
    let end = await this.#inspect();
    if (exitCode !== KILLED || this.#isKilled) return end;
    for (let looks = 0; end?.isOutOfMemory === false && looks < OOM_LOOKS; looks++) {
      await sleep(OOM_LOOK_MS);
      end = await this.#inspect();
    }
    return end;
  }

  async #inspect(): Promise<ContainerEnd | undefined> {
    try {
      const end = await this.#container.inspect();
      this.#guestNs = end.ranNs;
      return end;
    } catch {
      // Removed from outside meanwhile: there is nothing to be learnt of it.
      return undefined;
    }
  }
}

async function patiently(patienceMs: number, done: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, patienceMs);
  });
  try {
    await Promise.race([done, late]);
  } finally {
    clearTimeout(timer);
  }
}
