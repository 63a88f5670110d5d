/** Hands each function to the executor of its runtime; those of containers and processes are loaded when first needed. */

import { NebulaError } from '../host/errors.ts';
import type { Invocation, Outcome } from '../host/outcome.ts';
import type { ContainerDefinition } from '../pools/container/definition.ts';
import {
  addStats,
  type DeployReport,
  type Executor,
  type ExecutorSession,
  type ExecutorStats,
  type ThreadLossListener,
} from '../pools/executor.ts';
import type { ProcessDefinition } from '../pools/process/definition.ts';
import type { NebulaOptions } from './schema/nebula-options.ts';
import type { Runtime } from './schema/runtime.ts';
import type { AnyDefinition } from './registry/runtime-definition.ts';

const DEFAULT_RUNTIMES: readonly Runtime[] = ['wasm', 'container'];

/** The executor of every runtime: it hands each function to its own. */
export class Runtimes implements Executor<AnyDefinition> {
  readonly kind: Executor['kind'];
  readonly #wasm: Executor;
  readonly #options: Pick<NebulaOptions, 'runtimes' | 'dockerSocket'>;
  /** Of the functions that are no Wasm, by the id of their definition. */
  readonly #placed: Map<string, Executor<AnyDefinition>> = new Map();
  #containers: Promise<Executor<ContainerDefinition>> | undefined;
  #processes: Promise<Executor<ProcessDefinition>> | undefined;
  readonly #opened: Executor<AnyDefinition>[] = [];
  #closed = false;

  /** It owns `wasm` from now on. */
  constructor(wasm: Executor, options: Pick<NebulaOptions, 'runtimes' | 'dockerSocket'>) {
    this.kind = wasm.kind;
    this.#wasm = wasm;
    this.#options = options;
  }

  async deploy(definition: AnyDefinition): Promise<DeployReport> {
    const runtime = runtimeOf(definition);
    const { runtimes = DEFAULT_RUNTIMES } = this.#options;
    if (!runtimes.includes(runtime)) {
      const detail = `field "runtime" must be one of ${runtimes.join(', ')}, which this Nebula was given, got "${runtime}"`;
      throw new NebulaError('MANIFEST_INVALID', { detail });
    }
    if ('prepared' in definition) return this.#wasm.deploy(definition);
    if (this.#closed) throw new NebulaError('CLOSED');
    const opening = 'source' in definition ? this.#openContainers() : this.#openProcesses();
    const executor: Executor<AnyDefinition> = await opening;
    const report = await executor.deploy(definition);
    this.#placed.set(definition.id, executor);
    return report;
  }

  invoke(definition: AnyDefinition, invocation: Invocation, signal?: AbortSignal): Promise<Outcome> {
    if ('prepared' in definition) return this.#wasm.invoke(definition, invocation, signal);
    const executor = this.#placed.get(definition.id);
    if (executor !== undefined) return executor.invoke(definition, invocation, signal);
    return Promise.reject(new NebulaError('FUNCTION_NOT_FOUND', { name: definition.name }));
  }

  /** The outcome itself where the guest has run in this thread. @throws what `invoke` rejects with */
  invokeHere(definition: AnyDefinition, invocation: Invocation, signal?: AbortSignal): Outcome | Promise<Outcome> {
    const wasm = this.#wasm;
    if (wasm.invokeHere === undefined || !('prepared' in definition))
      return this.invoke(definition, invocation, signal);
    return wasm.invokeHere(definition, invocation, signal);
  }

  /** @throws NebulaError as `Executor.openSession`; ENTRY_MISMATCH for what is no Wasm */
  openSession(definition: AnyDefinition): ExecutorSession {
    const session = 'prepared' in definition ? this.#wasm.openSession?.(definition) : undefined;
    if (session !== undefined) return session;
    const fields = { name: definition.name, expected: 'of a module or component, for a session', exports: 'none' };
    throw new NebulaError('ENTRY_MISMATCH', fields);
  }

  async undeploy(id: string): Promise<void> {
    await (this.#placed.get(id) ?? this.#wasm).undeploy(id);
    this.#placed.delete(id);
  }

  watch(listener: ThreadLossListener): void {
    this.#wasm.watch?.(listener);
  }

  stats(): ExecutorStats {
    return this.#opened.reduce((sum, executor) => addStats(sum, executor.stats()), this.#wasm.stats());
  }

  async close(drainMs: number): Promise<void> {
    this.#closed = true;
    await Promise.allSettled([this.#containers, this.#processes]);
    const closings = [this.#wasm, ...this.#opened].map((executor) => executor.close(drainMs));
    await Promise.allSettled(closings);
    await Promise.all(closings);
  }

  #openContainers(): Promise<Executor<ContainerDefinition>> {
    const { dockerSocket } = this.#options;
    this.#containers ??= import('../pools/container/executor.ts').then(({ createContainerExecutor }) =>
      this.#open(createContainerExecutor(dockerSocket === undefined ? {} : { socketPath: dockerSocket })),
    );
    return this.#containers;
  }

  #openProcesses(): Promise<Executor<ProcessDefinition>> {
    this.#processes ??= import('../pools/process/executor.ts').then(({ createProcessExecutor }) =>
      this.#open(createProcessExecutor()),
    );
    return this.#processes;
  }

  #open<Definition extends AnyDefinition>(executor: Executor<Definition>): Executor<Definition> {
    this.#opened.push(executor);
    return executor;
  }
}

function runtimeOf(definition: AnyDefinition): Runtime {
  if ('prepared' in definition) return 'wasm';
  return 'source' in definition ? 'container' : 'process';
}
