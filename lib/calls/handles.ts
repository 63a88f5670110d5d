/** Handles of deployed functions: calls of their exports by name, and requests to components. */

import { NO_BYTES } from '../../host/bytes.ts';
import { ENTRY_INTERFACES } from '../../host/definition/prepared-component.ts';
import { argumentError, NebulaError } from '../../host/errors.ts';
import type { Invocation, Outcome } from '../../host/outcome.ts';
import type { FunctionHandle } from '../api/function-handle.ts';
import type { Input, InputStream } from '../api/exports.ts';
import type { FunctionSession, SessionOptions } from '../api/session.ts';
import type { ExecutorSession } from '../../pools/executor.ts';
import type { callExport as CallExport, CallOutcome, ComponentError } from '../component/call.ts';
import type { ClientWatch } from '../component/client-watch.ts';
import type { fetchFrom as FetchFrom } from '../component/fetch.ts';
import { GuestEnded } from '../component/guest-ended.ts';
import type { sendRequest as SendRequest } from '../component/request.ts';
import type { Target } from '../component/target.ts';
import type { RegisteredFunction } from '../registry/registry.ts';
import type { InvokeOptions } from '../schema/invoke-options.ts';
import { answerOf, toExportCall } from './module-call.ts';
import { Session } from './session.ts';
import type { StreamRequest } from './streams.ts';

/** What handles need of their Nebula. */
export interface HandleOptions {
  /** Whether guests run in the caller's thread. */
  readonly isInThread: boolean;
  readonly clients: ClientWatch;
  /** @throws NebulaError FUNCTION_NOT_FOUND, and why a function of the store is unavailable */
  find(name: string): RegisteredFunction;
  /** What calls are given by options. @throws TypeError or RangeError for options that do not fit */
  toGiven(options: InvokeOptions): Omit<Invocation, 'input'>;
  run(entry: RegisteredFunction, invocation: Invocation, signal: AbortSignal | undefined): Promise<Outcome>;
  /** @throws NebulaError as `Executor.openSession` */
  openSession(entry: RegisteredFunction): ExecutorSession;
  /** Tells the observers of a call that `run` makes in a session. */
  observe(entry: RegisteredFunction, invocation: Invocation, run: () => Promise<Outcome>): Promise<Outcome>;
  /** An input as bytes. @throws TypeError; NebulaError INPUT_TOO_LARGE */
  toInput(entry: RegisteredFunction, input: Input): Uint8Array;
}

/** What only components need, loaded with the first call of one. */
interface ComponentCalls {
  readonly callExport: typeof CallExport;
  readonly ComponentError: typeof ComponentError;
}

/** The options of a handle, as its calls are given them. */
interface Given {
  readonly invocation: Omit<Invocation, 'input'>;
  readonly signal: AbortSignal | undefined;
}

/** Which version is called, and how its guest is run. */
interface Called {
  readonly entry: RegisteredFunction;
  readonly run: (
    entry: RegisteredFunction,
    invocation: Invocation,
    signal: AbortSignal | undefined,
  ) => Promise<Outcome>;
}

const NOTHING: Given = { invocation: {}, signal: undefined };

/** Makes handles. */
export class Handles {
  readonly #options: HandleOptions;
  #fetchFrom: typeof FetchFrom | undefined;
  #sendRequest: typeof SendRequest | undefined;
  #component: ComponentCalls | undefined;
  /** Sessions that are open, by the name of their function. */
  readonly #sessions: Map<string, number> = new Map();

  /** What each call of a handle uses. */
  readonly #bound: { readonly find: HandleOptions['find'] } & Pick<Called, 'run'>;

