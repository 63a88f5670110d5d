/** Runs bindings for the guests of an executor, in the thread that made it. */

import { BINDING_CODE } from '../../host/bindings/abi.ts';
import { FAILED, isBindingError } from '../../host/bindings/binding-error.ts';
import type { BindingTable, BoundFunction, OnBindingError } from '../../host/bindings/bindings.ts';
import type { RawNumber } from '../../host/bindings/raw.ts';
import { encodeError, type RawFailure } from '../../host/bindings/link.ts';
import { NO_BYTES, UTF8_ENCODER } from '../../host/bytes.ts';
import { BoundCall, type BindingCaller } from './bound-call.ts';

/** Told how a call ended, once: with an answer, or with an error as the guest reads it. */
export type OnAnswer = (bytes: Uint8Array, isError: boolean, isAtOnce: boolean) => void;

/** What an embedder gave of bindings. */
export interface BindingOptions {
  readonly table: BindingTable;
  readonly onError?: OnBindingError | undefined;
}

/** The longest message that a guest is told, in UTF-16 units. */
const LONGEST_MESSAGE = 4096;

/** A call that was started. */
interface Started {
  readonly bound: BoundFunction;
  readonly caller: BindingCaller;
  readonly call: BoundCall;
  readonly onAnswer: OnAnswer;
}

/** The calls of bindings of one executor. */
export class BoundCalls {
  readonly #options: BindingOptions;
  /** Those that answer later, by the name of the function whose guests called: those of all its versions. */
  readonly #underWay: Map<string, number> = new Map();
  /** How many bindings are on the stack now. */
  #depth = 0;

  constructor(options: BindingOptions) {
    this.#options = options;
  }

  /** Whether a binding runs at this moment, and whatever is asked is asked by it. */
  get isRunning(): boolean {
    return this.#depth > 0;
  }

  /** Runs a function for a guest. `onAnswer` is not called for a call that has ended meanwhile. */
  start(caller: BindingCaller, index: number, bytes: Uint8Array, onAnswer: OnAnswer): void {
    const { bindings = [], name, limits } = caller.definition;
    const bound = this.#options.table.get(bindings[index] ?? '');
    if (bound === undefined) {
      onAnswer(encodeError(BINDING_CODE.denied, 'no function of this name is granted'), true, true);
      return;
    }
    const underWay = this.#underWay.get(name) ?? 0;
    if (underWay >= limits.bindingCalls) {
      const message = `${limits.bindingCalls} calls of this function's guests are under way`;
      onAnswer(encodeError(BINDING_CODE.busy, message), true, true);
      return;
    }
    const started: Started = { bound, caller, call: new BoundCall(caller), onAnswer };
    let result: unknown;
    try {
      result = this.#run(started, bytes);
    } catch (error) {
      this.#fail(started, error, true);
      return;
    }
    // It may have had its own guest's call aborted.
    if (caller.isSettled) started.call.end();
    if (isThenable(result)) {
      caller.bound = started.call;
      this.#underWay.set(name, underWay + 1);
      void this.#await(started, result);
    } else this.#answer(started, result, true);
  }

  /** Runs a function of a raw binding for a guest on the stack; an object where it failed. */
  callRaw(
    caller: BindingCaller,
    binding: string,
    name: string,
    memory: Uint8Array,
    numbers: readonly RawNumber[],
  ): RawNumber | undefined | RawFailure {
    const run = this.#options.table.rawOf(binding)?.functions[name];
    if (run === undefined) return { message: ': it is gone' };
    const call = new BoundCall(caller);
    this.#depth++;
    try {
      const result: unknown = run(call.withMemory(memory), ...(numbers as never[]));
      if (result === undefined || typeof result === 'number' || typeof result === 'bigint') return result;
      // Nobody waits for it, nor hears how it fails.
      if (isThenable(result)) void Promise.resolve(result).catch(() => undefined);
      throw new TypeError(`${binding}.${name} answered ${typeof result}: expected a number, a bigint or nothing`);
    } catch (error) {
      if (isBindingError(error)) return { message: `: ${error.message.slice(0, LONGEST_MESSAGE)}` };
      this.#tell(`${binding}.${name}`, call, error);
      return { message: '' };
    } finally {
      this.#depth--;
    }
  }

  #run({ bound, call }: Started, bytes: Uint8Array): unknown {
    this.#depth++;
    try {
      return bound.run(bytes, call);
    } finally {
      this.#depth--;
    }
  }

  async #await(started: Started, result: PromiseLike<unknown>): Promise<void> {
    const { caller, call } = started;
    const { name } = caller.definition;
    let answer: () => void;
    try {
      const value = await result;
      answer = () => this.#answer(started, value, false);
    } catch (error) {
      answer = () => this.#fail(started, error, false);
    }
    const left = (this.#underWay.get(name) ?? 1) - 1;
    if (left > 0) this.#underWay.set(name, left);
    else this.#underWay.delete(name);
    if (caller.bound === call) caller.bound = undefined;
    answer();
  }

  #answer(started: Started, value: unknown, isAtOnce: boolean): void {
    const { bound, caller, call, onAnswer } = started;
    const bytes = toBytes(value);
    if (bytes === undefined) {
      const got = value === null ? 'null' : typeof value;
      const error = new TypeError(`${bound.name} answered ${got}: expected a Uint8Array, a string or nothing`);
      this.#fail(started, error, isAtOnce);
      return;
    }
    if (call.isOver) return;
    const most = caller.definition.limits.bindingAnswerBytes;
    if (bytes.length <= most) onAnswer(bytes, false, isAtOnce);
    else {
      const message = `an answer has ${most} bytes at most, got ${bytes.length}`;
      onAnswer(encodeError(BINDING_CODE.tooLarge, message), true, isAtOnce);
    }
  }

  #fail({ bound, call, onAnswer }: Started, error: unknown, isAtOnce: boolean): void {
    const isMeant = isBindingError(error);
    if (!isMeant) this.#tell(bound.name, call, error);
    if (call.isOver) return;
    const message = isMeant ? error.message.slice(0, LONGEST_MESSAGE) : 'the binding failed';
    onAnswer(encodeError(isMeant ? error.code : FAILED, message), true, isAtOnce);
  }

  #tell(name: string, { functionName, callId, caller }: BoundCall, error: unknown): void {
    try {
      this.#options.onError?.(error, { binding: name, functionName, callId, caller });
    } catch {
      // What is told of failures fails no call.
    }
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

function toBytes(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return UTF8_ENCODER.encode(value);
  return value === undefined ? NO_BYTES : undefined;
}
