/** One connection to a container engine: opened when first used, with what it made under one owner's label. */

import type Docker from 'dockerode';
import { connectionError, statusOf } from './engine-error.ts';
import { EngineAgent } from './engine-agent.ts';
import { createOwnerId, isGone, OWNER_LABEL, shortOwner } from './owner.ts';

/** How long an engine may take to say that it is there. */
const PING_TIMEOUT_MS = 10_000;

const NETWORK_DRIVER_OPTIONS = { 'com.docker.network.bridge.enable_icc': 'false' };

/** Answers of a removal that say there is nothing left to do: not there, or being removed already. */
const REMOVED: ReadonlySet<number | undefined> = new Set([404, 409]);

export class Engine {
  readonly docker: Docker;
  readonly agent: EngineAgent;
  readonly owner: string = createOwnerId();
  /** Where it listens, for messages. */
  readonly socket: string;
  #network: Promise<string> | undefined;
  #sequence = 0;

  private constructor(docker: Docker, agent: EngineAgent, socket: string) {
    this.docker = docker;
    this.agent = agent;
    this.socket = socket;
  }

  /**
   * Connects, and removes what processes that have ended left behind. Without `socketPath` it is dockerode's default.
   * @throws NebulaError DOCKER_UNAVAILABLE, DOCKER_FORBIDDEN
   */
  static async open(socketPath: string | undefined): Promise<Engine> {
    const { default: DockerClient } = await import('dockerode');
    const agent = new EngineAgent();
    // A socket that is named goes before DOCKER_HOST.
    const options = { agent, ...(socketPath === undefined ? {} : { socketPath, host: undefined }) };
    const docker = new DockerClient(options);
    const engine = new Engine(docker, agent, socketPath ?? 'its default address');
    try {
      await within(PING_TIMEOUT_MS, docker.ping());
      await engine.#sweep(isGone);
    } catch (error) {
      agent.destroy();
      throw connectionError(error, engine.socket);
    }
    return engine;
  }

  /** A name that no other container or image of any owner has. */
  nextName(): string {
    return `nebula-${shortOwner(this.owner)}-${this.#sequence++}`;
  }

  labels(): Record<string, string> {
    return { [OWNER_LABEL]: this.owner };
  }

  /** The owner's own bridge, made when first asked for: its containers reach addresses outside, not each other. */
  bridge(): Promise<string> {
    this.#network ??= this.#createBridge();
    return this.#network;
  }

  /** Removes all that was made here. @throws whatever kept it from being removed */
  async close(): Promise<void> {
    try {
      await this.#sweep((owner) => owner === this.owner);
    } finally {
      this.agent.destroy();
    }
  }

  async #createBridge(): Promise<string> {
    try {
      const network = await this.docker.createNetwork({
        Name: this.nextName(),
        Driver: 'bridge',
        Options: NETWORK_DRIVER_OPTIONS,
        Labels: this.labels(),
      });
      return network.id;
    } catch (error) {
      this.#network = undefined;
      throw error;
    }
  }

  /** Removes containers, then networks, then images of the owners chosen. */
  async #sweep(isChosen: (owner: string) => boolean): Promise<void> {
    const filters = { label: [OWNER_LABEL] };
    const chosen = (labels: Record<string, string> | undefined): boolean => isChosen(labels?.[OWNER_LABEL] ?? '');
    const containers = await this.docker.listContainers({ all: true, filters });
    const removals = containers
      .filter(({ Labels }) => chosen(Labels))
      .map(({ Id }) => removed(this.docker.getContainer(Id).remove({ force: true, v: true })));
    await Promise.all(removals);
    const networks = await this.docker.listNetworks({ filters });
    for (const { Id, Labels } of networks) if (chosen(Labels)) await removed(this.docker.getNetwork(Id).remove());
    const images = await this.docker.listImages({ filters });
    for (const { Id, Labels } of images) {
      if (chosen(Labels)) await removed(this.docker.getImage(Id).remove({ force: true }));
    }
  }
}

/** Takes it as done when there is nothing to remove. */
export async function removed(removal: Promise<unknown>): Promise<void> {
  try {
    await removal;
  } catch (error) {
    if (!REMOVED.has(statusOf(error))) throw error;
  }
}

async function within<T>(timeoutMs: number, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
