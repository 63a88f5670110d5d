/** Bindings: functions of the embedder's that guests call. They run in the thread that called `createNebula`. */

import { argumentError } from '../errors.ts';
import type { BindingContext } from './context.ts';
import { BINDING_NAME, FUNCTION_NAME } from './names.ts';
import { isRawBinding, type RawBinding } from './raw.ts';

/** What a binding may answer; text is UTF-8, and nothing is no bytes. */
export type BindingAnswer = Uint8Array | string | undefined | void;

/** One function of a binding. The bytes are its own. What it throws is an error for the guest: see `BindingError`. */
export type BindingFunction = (bytes: Uint8Array, context: BindingContext) => BindingAnswer | Promise<BindingAnswer>;

/** Functions by name, or imports as they are, of each binding by its name. */
export type Bindings = Readonly<Record<string, Readonly<Record<string, BindingFunction>> | RawBinding>>;

/** Told of what a binding threw that was no BindingError, or answered that is no answer. */
export type OnBindingError = (
  error: unknown,
  where: Omit<BindingContext, 'signal'> & { readonly binding: string },
) => void;

/** One function, as `binding.function`. */
export interface BoundFunction {
  readonly name: string;
  readonly run: BindingFunction;
  /** Whether it is declared as one that answers later; one that is not may do so all the same. */
  readonly isAsync: boolean;
}

/** The bindings that an embedder gave, as they were then. */
export class BindingTable {
  readonly #bindings: Map<string, readonly BoundFunction[]> = new Map();
  readonly #raw: Map<string, RawBinding> = new Map();
  readonly #functions: Map<string, BoundFunction> = new Map();

  /** @throws TypeError for a name or a function that is none */
  constructor(bindings: Bindings = {}) {
    for (const [name, functions] of Object.entries(bindings)) this.#add(name, functions);
  }

  /** Names of the bindings, in order. */
  get names(): readonly string[] {
    return [...this.#bindings.keys(), ...this.#raw.keys()].sort();
  }

  /** The functions of a binding; undefined where there is none. */
  of(name: string): readonly BoundFunction[] | undefined {
    return this.#bindings.get(name);
  }

  /** A binding of imports as they are. */
  rawOf(name: string): RawBinding | undefined {
    return this.#raw.get(name);
  }

  /** A function by its whole name. */
  get(name: string): BoundFunction | undefined {
    return this.#functions.get(name);
  }

  #add(name: string, functions: unknown): void {
    const what = `options.bindings.${name}`;
    if (!new RegExp(BINDING_NAME).test(name))
      throw argumentError(what, 'a name of 1 to 64 of a-z 0-9 - that begins with a letter', name);
    if (isRawBinding(functions)) {
      this.#raw.set(name, functions);
      return;
    }
    if (typeof functions !== 'object' || functions === null || Array.isArray(functions))
      throw argumentError(what, 'an object of functions', functions);
    const entries = Object.entries(functions as Readonly<Record<string, unknown>>);
    if (entries.length === 0) throw argumentError(what, 'an object with a function of its own', 'nothing');
    const bound = entries.map(([key, run]): BoundFunction => {
      if (!new RegExp(FUNCTION_NAME).test(key))
        throw argumentError(what, 'functions named with 1 to 64 of a-z A-Z 0-9 _ - that begin with a letter', key);
      if (typeof run !== 'function') throw argumentError(`${what}.${key}`, 'a function', run);
      return {
        name: `${name}.${key}`,
        run: (run as BindingFunction).bind(functions),
        isAsync: run.constructor.name === 'AsyncFunction',
      };
    });
    this.#bindings.set(name, bound);
    for (const each of bound) this.#functions.set(each.name, each);
  }
}
