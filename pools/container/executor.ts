/** Runs functions in containers of an engine: Docker's, unless another is given. */

import { NebulaError } from '../../host/errors.ts';
import type { Executor } from '../executor.ts';
import type { Launch, NativeBackend, NativeGuest } from '../native/backend.ts';
import { NativeExecutor } from '../native/executor.ts';
import { launchContainer } from './container-guest.ts';
import type { ContainerDefinition } from './definition.ts';
import { openDockerode } from './engine/dockerode-engine.ts';
import type { ContainerEngine, ContainerOptions } from './engine/engine.ts';
import { engineError } from './engine/engine-error.ts';
import { discardImage, prepareImage, type FunctionImage } from './image.ts';
import { OwnedEngine } from './owned-engine.ts';
import { FUNCTION_LABEL } from './owner.ts';

/** How many containers an executor may run, where, and what its outcomes tell. */
export interface ContainerExecutorOptions {
  /** The engine's socket; default: dockerode's, which heeds DOCKER_HOST. */
  readonly socketPath?: string;
  /** Containers that may run calls at once, over all functions; default 64. */
  readonly containers?: number;
  /** Whether a cold call's answer waits for the removal of its container, and so has its `remove` phase; default false. */
  readonly awaitRemoval?: boolean;
  /** Whether cold outcomes tell `usage.engine.guestNs`, which costs one more request after the guest's end; default false. */
  readonly inspectEnd?: boolean;
  /** Connects to the engine, once for an executor; default: Docker's at `socketPath`. */
  readonly open?: () => Promise<ContainerEngine>;
}

const CONTAINERS = 64;

/** An executor of functions in containers. Nothing is connected to before the first deploy. */
export function createContainerExecutor(options: ContainerExecutorOptions = {}): Executor<ContainerDefinition> {
  const guests = options.containers ?? CONTAINERS;
  return new NativeExecutor(new ContainerBackend(options), { guests, awaitRemoval: options.awaitRemoval ?? false });
}

/** What a deploy makes. */
interface PreparedContainer {
  readonly engine: OwnedEngine;
  readonly image: FunctionImage;
  readonly options: Omit<ContainerOptions, 'arguments' | 'environment'>;
}

class ContainerBackend implements NativeBackend<ContainerDefinition, PreparedContainer> {
  readonly kind = 'container' as const;
  readonly #options: ContainerExecutorOptions;
  #engine: Promise<OwnedEngine> | undefined;

  constructor(options: ContainerExecutorOptions) {
    this.#options = options;
  }

  async prepare(definition: ContainerDefinition): Promise<PreparedContainer> {
    const engine = await this.#open();
    const image = await prepareImage(engine, definition);
    try {
      const network = definition.network === 'bridge' ? await engine.bridge() : definition.network;
      const labels = { ...engine.labels(), [FUNCTION_LABEL]: definition.name };
      return { engine, image, options: optionsOf(definition, image.reference, network, labels) };
    } catch (error) {
      await discardImage(engine, image).catch(() => undefined);
      throw engineError(error, engine.engine.address, definition.name, 'create the network');
    }
  }

  imageIdOf({ image }: PreparedContainer): string {
    return image.id;
  }

  async discard({ engine, image }: PreparedContainer): Promise<void> {
    await discardImage(engine, image);
  }

  launch(definition: ContainerDefinition, prepared: PreparedContainer, launch: Launch): Promise<NativeGuest> {
    const { engine, options } = prepared;
    const { arguments: given, environment } = launch;
    return launchContainer(engine, definition, {
      ...launch,
      inspectEnd: this.#options.inspectEnd ?? false,
      options: { ...options, arguments: given, environment },
    });
  }

  lost(name: string, detail: string): NebulaError {
    return new NebulaError('CONTAINER_LOST', { name, detail });
  }

  async close(): Promise<void> {
    const engine = await this.#engine?.catch(() => undefined);
    await engine?.close();
  }

  /** A failed attempt is not kept: the engine may be there for the next deploy. */
  #open(): Promise<OwnedEngine> {
    this.#engine ??= this.#connect().catch((error: unknown) => {
      this.#engine = undefined;
      throw error;
    });
    return this.#engine;
  }

  async #connect(): Promise<OwnedEngine> {
    const { open, socketPath } = this.#options;
    return OwnedEngine.open(await (open ?? (() => openDockerode(socketPath)))());
  }
}

/** The part of a container that is the same for each call. */
function optionsOf(
  { limits, cpus, pids, mounts }: ContainerDefinition,
  image: string,
  network: string,
  labels: Readonly<Record<string, string>>,
): PreparedContainer['options'] {
  const { memoryBytes, openFiles } = limits;
  return { image, network, labels, memoryBytes, openFiles, cpus, pids, mounts };
}
