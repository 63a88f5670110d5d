/** Handles of deployed functions: calls of their exports by name, and requests to components. */

import { NO_BYTES } from '../../host/bytes.ts';
import { ENTRY_INTERFACES } from '../../host/definition/prepared-component.ts';
import { argumentError, NebulaError } from '../../host/errors.ts';
import type { Invocation, Outcome } from '../../host/outcome.ts';
import type { FunctionHandle } from '../api/function-handle.ts';
import type { callExport as CallExport, CallOutcome, ComponentError } from '../component/call.ts';
import type { ClientWatch } from '../component/client-watch.ts';
import type { fetchFrom as FetchFrom } from '../component/fetch.ts';
import { GuestEnded } from '../component/guest-ended.ts';
import type { sendRequest as SendRequest } from '../component/request.ts';
import type { Target } from '../component/target.ts';
import type { RegisteredFunction } from '../registry/registry.ts';
import type { InvokeOptions } from '../schema/invoke-options.ts';
import { answerOf, toExportCall } from './module-call.ts';

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

const NOTHING: Given = { invocation: {}, signal: undefined };

/** Makes handles. */
export class Handles {
  readonly #options: HandleOptions;
  #fetchFrom: typeof FetchFrom | undefined;
  #sendRequest: typeof SendRequest | undefined;
  #component: ComponentCalls | undefined;

  constructor(options: HandleOptions) {
    this.#options = options;
  }

  /** A handle whose calls are given `options`. @throws TypeError or RangeError for options that do not fit */
  of(name: string, options?: InvokeOptions): FunctionHandle {
    const given = options === undefined ? NOTHING : this.#givenBy(options);
    return {
      call: async (path, ...values) => this.#valueOf(name, path, await this.#invoke(name, given, path, values)),
      invoke: (path, ...values) => this.#invoke(name, given, path, values),
      with: (more) => this.of(name, { ...options, ...more }),
      fetch: async (request) => {
        this.#fetchFrom ??= (await import('../component/fetch.ts')).fetchFrom;
        const target = this.#target(this.#options.find(name), ENTRY_INTERFACES.http, given.invocation);
        return this.#fetchFrom(target, request, (signal) => either(signal, given.signal));
      },
      send: async (request, body, signal) => {
        this.#sendRequest ??= (await import('../component/request.ts')).sendRequest;
        const target = this.#target(this.#options.find(name), ENTRY_INTERFACES.http, given.invocation);
        return this.#sendRequest(target, request, body, either(signal, given.signal));
      },
    };
  }

  #givenBy(options: InvokeOptions): Given {
    return { invocation: this.#options.toGiven(options), signal: options.signal };
  }

  async #invoke(name: string, given: Given, path: string, values: readonly unknown[]): Promise<CallOutcome<unknown>> {
    if (typeof path !== 'string') throw argumentError('path', 'the name of an exported function', path);
    const entry = this.#options.find(name);
    const { definition, record } = entry;
    if (record.component !== undefined || !('prepared' in definition)) {
      this.#component ??= await import('../component/call.ts');
      const target = this.#target(entry, undefined, given.invocation);
      const exports = record.component?.exports ?? [];
      return this.#component.callExport(target, exports, path, values, given.signal);
    }
    const { exports } = definition.prepared.info;
    const invocation = { ...given.invocation, input: NO_BYTES, export: toExportCall(name, exports, path, values) };
    const { values: answers, ...outcome } = await this.#options.run(entry, invocation, given.signal);
    return answers === undefined ? outcome : { ...outcome, value: answerOf(answers) };
  }

  #valueOf(name: string, path: string, outcome: CallOutcome<unknown>): unknown {
    if ('value' in outcome) return outcome.value;
    if ('error' in outcome && this.#component !== undefined)
      throw new this.#component.ComponentError(path, outcome.error);
    throw new GuestEnded(name, outcome).toFailure();
  }

  /** A component to use by an export. @throws NebulaError ENTRY_MISMATCH */
  #target(entry: RegisteredFunction, expected: string | undefined, given: Given['invocation']): Target {
    const { name, component } = entry.record;
    if (
      component === undefined ||
      (expected !== undefined && !component.exports.some((each) => each.startsWith(expected)))
    ) {
      const other = 'prepared' in entry.definition ? 'those of a core module' : 'none: it is a native program';
      const exports = component?.exports.join(', ') ?? other;
      throw new NebulaError('ENTRY_MISMATCH', { name, expected: expected ?? 'of a component', exports });
    }
    const options = this.#options;
    const { clients, isInThread } = options;
    return {
      name,
      limits: entry.definition.limits,
      isInThread,
      clients,
      invoke: (invocation, signal) =>
        options.run(entry, given === NOTHING.invocation ? invocation : { ...given, ...invocation }, signal),
    };
  }
}

/** A signal that aborts when one of two does, of which either may be missing. */
function either(one: AbortSignal | undefined, other: AbortSignal | undefined): AbortSignal | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return AbortSignal.any([one, other]);
}
