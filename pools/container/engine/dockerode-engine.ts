/** Docker, over its Engine API, through dockerode: the only file that knows it. */

import type Docker from 'dockerode';
import type { Container, ContainerCreateOptions } from 'dockerode';
import { Readable, type Duplex } from 'node:stream';
import { messageOf } from '../../../host/errors.ts';
import { Demultiplexer } from './demultiplexer.ts';
import { EngineAgent } from './engine-agent.ts';
import {
  EngineError,
  type ContainerEnd,
  type ContainerEngine,
  type ContainerOptions,
  type ContainerOutput,
  type ContainerStreams,
  type EngineContainer,
  type EngineFault,
  type EngineKind,
  type Labelled,
  type RequestTimes,
} from './engine.ts';
import { nsBetween } from './timestamp.ts';

/** How long an engine may take to say that it is there. */
const PING_TIMEOUT_MS = 10_000;

const NETWORK_DRIVER_OPTIONS = { 'com.docker.network.bridge.enable_icc': 'false' };

/** nobody and nogroup on most systems; an image `FROM scratch` needs no entry for it. */
const NOBODY = '65534:65534';

/** Connects when first asked for something. Without `socketPath` it is dockerode's default, which heeds DOCKER_HOST. */
export async function openDockerode(socketPath: string | undefined): Promise<ContainerEngine> {
  const { default: DockerClient } = await import('dockerode');
  const agent = new EngineAgent();
  // A socket that is named goes before DOCKER_HOST.
  const options = { agent, ...(socketPath === undefined ? {} : { socketPath, host: undefined }) };
  return new DockerodeEngine(new DockerClient(options), agent, socketPath ?? 'its default address');
}

class DockerodeEngine implements ContainerEngine {
  readonly address: string;
  readonly #docker: Docker;
  readonly #agent: EngineAgent;

  constructor(docker: Docker, agent: EngineAgent, address: string) {
    this.#docker = docker;
    this.#agent = agent;
    this.address = address;
  }

