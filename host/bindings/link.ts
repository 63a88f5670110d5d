/** How a guest's call of a binding reaches whoever runs bindings, and how its answer comes back. */

import type { RawImport, RawNumber } from './raw.ts';

/** A call under way; it is used again for a later one once it was taken or forgotten. */
export interface PendingCall {
  /** Whether the answer is there. */
  isAnswered(): boolean;
  /** One cell, which changes from `seen` when the answer is there, or when there is something to look at before. */
  readonly cells: Int32Array;
  readonly seen: number;
  /**
   * What a guest waits on with its thread: its first cell changes when there may be something, and when the guest is to
   * stop. Whoever waits reads it first, looks at both, and waits then. Absent where nobody could answer meanwhile.
   */
  readonly signal?: Int32Array;
  /** Whether it came to an answer, not to an error. */
  readonly isError: boolean;
  /** Bytes of the answer, or of the error's code, a line feed and its message. */
  readonly length: number;
  /** Those bytes at the beginning of `kept` where they fit, else of another array; a call is over with that. */
  take(kept: Uint8Array): Uint8Array;
  /** Whether nobody else has that other array, so that it can be `kept` from then on. */
  readonly isOwn: boolean;
  /** The guest has ended: an answer is not wanted any more. */
  forget(): void;
}

/** Where calls go. */
export interface BindingLink {
  /**
   * Starts the call of a function by its index and name, of the guest's call that is kept under the number `run`. The
   * request is `length` bytes from `pointer` of `memory`, which are copied. Undefined where too many are under way.
   */
  start(run: number, index: number, name: string, request: Request): PendingCall | undefined;
  /**
   * Runs a function of a raw binding, where guests and bindings have the same thread. An object where it failed, with what
   * the guest's trap says of that.
   */
  callRaw?(
    run: number,
    binding: string,
    name: string,
    memory: Uint8Array,
    numbers: readonly RawNumber[],
  ): RawNumber | undefined | RawFailure;
}

/** How a function of a raw binding failed, in words that go behind others; nothing where the guest is told nothing. */
export interface RawFailure {
  readonly message: string;
}

/** A request in the guest's memory. */
export interface Request {
  readonly memory: Uint8Array;
  readonly pointer: number;
  readonly length: number;
  /** Whether the guest waits with its thread. */
  readonly isBlocking: boolean;
}

/** What a guest is given of bindings. */
export interface GrantedBindings {
  /** Names of the functions that it may call, as `binding.function`; their places are their indices. */
  readonly functions: readonly string[];
  /** Functions that it imports as they are. */
  readonly raw: readonly RawImport[];
  /** Absent before the snapshot, where none can be called. */
  readonly link?: BindingLink | undefined;
}

/** Bytes up to this many are copied one by one: cheaper than a view made for `set`. */
export const COPY_BY_HAND_BYTES = 48;

/** Copies `length` bytes from `from` of `source` to the beginning of `target`. */
export function copyBytes(source: Uint8Array, from: number, length: number, target: Uint8Array): void {
  if (length > COPY_BY_HAND_BYTES) target.set(source.subarray(from, from + length));
  else for (let at = 0; at < length; at++) target[at] = source[from + at] as number;
}

/** An error as a guest reads it. */
export function encodeError(code: string, message: string): Uint8Array {
  return Buffer.from(`${code}\n${message}`);
}

/** What a guest is given of the functions that its definition names; without a `link` none can be called. */
export function grantedBindings(
  { bindings, raw }: { readonly bindings?: readonly string[]; readonly raw?: readonly RawImport[] },
  link?: BindingLink,
): GrantedBindings | undefined {
  if (bindings === undefined && raw === undefined) return undefined;
  return { functions: bindings ?? [], raw: raw ?? [], link };
}
