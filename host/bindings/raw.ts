/** Bindings that are imports of a module as they are: functions of numbers, with a view of the guest's memory. */

import { argumentError } from '../errors.ts';
import { BINDING_NAMESPACE } from './abi.ts';
import type { BindingContext } from './context.ts';

/** A number of WebAssembly: a bigint stands for an i64. */
export type RawNumber = number | bigint;

/** What such a function is told, besides the numbers that it is called with. */
export interface RawGuest extends BindingContext {
  /** All the guest's memory, as long as the function runs: what is kept of it later is another call's, or nobody's. */
  readonly memory: Uint8Array;
}

/** One such function. It answers at once; what it throws ends its guest with a trap. */
export type RawFunction = (guest: RawGuest, ...numbers: never[]) => RawNumber | void;

/** Functions by the names that a module imports them under. */
export interface RawBinding {
  /** The module that they are imported from. */
  readonly module: string;
  readonly functions: Readonly<Record<string, RawFunction>>;
}

/** A function as a module imports it, with the binding that has it. */
export interface RawImport {
  readonly module: string;
  readonly name: string;
  readonly binding: string;
  /** The letter of its result's type in the module: `I` is an i64, another one a number; empty where it has none. */
  readonly result: string;
}

const BRAND: symbol = Symbol.for('nebula.raw-binding');

/** Modules whose functions are Nebula's own. */
const TAKEN: readonly string[] = [BINDING_NAMESPACE, 'wasi_snapshot_preview1', 'wasi_unstable'];

/**
 * A binding of functions that modules import as `module.name`, for guests in the caller's own thread.
 * @example
 * createNebula({ executor: 'in-thread', bindings: { math: rawBinding('env', { twice: (guest, value: number) => 2 * value }) } });
 * @throws TypeError for what is no module's name or no function
 */
export function rawBinding(module: string, functions: Readonly<Record<string, RawFunction>>): RawBinding {
  if (typeof module !== 'string' || module === '' || TAKEN.includes(module))
    throw argumentError('module', `the name of a module other than ${TAKEN.join(', ')}`, module);
  if (typeof functions !== 'object' || functions === null)
    throw argumentError('functions', 'an object of functions', functions);
  const entries = Object.entries(functions);
  if (entries.length === 0) throw argumentError('functions', 'an object with a function of its own', 'nothing');
  for (const [name, run] of entries) {
    if (typeof run !== 'function') throw argumentError(`functions.${name}`, 'a function', run);
    if (run.constructor.name === 'AsyncFunction')
      throw argumentError(`functions.${name}`, 'a function that answers at once', 'an async function');
  }
  return Object.defineProperty({ module, functions: Object.fromEntries(entries) }, BRAND, { value: true });
}

/** Tells what `rawBinding` made by its brand. */
export function isRawBinding(value: unknown): value is RawBinding {
  return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[BRAND] === true;
}
