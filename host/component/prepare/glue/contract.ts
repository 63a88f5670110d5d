/** What glue and whoever runs it agree on: the names it is given, and what it answers. */

import type { Imports } from '../../world/interfaces.ts';

/** Called in a computed access whose key is not known: it lets no key through that leads to what made an object. */
export const READ_GUARD = '$key';
/** The same where something is written. */
export const WRITE_GUARD = '$slot';
/** Gives a class of the glue's own a method: `$method(Class, 'name', function)`. */
export const METHOD_GUARD = '$method';

/** The property of a function of the glue's for core modules: its parameters, a letter each, where its guest may have to wait in it (waiting-imports.ts). */
export const MAY_WAIT = '_jcoMaySuspend';

/** The name under which the glue has a `LiftLower`. */
export const LIFT_LOWER = '$values';

/** A guest's `realloc`: new memory of a size and an alignment when the old pointer and size are 0. */
export type Realloc = (pointer: number, sizeBytes: number, align: number, newBytes: number) => number;

/** A string in a guest's memory; `len` is in bytes of UTF-8, or in code units of UTF-16. */
export interface Lowered {
  readonly ptr: number;
  readonly len: number;
}

/** Lifts values of one kind, and counts what they take of the host. */
export interface Lifts {
  utf8(memory: WebAssembly.Memory, pointer: number, length: number): string;
  utf16(memory: WebAssembly.Memory, pointer: number, length: number): string;
  /** A copy of a list of numbers of `sizeBytes` each. */
  numbers(memory: WebAssembly.Memory, pointer: number, length: number, sizeBytes: number): ArrayBuffer;
  /** Counts a list of `length` elements, before they are made, each of which takes `weightBytes`. */
  list(length: number, weightBytes: number): void;
}

/** Pairs of a scope and a representation; the first pair is the list of free ones. Source: jco, `rscTableCreateOwn`. */
export interface HandleTable extends ReadonlyArray<unknown> {
  readonly _createdReps?: ReadonlySet<unknown>;
}

/** What stands for the task of a call into the host: each does nothing, since such a call answers at once. */
export interface HostTask {
  enterSync(): void;
  componentIdx(): number;
  id(): number;
  getParentSubtask(): undefined;
  setErrored(error: unknown): void;
  reject(error: unknown): void;
  resolve(results: readonly unknown[]): void;
  exit(): void;
}

/** What rewritten glue calls in place of jco's own code (bounded-glue.ts): vm/lift-lower.ts has it. */
export interface LiftLower {
  /** Arguments of host functions. */
  readonly argument: Lifts;
  /** Results of exported functions. */
  readonly result: Lifts;
  lowerUtf8(text: unknown, realloc: Realloc, memory: WebAssembly.Memory): Lowered;
  lowerUtf16(text: unknown, realloc: Realloc, memory: WebAssembly.Memory): Lowered;
  /** The bytes of a list of numbers. Throws where its elements are not of the size that its type says. */
  bytesOf(value: ArrayBuffer | ArrayBufferView, sizeBytes: number): Uint8Array;
  /** Whether the call of a core module that an exported function is about to make is somebody else's to make (split-exports.ts). */
  isSplit(): boolean;
  /**
   * Gives that call away. `call` makes it, and `conclude` lifts what it answered, which is then what the exported function has
   * to answer or to throw.
   */
  split(call: () => unknown, conclude: (answer: unknown) => unknown): void;
  /** The task of every call into the host (direct-calls.ts). */
  readonly task: HostTask;
  /** A host function is called: its arguments are counted from here. */
  begin(): void;
  /** Ends a guest whose handle is of no resource. */
  unknownHandle(): never;
  /** Ends a guest that gives up a handle that it has not. */
  requireHandle(table: HandleTable, handle: number): void;
  /** Ends a guest that has more handles of one kind than it may hold resources. */
  countHandle(table: HandleTable): void;
  /** Ends the guest; the glue throws what this answers. */
  trap(message: string): Error;
}

/** Exported functions, and interfaces of such by name, with versions. */
export type Exports = Readonly<Record<string, unknown>>;

/** Links the core modules of a component with what it imports, and answers what it exports. */
export interface Instantiate {
  (
    getCoreModule: (file: string) => WebAssembly.Module,
    imports: Imports,
    instantiateCore: (module: WebAssembly.Module, imports: WebAssembly.Imports) => WebAssembly.Instance,
    values: LiftLower,
  ): Exports;
  /** Puts the state back that it had when it had linked, whose exports and imports stay; of glue whose shape lets it. */
  readonly renew?: () => void;
}

/**
 * Makes the glue of one instance. Its `instantiate` may be called again, for a state that is fresh: nothing but functions
 * and classes is left of the one before.
 */
export type GlueFactory = () => Instantiate;
