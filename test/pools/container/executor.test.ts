/** Decisions of the container executor, over an engine that lives in this process. */

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import {
  EngineError,
  type ContainerEngine,
  type ContainerEnd,
  type ContainerOptions,
  type ContainerOutput,
  type ContainerStreams,
  type EngineContainer,
  type EngineFault,
  type EngineKind,
  type Labelled,
  type RequestTimes,
} from '../../../pools/container/engine/engine.ts';
import { createContainerExecutor, type ContainerExecutorOptions } from '../../../pools/container/executor.ts';
import { CONTAINER_DEFAULTS, type ContainerDefinition } from '../../../pools/container/definition.ts';
import { createOwnerId, OWNER_LABEL } from '../../../pools/container/owner.ts';
import type { Executor } from '../../../pools/executor.ts';
import { bytesOf, call, endingOf, nativeDefinition, textOf, type NativeOverrides } from '../native/native-suite.ts';

const KILLED = 137;

/** A container whose program answers its input with what the engine was told, or runs until it is killed. */
class FakeContainer implements EngineContainer {
  readonly requestNs: RequestTimes = {};
  readonly name: string;
  readonly #engine: FakeEngine;
  options: ContainerOptions | undefined;
  #output: ContainerOutput | undefined;
  #onEnd!: (exitCode: number) => void;
  readonly #ended: Promise<number> = new Promise((resolve) => (this.#onEnd = resolve));

  constructor(engine: FakeEngine, name: string) {
    this.#engine = engine;
    this.name = name;
  }

  async create(options: ContainerOptions): Promise<void> {
    this.#engine.ask(`create`);
    this.options = options;
    this.#engine.kept.push({ kind: 'container', id: this.name, labels: options.labels });
  }

