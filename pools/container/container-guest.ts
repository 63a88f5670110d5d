/**
 * A native guest in a container: created, attached to, given its input, started, waited for. Attaching comes before
 * starting so that no output is lost; the input waits in the engine for the guest.
 */

import type { Container, ContainerCreateOptions } from 'dockerode';
import type { Duplex } from 'node:stream';
import { NebulaError } from '../../host/errors.ts';
import { monotonicNs } from '../../host/monotonic.ts';
import type { EngineUsage } from '../../host/outcome.ts';
import type { GuestEnd, Launch, NativeGuest } from '../native/backend.ts';
import { faultOfExitCode } from '../native/ending.ts';
import type { ContainerDefinition } from './definition.ts';
import { Demultiplexer } from './demultiplexer.ts';
import type { RequestTimes } from './engine-agent.ts';
import { detailOf, engineError, statusOf } from './engine-error.ts';
import { removed, type Engine } from './engine.ts';

/** 128 + SIGKILL: the kernel took it for its memory, or someone killed it. */
const KILLED = 137;

/** How long an engine may take to kill a container before the call is answered all the same. */
const KILL_PATIENCE_MS = 2000;

/** How long an ended guest's streams may take to reach their end. */
const STREAM_PATIENCE_MS = 2000;

export interface ContainerLaunch extends Launch {
  readonly options: ContainerCreateOptions;
  /** Whether to ask the engine when the guest started and ended, after the call. */
  readonly inspectEnd: boolean;
}

/** @throws NebulaError CONTAINER_REFUSED, IMAGE_MISSING, DOCKER_UNAVAILABLE, DOCKER_FORBIDDEN */
export async function launchContainer(
  engine: Engine,
  definition: ContainerDefinition,
  launch: ContainerLaunch,
): Promise<NativeGuest> {
  const name = engine.nextName();
  const requestNs: RequestTimes = {};
  engine.agent.watch(name, requestNs);
  const container = engine.docker.getContainer(name);
  let action = 'create a container';
  try {
    const calledNs = monotonicNs();
    await engine.docker.createContainer({ ...launch.options, name });
    const createdNs = monotonicNs();
    launch.times.create = createdNs - calledNs;
    action = 'attach to a container';
    const stream = (await container.attach({
      stream: true,
      stdin: true,
      stdout: true,
      stderr: true,
      hijack: true,
    })) as Duplex;
    const guest = new ContainerGuest(engine, container, name, stream, { requestNs, launch });
    const attachedNs = monotonicNs();
    launch.times.attach = attachedNs - createdNs;
    if (launch.input !== undefined) stream.end(launch.input);
    action = 'start a container';
    await container.start();
    launch.times.start = monotonicNs() - attachedNs;
    guest.started();
    return guest;
  } catch (error) {
    engine.agent.unwatch(name);
    // What stays is found by its label when the executor closes, or by the next one.
    if (action !== 'create a container') await container.remove({ force: true, v: true }).catch(() => undefined);
    const source = definition.source;
    if (statusOf(error) === 404 && action === 'create a container') {
      const image = 'image' in source ? source.image : (launch.options.Image ?? '');
      throw new NebulaError('IMAGE_MISSING', { image }, { cause: error });
    }
    throw engineError(error, engine.socket, definition.name, action);
  }
}

interface GuestRecord {
  readonly requestNs: RequestTimes;
  readonly launch: ContainerLaunch;
}

class ContainerGuest implements NativeGuest {
  readonly ended: Promise<GuestEnd>;
  readonly #engine: Engine;
  readonly #container: Container;
  readonly #name: string;
  readonly #stream: Duplex;
  readonly #record: GuestRecord;
  readonly #streamEnded: Promise<void>;
  #onStarted!: () => void;
  #guestNs: number | undefined;
  #killed = false;
  #removal: Promise<void> | undefined;

  constructor(engine: Engine, container: Container, name: string, stream: Duplex, record: GuestRecord) {
    this.#engine = engine;
    this.#container = container;
    this.#name = name;
    this.#stream = stream;
    this.#record = record;
    const { onStdout, onStderr } = record.launch;
    const demultiplexer = new Demultiplexer(onStdout, onStderr);
    stream.on('data', (chunk: Uint8Array) => demultiplexer.take(chunk));
    // A broken connection shows as its end, and the wait for the container says what became of the guest.
    stream.on('error', () => undefined);
    this.#streamEnded = new Promise((resolve) => {
      stream.once('end', resolve);
      stream.once('close', resolve);
    });
    const started = new Promise<void>((resolve) => {
      this.#onStarted = resolve;
    });
    this.ended = started.then(() => this.#wait());
  }

  started(): void {
    this.#onStarted();
  }

  write(chunk: Uint8Array): void {
    this.#stream.write(chunk);
  }

  async kill(): Promise<void> {
    this.#killed = true;
    // Whatever the engine answers, nothing more can be done: it has ended, it is gone, or there is no engine.
    await patiently(KILL_PATIENCE_MS, this.#container.kill()).catch(() => undefined);
  }

  remove(): Promise<void> {
    this.#killed = true;
    this.#removal ??= this.#remove();
    return this.#removal;
  }

  usage(): EngineUsage {
    const requestNs = { ...this.#record.requestNs };
    return this.#guestNs === undefined ? { requestNs } : { requestNs, guestNs: this.#guestNs };
  }

  async #remove(): Promise<void> {
    this.#stream.destroy();
    // What stays is found by its label when the executor closes, or by the next one.
    await removed(this.#container.remove({ force: true, v: true })).catch(() => undefined);
    this.#engine.agent.unwatch(this.#name);
  }

  async #wait(): Promise<GuestEnd> {
    let exitCode: number;
    try {
      const answer = (await this.#container.wait()) as { StatusCode: number };
      exitCode = answer.StatusCode;
    } catch (error) {
      return { kind: 'lost', detail: detailOf(error), endedNs: monotonicNs() };
    }
    const endedNs = monotonicNs();
    await patiently(STREAM_PATIENCE_MS, this.#streamEnded);
    const { inspectEnd } = this.#record.launch;
    const state = inspectEnd || (exitCode === KILLED && !this.#killed) ? await this.#inspect() : undefined;
    if (exitCode === KILLED) {
      if (state?.OOMKilled === true) return { kind: 'memory', endedNs };
      return { kind: 'lost', detail: 'killed from outside', endedNs };
    }
    const signal = faultOfExitCode(exitCode);
    return signal === undefined ? { kind: 'exit', exitCode, endedNs } : { kind: 'signal', signal, endedNs };
  }

  async #inspect(): Promise<{ readonly OOMKilled: boolean } | undefined> {
    try {
      const { State } = await this.#container.inspect();
      const guestNs = durationNs(State.StartedAt, State.FinishedAt);
      // The engine stamps the start after it has started the guest: one that ends at once seems to end before.
      if (guestNs > 0) this.#guestNs = guestNs;
      return State;
    } catch {
      // Removed from outside meanwhile: there is nothing to be learnt of it.
      return undefined;
    }
  }
}

/** Nanoseconds between two times of the engine, which are RFC 3339 with a fraction down to nanoseconds. */
function durationNs(from: string, to: string): number {
  return (secondMs(to) - secondMs(from)) * 1e6 + fractionNs(to) - fractionNs(from);
}

/** The full second a time is in. */
function secondMs(time: string): number {
  return Date.parse(time.replace(/\.\d+/, ''));
}

function fractionNs(time: string): number {
  return Number((/\.(\d+)/.exec(time)?.[1] ?? '').padEnd(9, '0').slice(0, 9));
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