  constructor(options: HandleOptions) {
    this.#options = options;
    this.#bound = {
      find: (name) => options.find(name),
      run: (entry, invocation, signal) => options.run(entry, invocation, signal),
    };
  }

  /** A handle whose calls are given `options`. @throws TypeError or RangeError for options that do not fit */
  of(name: string, options?: InvokeOptions): FunctionHandle {
    const given = options === undefined ? NOTHING : this.#givenBy(options);
    const { find, run } = this.#bound;
    const invoke = async (path: string, values: readonly unknown[]): Promise<CallOutcome<unknown>> =>
      this.#invoke({ entry: find(name), run }, given, path, values);
    return {
      call: async (path, ...values) => this.#valueOf(name, path, await invoke(path, values)),
      invoke: (path, ...values) => invoke(path, values),
      with: (more) => this.of(name, { ...options, ...more }),
      session: async (asked) => this.#open(find(name), asked, options),
      fetch: async (request) => {
        this.#fetchFrom ??= (await import('../component/fetch.ts')).fetchFrom;
        const target = this.#target({ entry: find(name), run }, ENTRY_INTERFACES.http, given.invocation);
        return this.#fetchFrom(target, request, (signal) => either(signal, given.signal));
      },
      send: async (request, body, signal) => {
        this.#sendRequest ??= (await import('../component/request.ts')).sendRequest;
        const target = this.#target({ entry: find(name), run }, ENTRY_INTERFACES.http, given.invocation);
        return this.#sendRequest(target, request, body, either(signal, given.signal));
      },
    };
  }

  #givenBy(options: InvokeOptions): Given {
    return { invocation: this.#options.toGiven(options), signal: options.signal };
  }

  async #invoke(called: Called, given: Given, path: string, values: readonly unknown[]): Promise<CallOutcome<unknown>> {
    if (typeof path !== 'string') throw argumentError('path', 'the name of an exported function', path);
    const { definition, record } = called.entry;
    if (record.component !== undefined || !('prepared' in definition)) {
      this.#component ??= await import('../component/call.ts');
      const target = this.#target(called, undefined, given.invocation);
      const exports = record.component?.exports ?? [];
      return this.#component.callExport(target, exports, path, values, given.signal);
    }
    const { exports } = definition.prepared.info;
    const invocation = {
      ...given.invocation,
      input: NO_BYTES,
      export: toExportCall(record.name, exports, path, values),
    };
    const { values: answers, ...outcome } = await called.run(called.entry, invocation, given.signal);
    return answers === undefined ? outcome : { ...outcome, value: answerOf(answers) };
  }

  /** @throws NebulaError SESSIONS_FULL; what `Executor.openSession` throws; RangeError or TypeError for options that do not fit */
  #open(entry: RegisteredFunction, asked: SessionOptions = {}, options?: InvokeOptions): FunctionSession {
    const { name } = entry.record;
    const { sessions: limit, sessionIdleMs, queueLength } = entry.definition.limits;
    const idleMs = toIdleMs(asked, sessionIdleMs);
    const open = this.#sessions.get(name) ?? 0;
    if (open >= limit) throw new NebulaError('SESSIONS_FULL', { name, limit });
    const instance = this.#options.openSession(entry);
    this.#sessions.set(name, open + 1);
    const onEnded = (): void => this.#leave(name);
    return this.#sessionOf(entry, new Session({ name, idleMs, queueLength, onEnded }, instance), options);
  }

  #leave(name: string): void {
    const left = (this.#sessions.get(name) ?? 1) - 1;
    if (left === 0) this.#sessions.delete(name);
    else this.#sessions.set(name, left);
  }

  #sessionOf(entry: RegisteredFunction, session: Session, options?: InvokeOptions): FunctionSession {
    const { name } = entry.record;
    const given = options === undefined ? NOTHING : this.#givenBy(options);
    const run: Called['run'] = (_entry, invocation, signal) =>
      this.#options.observe(entry, invocation, () => session.run(invocation, signal));
    const invoke = (path: string, values: readonly unknown[]): Promise<CallOutcome<unknown>> =>
      this.#invoke({ entry, run }, given, path, values);
    const close = (): Promise<void> => session.close();
    return {
      call: async (path, ...values) => this.#valueOf(name, path, await invoke(path, values)),
      invoke: (path, ...values) => invoke(path, values),
      handle: async (input = NO_BYTES) => {
        requireReactor(entry);
        return run(entry, { ...given.invocation, input: this.#options.toInput(entry, input) }, given.signal);
      },
      with: (more) => this.#sessionOf(entry, session, { ...options, ...more }),
      get ending() {
        return session.ending;
      },
      close,
      [Symbol.asyncDispose]: close,
    };
  }

  #valueOf(name: string, path: string, outcome: CallOutcome<unknown>): unknown {
    if ('value' in outcome) return outcome.value;
    if ('error' in outcome && this.#component !== undefined)
      throw new this.#component.ComponentError(path, outcome.error);
    throw new GuestEnded(name, outcome).toFailure();
  }

  /** What a call with streams needs. @throws NebulaError FUNCTION_NOT_FOUND, INPUT_TOO_LARGE; TypeError for what is no input */
  streamOf(name: string, input: Input | InputStream, options?: InvokeOptions): StreamRequest {
    const entry = this.#options.find(name);
    const { definition, record } = entry;
    const { clients, isInThread } = this.#options;
    const { run } = this.#bound;
    const target: Target = {
      name,
      limits: definition.limits,
      isInThread,
      clients,
      invoke: (invocation, signal) => run(entry, invocation, signal),
    };
    return {
      target,
      canStream: !isInThread && 'prepared' in definition && record.component === undefined,
      input: isStream(input) ? input : this.#options.toInput(entry, input),
      given: options === undefined ? {} : this.#options.toGiven(options),
      signal: options?.signal,
    };
  }

  /** A component to use by an export. @throws NebulaError ENTRY_MISMATCH */
  #target({ entry, run }: Called, expected: string | undefined, given: Given['invocation']): Target {
    const { name, component } = entry.record;
    if (
      component === undefined ||
      (expected !== undefined && !component.exports.some((each) => each.startsWith(expected)))
    ) {
      const other = 'prepared' in entry.definition ? 'those of a core module' : 'none: it is a native program';
      const exports = component?.exports.join(', ') ?? other;
      throw new NebulaError('ENTRY_MISMATCH', { name, expected: expected ?? 'of a component', exports });
    }
    const { clients, isInThread } = this.#options;
    return {
      name,
      limits: entry.definition.limits,
      isInThread,
      clients,
      invoke: (invocation, signal) =>
        run(entry, given === NOTHING.invocation ? invocation : { ...given, ...invocation }, signal),
    };
  }
}