  async ping(): Promise<void> {
    await asked(within(PING_TIMEOUT_MS, this.#docker.ping()));
  }

  container(name: string): EngineContainer {
    return new DockerodeContainer(this.#docker, this.#agent, name);
  }

  async buildImage(reference: string, context: Uint8Array, labels: Readonly<Record<string, string>>): Promise<string> {
    // From its cache the engine would take layers that another owner's removal deletes before this build has ended.
    const options = { t: reference, labels, forcerm: true, nocache: true };
    const report = await asked(this.#docker.buildImage(Readable.from([context]), options));
    const lines = await asked(this.#followBuild(report));
    const id = lines.findLast(({ aux }) => aux?.ID !== undefined)?.aux?.ID;
    const detail =
      lines.find(({ error }) => error !== undefined)?.error ?? 'its report ended before the image was built';
    if (id === undefined) throw new EngineError('refused', detail);
    return id;
  }

  async findImage(reference: string): Promise<string> {
    return (await asked(this.#docker.getImage(reference).inspect())).Id;
  }

  async createNetwork(name: string, labels: Readonly<Record<string, string>>): Promise<string> {
    const options = { Name: name, Driver: 'bridge', Options: NETWORK_DRIVER_OPTIONS, Labels: labels };
    return (await asked(this.#docker.createNetwork(options))).id;
  }

  async list(kind: EngineKind, label: string): Promise<Labelled[]> {
    const filters = { label: [label] };
    const lists = {
      container: () => this.#docker.listContainers({ all: true, filters }),
      network: () => this.#docker.listNetworks({ filters }),
      image: () => this.#docker.listImages({ filters }),
    };
    const found = await asked<readonly { Id: string; Labels?: Record<string, string> | undefined }[]>(lists[kind]());
    return found.map(({ Id: id, Labels: labels = {} }) => ({ id, labels }));
  }

  async remove(kind: EngineKind, id: string): Promise<void> {
    if (kind === 'container') await this.container(id).remove();
    else if (kind === 'network') await gone(this.#docker.getNetwork(id).remove());
    else await gone(this.#docker.getImage(id).remove({ force: true }));
  }

  close(): void {
    this.#agent.destroy();
  }

  #followBuild(report: NodeJS.ReadableStream): Promise<BuildLine[]> {
    return new Promise((resolve, reject) => {
      this.#docker.modem.followProgress(report, (error: Error | null, lines: BuildLine[]) => {
        if (error === null) resolve(lines);
        else reject(error);
      });
    });
  }
}

/** A line of the engine's report on a build. */
interface BuildLine {
  readonly error?: string;
  /** The image, once it is built. */
  readonly aux?: { readonly ID?: string };
}

class DockerodeContainer implements EngineContainer {
  readonly requestNs: RequestTimes = {};
  readonly #docker: Docker;
  readonly #agent: EngineAgent;
  readonly #name: string;
  readonly #container: Container;

  constructor(docker: Docker, agent: EngineAgent, name: string) {
    this.#docker = docker;
    this.#agent = agent;
    this.#name = name;
    this.#container = docker.getContainer(name);
  }

  async create(options: ContainerOptions): Promise<void> {
    this.#agent.watch(this.#name, this.requestNs);
    try {
      await asked(this.#docker.createContainer({ ...createOptions(options), name: this.#name }));
    } catch (error) {
      this.#agent.unwatch(this.#name);
      throw error;
    }
  }

  async attach({ onStdout, onStderr }: ContainerOutput): Promise<ContainerStreams> {
    const options = { stream: true, stdin: true, stdout: true, stderr: true, hijack: true };
    const stream = (await asked(this.#container.attach(options))) as Duplex;
    const demultiplexer = new Demultiplexer(onStdout, onStderr);
    stream.on('data', (chunk: Uint8Array) => demultiplexer.take(chunk));
    // A broken connection shows as its end, and the wait for the container says what became of the guest.
    stream.on('error', () => undefined);
    const ended = new Promise<void>((resolve) => {
      stream.once('end', resolve);
      stream.once('close', resolve);
    });
    return {
      ended,
      write: (chunk) => void stream.write(chunk),
      end: (chunk) => void stream.end(chunk),
      destroy: () => void stream.destroy(),
    };
  }

  async start(): Promise<void> {
    await asked(this.#container.start());
  }

  async wait(): Promise<number> {
    return ((await asked(this.#container.wait())) as { StatusCode: number }).StatusCode;
  }

  async kill(): Promise<void> {
    await asked(this.#container.kill());
  }

  async inspect(): Promise<ContainerEnd> {
    const { State: state } = await asked(this.#container.inspect());
    const ranNs = nsBetween(state.StartedAt, state.FinishedAt);
    // The engine stamps the start after it has started the guest: one that ends at once seems to end before.
    return { isOutOfMemory: state.OOMKilled, ranNs: ranNs > 0 ? ranNs : undefined };
  }

  async remove(): Promise<void> {
    try {
      await gone(this.#container.remove({ force: true, v: true }));
    } finally {
      this.#agent.unwatch(this.#name);
    }
  }
}

function createOptions(options: ContainerOptions): ContainerCreateOptions {
  const { image, environment, labels, network, memoryBytes, cpus, pids, openFiles, mounts } = options;
  return {
    Image: image,
    // An empty list would still take the place of the image's own.
    ...(options.arguments.length === 0 ? {} : { Cmd: [...options.arguments] }),
    Env: Object.entries(environment).map(([key, value]) => `${key}=${value}`),
    User: NOBODY,
    OpenStdin: true,
    StdinOnce: true,
    // An engine that stops would wait ten seconds for a guest that does not know what SIGTERM is.
    StopSignal: 'SIGKILL',
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    Labels: labels,
    HostConfig: {
      NetworkMode: network,
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      Memory: memoryBytes,
      // The same as the memory: no swap.
      MemorySwap: memoryBytes,
      ...(cpus === 0 ? {} : { NanoCpus: Math.round(cpus * 1e9) }),
      PidsLimit: pids,
      Ulimits: [
        { Name: 'nofile', Soft: openFiles, Hard: openFiles },
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

/** A failure of dockerode: a status of the engine's answer, or a code of the connection. */
interface DockerodeFailure {
  readonly statusCode?: number;
  readonly code?: string;
  readonly json?: { readonly message?: string };
}

/** What a failure of dockerode is, whatever was asked. */
export function engineErrorOf(error: unknown): EngineError {
  const { statusCode, code, json } = error as DockerodeFailure;
  return new EngineError(faultOf(statusCode, code), json?.message ?? messageOf(error), { cause: error });
}

function faultOf(statusCode: number | undefined, code: string | undefined): EngineFault {
  if (statusCode === 404) return 'missing';
  if (statusCode === 409) return 'conflict';
  if (statusCode !== undefined) return 'refused';
  return code === 'EACCES' || code === 'EPERM' ? 'forbidden' : 'unavailable';
}

async function asked<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw engineErrorOf(error);
  }
}

/** Takes a removal as done that finds nothing, or is under way already. */
async function gone(removal: Promise<unknown>): Promise<void> {
  try {
    await removal;
  } catch (error) {
    const failure = engineErrorOf(error);
    if (failure.fault !== 'missing' && failure.fault !== 'conflict') throw failure;
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
