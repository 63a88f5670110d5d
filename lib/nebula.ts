/** Nebula inside a Node process: functions deployed, invoked and forgotten. Touches nothing of the process around it. */

import { availableParallelism } from 'node:os';
import { BindingTable } from '../host/bindings/bindings.ts';
import { NO_BYTES } from '../host/bytes.ts';
import { argumentError, isNebulaError, NebulaError } from '../host/errors.ts';
import type { Invocation, Outcome } from '../host/outcome.ts';
import { endIdlePreparations } from '../host/preparation/beside.ts';
import type { Executor } from '../pools/executor.ts';
import type { AnyCalls, Calls } from './api/exports.ts';
import type { FunctionHandle } from './api/function-handle.ts';
import type { DeployOptions } from './schema/manifest.ts';
import type { Input, InputStream } from './api/exports.ts';
import type { DeploySource, Nebula, StreamedInvocation } from './api/nebula.ts';
import type { FunctionRecord } from './schema/function-record.ts';
import type { RequestLike, WebResponse } from './schema/globals.ts';
import type { InvokeOptions } from './schema/invoke-options.ts';
import type { LogRecord } from './schema/log-record.ts';
import type { NebulaOptions } from './schema/nebula-options.ts';
import type { NebulaStats } from './schema/stats.ts';
import { checkDeployOptions, checkNebulaOptions, toDrainMs, toGiven, toInputBytes, toInvocation } from './arguments.ts';
import { Handles } from './calls/handles.ts';
import type * as Streams from './calls/streams.ts';
import { ClientWatch } from './component/client-watch.ts';
import { createExecutor } from './executor.ts';
import type { FetchHandler } from './triggers/http/handler.ts';
import type { RequestContext } from './api/nebula.ts';
import type { RouteOptions } from './triggers/http/router.ts';
import { toOutcomeError } from './wire/outcome-error.ts';
import { Runtimes } from './runtimes.ts';
import { CallsUnderWay } from './observe/calls-under-way.ts';
import { followLog } from './observe/follow-log.ts';
import { Log, type LogQuery } from './observe/log.ts';
import { tellLog } from './observe/log-of.ts';
import type { Observer } from './observe/observer.ts';
import { createObservers } from './observe/observer-table.ts';
import { ComponentCache } from './registry/component-cache.ts';
import { Registry, type RegisteredFunction, type RegistryOptions } from './registry/registry.ts';
import { loadSource } from './registry/source.ts';
import { Store } from './registry/store.ts';

/** `createNebula` of the package. @throws NebulaError STORE_FAILED; TypeError or RangeError for options that do not fit */
export async function createNebula(options: NebulaOptions = {}): Promise<Nebula> {
  checkNebulaOptions(options);
  return createNebulaOn(await createExecutor(options), options);
}

/** Nebula on an executor of the caller's, which it owns from now on and closes with itself. */
export async function createNebulaOn(
  executor: Executor,
  options: NebulaOptions = {},
  observers: readonly Observer[] = createObservers(options),
): Promise<Nebula> {
  const runtimes = new Runtimes(executor, options);
  const log = new Log(options.onLog);
  let store: Store | undefined;
  try {
    if (options.store !== undefined) store = await Store.open(options.store);
    const nebula = new EmbeddedNebula({
      executor: runtimes,
      threads: options.threads ?? availableParallelism(),
      audit: options.audit ?? false,
      ...(store === undefined ? {} : { store }),
      components: new ComponentCache(store?.componentsFolder),
      ...(options.limits === undefined ? {} : { limits: options.limits }),
      ...(options.token === undefined ? {} : { token: options.token }),
      ...(options.bindings === undefined ? {} : { bindings: new BindingTable(options.bindings) }),
      log,
      // Its records are made outside of the windows that markers open.
      observers: [log, ...observers],
    });
    await nebula.restore();
    return nebula;
  } catch (error) {
    await runtimes.close(0);
    await store?.close();
    throw error;
  }
}

interface EmbeddedOptions extends RegistryOptions {
  readonly executor: Runtimes;
  /** Threads that run guests at once. */
  readonly threads: number;
  readonly observers: readonly Observer[];
  readonly log: Log;
  readonly token?: string;
}