  async attach(output: ContainerOutput): Promise<ContainerStreams> {
    this.#engine.ask('attach');
    this.#output = output;
    const answer = (chunk: Uint8Array): void => {
      if (this.#engine.isQuick) setImmediate(() => this.finish(0, chunk));
    };
    return { ended: this.#ended.then(() => undefined), write: answer, end: answer, destroy: () => undefined };
  }

  async start(): Promise<void> {
    this.#engine.ask('start');
  }

  wait(): Promise<number> {
    return this.#ended;
  }

  async kill(): Promise<void> {
    this.#engine.ask('kill');
    this.finish(KILLED);
  }

  async inspect(): Promise<ContainerEnd> {
    this.#engine.ask('inspect');
    return { isOutOfMemory: this.#engine.isOutOfMemory, ranNs: 5 };
  }

  async remove(): Promise<void> {
    this.#engine.ask('remove');
    this.finish(KILLED);
    await this.#engine.remove('container', this.name);
  }

  finish(exitCode: number, stdout: Uint8Array = new Uint8Array()): void {
    if (stdout.length > 0) this.#output?.onStdout(stdout);
    this.#onEnd(exitCode);
  }
}

class FakeEngine implements ContainerEngine {
  readonly address = 'memory';
  readonly asked: string[] = [];
  readonly containers: FakeContainer[] = [];
  kept: (Labelled & { readonly kind: EngineKind })[] = [];
  /** What is refused, and how. */
  readonly faults: Map<string, EngineFault> = new Map();
  isQuick = true;
  isOutOfMemory = false;
  isClosed = false;

  ask(action: string): void {
    this.asked.push(action);
    const fault = this.faults.get(action);
    if (fault !== undefined) throw new EngineError(fault, `no ${action} today`);
  }

  async ping(): Promise<void> {
    this.ask('ping');
  }

  container(name: string): EngineContainer {
    const container = new FakeContainer(this, name);
    this.containers.push(container);
    return container;
  }

  async buildImage(reference: string, _context: Uint8Array, labels: Record<string, string>): Promise<string> {
    this.ask('build');
    this.kept.push({ kind: 'image', id: reference, labels });
    return `sha256:${reference}`;
  }

  async findImage(reference: string): Promise<string> {
    this.ask('find');
    return `sha256:${reference}`;
  }

  async createNetwork(name: string, labels: Record<string, string>): Promise<string> {
    this.ask('network');
    this.kept.push({ kind: 'network', id: name, labels });
    return name;
  }

  async list(kind: EngineKind, label: string): Promise<Labelled[]> {
    return this.kept.filter((each) => each.kind === kind && each.labels[label] !== undefined);
  }

  async remove(kind: EngineKind, id: string): Promise<void> {
    this.kept = this.kept.filter((each) => each.kind !== kind || each.id !== id);
  }

  close(): void {
    this.isClosed = true;
  }
}

function define(name: string, overrides: NativeOverrides & Partial<ContainerDefinition> = {}): ContainerDefinition {
  const { network, cpus, pids } = { ...CONTAINER_DEFAULTS, ...overrides };
  return { ...nativeDefinition(name, overrides), source: { image: name }, mounts: [], network, cpus, pids };
}

function openFake(
  context: TestContext,
  options: ContainerExecutorOptions = {},
): { engine: FakeEngine; executor: Executor<ContainerDefinition> } {
  const engine = new FakeEngine();
  const executor = createContainerExecutor({ ...options, open: () => Promise.resolve(engine) });
  context.after(() => executor.close(0));
  return { engine, executor };
}

test('createContainerExecutor() asks any engine for the same, in the same order, and leaves nothing on it', async (context) => {
  const { engine, executor } = openFake(context, { awaitRemoval: true, inspectEnd: true });
  const definition = define('echo', { arguments: ['a'], environment: { A: '1' }, cpus: 0.5, network: 'bridge' });
  await executor.deploy(definition);
  const outcome = await executor.invoke(definition, call('hello', { environment: { B: '2' } }));
  assert.deepEqual([endingOf(outcome), textOf(outcome.stdout)], [{ kind: 'ok' }, 'hello']);
  assert.equal(outcome.usage.engine?.guestNs, 5);
  assert.deepEqual(engine.asked, ['ping', 'find', 'network', 'create', 'attach', 'start', 'inspect', 'remove']);
  const [network] = engine.kept;
  assert.deepEqual(engine.containers[0]?.options, {
    image: 'sha256:echo',
    arguments: ['a'],
    environment: { A: '1', B: '2' },
    labels: { ...network?.labels, 'nebula.function': 'echo' },
    network: network?.id,
    memoryBytes: definition.limits.memoryBytes,
    openFiles: definition.limits.openFiles,
    cpus: 0.5,
    pids: CONTAINER_DEFAULTS.pids,
    mounts: [],
  });
  await executor.close(0);
  assert.deepEqual([engine.kept, engine.isClosed], [[], true]);
});

test('createContainerExecutor() removes on its engine what an owner left that has ended, and nothing of others', async (context) => {
  const { engine, executor } = openFake(context);
  const [host, , pidNamespace, pid, started, random] = createOwnerId().split('/');
  const ended = [host, 'another-boot', pidNamespace, pid, started, random].join('/');
  const other = createOwnerId();
  engine.kept = (['image', 'network', 'container'] as const).flatMap((kind) => [
    { kind, id: `old ${kind}`, labels: { [OWNER_LABEL]: ended } },
    { kind, id: `other ${kind}`, labels: { [OWNER_LABEL]: other } },
  ]);
  await executor.deploy(define('echo'));
  assert.deepEqual(
    engine.kept.map(({ id }) => id),
    ['other image', 'other network', 'other container'],
  );
});

test('invoke() ends a call at its deadline while it waits for a full container executor, and makes no container for it', async (context) => {
  const { engine, executor } = openFake(context, { containers: 1 });
  const definition = define('busy');
  await executor.deploy(definition);
  engine.isQuick = false;
  const first = executor.invoke(definition, call('first'));
  const waiting = await executor.invoke(definition, call('', { timeoutMs: 30 }));
  assert.deepEqual(endingOf(waiting), { kind: 'timeout', timeoutMs: 30 });
  assert.deepEqual([waiting.phases.run, engine.containers.length, executor.stats().waiting], [0, 1, 0]);
  engine.containers[0]?.finish(0, bytesOf('answered'));
  assert.equal(textOf((await first).stdout), 'answered');
});

test('invoke() tells a guest that the kernel ended for its memory from one that was killed from outside', async (context) => {
  const { engine, executor } = openFake(context);
  const definition = define('large');
  await executor.deploy(definition);
  engine.isQuick = false;
  for (const isOutOfMemory of [true, false]) {
    engine.isOutOfMemory = isOutOfMemory;
    const outcome = executor.invoke(definition, call());
    await new Promise((resolve) => setImmediate(resolve));
    engine.containers.at(-1)?.finish(KILLED);
    if (isOutOfMemory) assert.equal((await outcome).kind, 'limit');
    else await assert.rejects(outcome, { code: 'ERR_NEBULA_CONTAINER_LOST', message: /killed from outside/ });
  }
});

test('invoke() and deploy() say by what an engine failed, and a container that could not be started is removed', async (context) => {
  const { engine, executor } = openFake(context);
  const definition = define('echo');
  const refusals: readonly [string, EngineFault, string][] = [
    ['ping', 'unavailable', 'DOCKER_UNAVAILABLE'],
    ['ping', 'forbidden', 'DOCKER_FORBIDDEN'],
    ['find', 'missing', 'IMAGE_MISSING'],
    ['find', 'refused', 'CONTAINER_REFUSED'],
  ];
  for (const [action, fault, code] of refusals) {
    engine.faults.set(action, fault);
    await assert.rejects(executor.deploy(definition), { code: `ERR_NEBULA_${code}` });
    engine.faults.clear();
  }
  await executor.deploy(definition);
  const failures: readonly [string, EngineFault, string][] = [
    ['create', 'missing', 'IMAGE_MISSING'],
    ['create', 'refused', 'CONTAINER_REFUSED'],
    ['attach', 'missing', 'CONTAINER_REFUSED'],
    ['start', 'conflict', 'CONTAINER_REFUSED'],
    ['start', 'unavailable', 'DOCKER_UNAVAILABLE'],
  ];
  for (const [action, fault, code] of failures) {
    engine.faults.set(action, fault);
    engine.asked.length = 0;
    await assert.rejects(executor.invoke(definition, call()), { code: `ERR_NEBULA_${code}` });
    assert.equal(engine.asked.includes('remove'), action !== 'create', `${action} failed`);
    engine.faults.clear();
  }
  assert.deepEqual(engine.kept, []);
});