/** How long a session may be without a call. @throws RangeError or TypeError for options that do not fit */
function toIdleMs(asked: SessionOptions, mostMs: number): number {
  if (typeof asked !== 'object' || asked === null) throw argumentError('options', 'an object', asked);
  const unknown = Object.keys(asked).find((field) => field !== 'idleMs');
  if (unknown !== undefined) {
    throw argumentError(`options.${unknown}`, 'left out: expected idleMs', (asked as Record<string, unknown>)[unknown]);
  }
  const { idleMs = mostMs } = asked;
  if (typeof idleMs === 'number' && idleMs >= 1 && idleMs <= mostMs) return idleMs;
  throw argumentError('options.idleMs', `a number of milliseconds from 1 to ${mostMs}, limits.sessionIdleMs`, idleMs);
}

/** @throws NebulaError ENTRY_MISMATCH for what has no handler that could be called again and again */
function requireReactor({ record, definition }: RegisteredFunction): void {
  const info = 'prepared' in definition ? definition.prepared.info : undefined;
  if (info?.kind === 'reactor') return;
  const exports = `those of a ${info?.kind ?? 'native program'}`;
  throw new NebulaError('ENTRY_MISMATCH', { name: record.name, expected: '"handle" of a reactor', exports });
}

/** A signal that aborts when one of two does, of which either may be missing. */
function either(one: AbortSignal | undefined, other: AbortSignal | undefined): AbortSignal | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return AbortSignal.any([one, other]);
}

/** Whether an input comes in pieces. Callers without types may give anything. */
function isStream(input: unknown): input is InputStream {
  return typeof input === 'object' && input !== null && !(input instanceof Uint8Array) && Symbol.asyncIterator in input;
}