class EmbeddedNebula implements Nebula {
  readonly #executor: Runtimes;
  readonly #registry: Registry;
  readonly #functions: Registry['functions'];
  readonly #moduleBytes: number | undefined;
  readonly #observers: readonly Observer[];
  readonly #log: Log;
  readonly #calls: CallsUnderWay = new CallsUnderWay();
  readonly #handles: Handles;
  readonly #routeOptions: RouteOptions;
  #fetchHandler: Promise<FetchHandler> | undefined;
  /** Loaded with the first call that has a stream. */
  #streams: typeof Streams | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: EmbeddedOptions) {
    this.#executor = options.executor;
    this.#registry = new Registry(options);
    this.#functions = this.#registry.functions;
    this.#moduleBytes = options.limits?.moduleBytes;
    this.#observers = options.observers;
    this.#log = options.log;
    this.#handles = new Handles({
      isInThread: options.executor.kind === 'in-thread',
      clients: new ClientWatch(options.threads, () => this.#executor.stats()),
      find: (name) => this.#find(name),
      toGiven,
      run: (entry, invocation, signal) => this.#run(entry, invocation, signal),
      openSession: ({ definition }) => this.#executor.openSession(definition),
      observe: (entry, invocation, run) => this.#observe(entry, invocation, run),
      toInput,
    });
    this.#routeOptions = {
      ...(options.token === undefined ? {} : { token: options.token }),
      ...(this.#moduleBytes === undefined ? {} : { moduleBytes: this.#moduleBytes }),
    };
  }

  async restore(): Promise<void> {
    await this.#registry.restore();
    for (const name of this.#functions.keys()) this.#log.restored(name);
    tellLog(this, this.#log);
  }

  async deploy(source: DeploySource, options: DeployOptions = {}): Promise<FunctionRecord> {
    checkDeployOptions(options);
    this.#refuseWhenClosing();
    const loaded = await loadSource(source, options, this.#moduleBytes);
    this.#refuseWhenClosing();
    return this.#logged(loaded.manifest.name, 'Deployed', () => this.#registry.deploy(loaded));
  }

  /** Carries a change of a function's version out, and tells the log what came of it. */
  async #logged(name: string, how: string, change: () => Promise<FunctionRecord>): Promise<FunctionRecord> {
    const startedMs = performance.now();
    try {
      const record = await change();
      this.#log.deployed(record, how, performance.now() - startedMs);
      return record;
    } catch (error) {
      const isUnknown = isNebulaError(error) && error.key === 'FUNCTION_NOT_FOUND';
      if (!isUnknown) this.#log.refused(name, error);
      throw error;
    }
  }

  invoke(name: string, input: Input | InputStream = NO_BYTES, options?: InvokeOptions): Promise<Outcome> {
    if (typeof input === 'object' && !(input instanceof Uint8Array)) return this.#invokeStream(name, input, options);
    const entry = this.#functions.get(name);
    if (entry === undefined) return Promise.reject(this.#missing(name));
    let invocation: Invocation;
    try {
      const bytes = toInput(entry, input);
      invocation = options === undefined ? { input: bytes } : toInvocation(bytes, options);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#run(entry, invocation, options?.signal);
  }

  async #invokeStream(name: string, input: InputStream, options?: InvokeOptions): Promise<Outcome> {
    const request = this.#handles.streamOf(name, input, options);
    this.#streams ??= await import('./calls/streams.ts');
    return this.#streams.runStreamed(request);
  }

  async stream(
    name: string,
    input: Input | InputStream = NO_BYTES,
    options?: InvokeOptions,
  ): Promise<StreamedInvocation> {
    const request = this.#handles.streamOf(name, input, options);
    this.#streams ??= await import('./calls/streams.ts');
    return this.#streams.startStreamed(request);
  }

  #run({ definition, observed }: RegisteredFunction, invocation: Invocation, signal?: AbortSignal): Promise<Outcome> {
    const call = this.#calls.start(observed, invocation);
    let answer: Outcome | Promise<Outcome>;
    try {
      answer = this.#executor.invokeHere(definition, invocation, signal);
    } catch (error) {
      call.failed(error);
      return Promise.reject(error);
    }
    if (answer instanceof Promise) {
      void answer.then(call.ended, call.failed);
      return answer;
    }
    call.ended(answer);
    return Promise.resolve(answer);
  }

  async #observe(
    { observed }: RegisteredFunction,
    invocation: Invocation,
    run: () => Promise<Outcome>,
  ): Promise<Outcome> {
    const call = this.#calls.start(observed, invocation);
    try {
      const outcome = await run();
      call.ended(outcome);
      return outcome;
    } catch (error) {
      call.failed(error);
      throw error;
    }
  }

  async invokeOrThrow(name: string, input?: Input, options?: InvokeOptions): Promise<Uint8Array> {
    const outcome = await this.invoke(name, input, options);
    if (outcome.kind === 'ok') return outcome.stdout;
    throw toOutcomeError(name, outcome);
  }

  async undeploy(name: string): Promise<void> {
    this.#refuseWhenClosing();
    await this.#registry.undeploy(name);
    this.#log.removed(name);
  }

  async rollback(name: string): Promise<FunctionRecord> {
    this.#refuseWhenClosing();
    return this.#logged(name, 'Returned to', () => this.#registry.rollback(name));
  }

  logs(query: LogQuery = {}): readonly LogRecord[] {
    this.#checkLogName(query);
    return this.#log.read(query);
  }

  followLogs({ signal, ...query }: LogQuery & { readonly signal?: AbortSignal } = {}): AsyncGenerator<LogRecord> {
    this.#checkLogName(query);
    return followLog(this.#log, query, signal);
  }

  #checkLogName({ name }: LogQuery): void {
    if (name !== undefined && !this.#functions.has(name) && !this.#log.has(name)) throw this.#missing(name);
  }

  list(): readonly FunctionRecord[] {
    return Array.from(this.#functions.values(), ({ record }) => record).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  get(name: string): FunctionRecord {
    return this.#find(name).record;
  }

  #find(name: string): RegisteredFunction {
    const entry = this.#functions.get(name);
    if (entry === undefined) throw this.#missing(name);
    return entry;
  }

  stats(): NebulaStats {
    const functions = Array.from(this.#functions, ([name, { statistics }]) => statistics.read(name));
    const { unavailable } = this.#registry;
    const stats: NebulaStats = {
      functions,
      executor: this.#executor.stats(),
      ...(unavailable.length > 0 ? { unavailable } : {}),
    };
    return Object.assign(stats, ...this.#observers.map((observer) => observer.stats?.()));
  }

  fn<Exported extends Calls<Exported> = AnyCalls>(name: string): FunctionHandle<Exported> {
    // What is called by a name answers what the declarations made of the same exports say.
    return this.#handles.of(name) as unknown as FunctionHandle<Exported>;
  }

  async fetch(request: RequestLike, context?: RequestContext): Promise<WebResponse> {
    // The HTTP face is loaded only where it is used.
    // oxlint-disable-next-line no-restricted-imports
    this.#fetchHandler ??= import('./triggers/http/handler.ts').then(({ createFetchHandler }) =>
      createFetchHandler(this, this.#routeOptions),
    );
    const handler = await this.#fetchHandler;
    return handler(request, context);
  }

  async close(options?: { readonly drainMs?: number }): Promise<void> {
    const drainMs = toDrainMs(options);
    this.#closing ??= this.#close(drainMs);
    await this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(drainMs: number): Promise<void> {
    try {
      await this.#registry.close(drainMs);
    } finally {
      this.#log.close();
      await endIdlePreparations();
    }
  }

  #refuseWhenClosing(): void {
    if (this.#closing !== undefined) throw new NebulaError('CLOSED');
  }

  #missing(name: string): Error {
    if (typeof name !== 'string') return argumentError('name', 'the name of a function', name);
    return this.#registry.errorOf(name) ?? new NebulaError('FUNCTION_NOT_FOUND', { name });
  }
}

function toInput({ definition }: RegisteredFunction, input: Input): Uint8Array {
  const bytes = toInputBytes(input);
  const limitBytes = definition.limits.inputBytes;
  if (bytes.length > limitBytes) throw new NebulaError('INPUT_TOO_LARGE', { limitBytes });
  return bytes;
}
