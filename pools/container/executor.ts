/** Runs functions in containers of a Docker engine, through dockerode. */

import type { ContainerCreateOptions } from 'dockerode';
import { NebulaError } from '../../host/errors.ts';
import type { Executor } from '../executor.ts';
import type { Launch, NativeBackend, NativeGuest } from '../native/backend.ts';
import { NativeExecutor } from '../native/executor.ts';
import { launchContainer } from './container-guest.ts';
import type { ContainerDefinition } from './definition.ts';
import { Engine } from './engine.ts';
import { engineError } from './engine-error.ts';
import { discardImage, prepareImage, type FunctionImage } from './image.ts';
import { FUNCTION_LABEL } from './owner.ts';

export interface ContainerExecutorOptions {
  /** The engine's socket; default: dockerode's, which heeds DOCKER_HOST. */
  readonly socketPath?: string;
  /** Containers that may run calls at once, over all functions; default 64. */
  readonly containers?: number;
  /** Whether a cold call's answer waits for the removal of its container, and so has its `remove` phase; default false. */
  readonly awaitRemoval?: boolean;
  /** Whether cold outcomes tell `usage.engine.guestNs`, which costs one more request after the guest's end; default false. */
  readonly inspectEnd?: boolean;
}

const CONTAINERS = 64;
/** nobody and nogroup on most systems; an image `FROM scratch` needs no entry for it. */
const NOBODY = '65534:65534';

/** Nothing is connected to before the first deploy. */
export function createContainerExecutor(options: ContainerExecutorOptions = {}): Executor<ContainerDefinition> {
  const guests = options.containers ?? CONTAINERS;
  return new NativeExecutor(new ContainerBackend(options), { guests, awaitRemoval: options.awaitRemoval ?? false });
}

/** What a deploy makes. */
interface PreparedContainer {
  readonly engine: Engine;
  readonly image: FunctionImage;
  readonly options: ContainerCreateOptions;
}

class ContainerBackend implements NativeBackend<ContainerDefinition, PreparedContainer> {
  readonly kind = 'container' as const;
  readonly #options: ContainerExecutorOptions;
  #engine: Promise<Engine> | undefined;

  constructor(options: ContainerExecutorOptions) {
    this.#options = options;
  }

  async prepare(definition: ContainerDefinition): Promise<PreparedContainer> {
    const engine = await this.#open();
    const image = await prepareImage(engine, definition);
    try {
      const network = definition.network === 'bridge' ? await engine.bridge() : definition.network;
      return { engine, image, options: createOptions(engine, definition, image.reference, network) };
    } catch (error) {
      await discardImage(engine, image).catch(() => undefined);
      throw engineError(error, engine.socket, definition.name, 'create the network');
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
      options: {
        ...options,
        // An empty list would still take the place of the image's own.
        ...(given.length === 0 ? {} : { Cmd: [...given] }),
        Env: Object.entries(environment).map(([key, value]) => `${key}=${value}`),
      },
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
  #open(): Promise<Engine> {
    this.#engine ??= Engine.open(this.#options.socketPath).catch((error: unknown) => {
      this.#engine = undefined;
      throw error;
    });
    return this.#engine;
  }
}

/** The part of a container that is the same for each call. */
function createOptions(
  engine: Engine,
  definition: ContainerDefinition,
  image: string,
  network: string,
): ContainerCreateOptions {
  const { limits, cpus, pids, mounts, name } = definition;
  return {
    Image: image,
    User: NOBODY,
    OpenStdin: true,
    StdinOnce: true,
    // An engine that stops would wait ten seconds for a guest that does not know what SIGTERM is.
    StopSignal: 'SIGKILL',
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    Labels: { ...engine.labels(), [FUNCTION_LABEL]: name },
    HostConfig: {
      NetworkMode: network,
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      Memory: limits.memoryBytes,
      // The same as the memory: no swap.
      MemorySwap: limits.memoryBytes,
      ...(cpus === 0 ? {} : { NanoCpus: Math.round(cpus * 1e9) }),
      PidsLimit: pids,
      Ulimits: [
        { Name: 'nofile', Soft: limits.openFiles, Hard: limits.openFiles },
        { Name: 'core', Soft: 0, Hard: 0 },
      ],
      // Without a log file, and without a /dev/shm of its own, a start has less to do.
      LogConfig: { Type: 'none', Config: {} },
      IpcMode: 'none',
      Mounts: mounts.map(({ guest, machine, access }) => ({
        Type: 'bind',
        Source: machine,
        Target: guest,
        ReadOnly: access === 'read-only',
      })),
    },
  };
}
