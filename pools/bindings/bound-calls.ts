/** Runs bindings for the guests of an executor, in the thread that made it. */

import { BINDING_CODE } from '../../host/bindings/abi.ts';
import { FAILED, meantFor } from '../../host/bindings/binding-error.ts';
import type { BindingTable, BoundFunction, OnBindingError } from '../../host/bindings/bindings.ts';
import type { RawNumber } from '../../host/bindings/raw.ts';
import { encodeError, type RawFailure } from '../../host/bindings/link.ts';
import { answerBytes, isThenable } from './answer.ts';
import { BoundCall, type BindingCaller, ToldCall, ToldGuest } from './bound-call.ts';

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
  readonly call: BoundCall;
  readonly onAnswer: OnAnswer;
}

/**
 * The calls of bindings of one executor. Whatever of the embedder's code does, nothing is thrown here: there is a guest on
 * the stack, or the loop that listens to guests.
 */
export class BoundCalls {
  readonly #options: BindingOptions;
  /** Those that answer later, by the name of the function whose guests called: those of all its versions. */
  readonly #underWay: Map<string, number> = new Map();
  /** How often code of the embedder's is on the stack now, above that of a guest in thread. */
  #depth = 0;

  constructor(options: BindingOptions) {
    this.#options = options;
  }

  /** Whether code of the embedder's runs on a guest's stack at this moment, and whatever is asked is asked by it. */
  get isRunning(): boolean {
    return this.#depth > 0;
  }

  /**
   * Runs a function for a guest. `onAnswer` is not called for a call that has ended meanwhile.
   * @returns the call, where its answer comes later
   */
  start(caller: BindingCaller, index: number, bytes: Uint8Array, onAnswer: OnAnswer): BoundCall | undefined {
    const { bindings = [], name, limits } = caller.definition;
    const bound = this.#options.table.get(bindings[index] ?? '');
    if (bound === undefined) {
      onAnswer(encodeError(BINDING_CODE.denied, 'no function of this name is granted'), true, true);
      return undefined;
    }
    if ((this.#underWay.get(name) ?? 0) >= limits.bindingCalls) {
      const message = `${limits.bindingCalls} calls of this function's guests are under way`;
      onAnswer(encodeError(BINDING_CODE.busy, message), true, true);
      return undefined;
    }
    const started: Started = { bound, call: new BoundCall(caller), onAnswer };
    this.#depth++;
    try {
      return this.#run(started, bytes);
    } catch (error) {
      this.#fail(started, error, true);
      return undefined;
    } finally {
      this.#depth--;
    }
  }

  /** Nobody waits for the answer of a call any more. */
  abandon(call: BoundCall): void {
    this.#depth++;
    try {
      call.end();
    } finally {
      this.#depth--;
    }
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
      const result: unknown = run(new ToldGuest(call, memory), ...(numbers as never[]));
      if (result === undefined || typeof result === 'number' || typeof result === 'bigint') return result;
      // Nobody waits for it, nor hears how it fails.
      if (isThenable(result)) void Promise.resolve(result).catch(() => undefined);
      throw new TypeError(`${binding}.${name} answered ${typeof result}: expected a number, a bigint or nothing`);
    } catch (error) {
      const meant = meantFor(error);
      if (meant !== undefined) return { message: `: ${meant.message.slice(0, LONGEST_MESSAGE)}` };
      this.#tell(`${binding}.${name}`, call, error);
      return { message: '' };
    } finally {
      this.#depth--;
    }
  }

  #run(started: Started, bytes: Uint8Array): BoundCall | undefined {
    const { bound, call } = started;
    const result: unknown = bound.run(bytes, new ToldCall(call));
    // It may have had its own guest's call aborted.
    if (call.caller.isSettled) call.end();
    if (!isThenable(result)) {
      this.#answer(started, result, true);
      return undefined;
    }
    const { name } = call.caller.definition;
    call.caller.bound = call;
    this.#underWay.set(name, (this.#underWay.get(name) ?? 0) + 1);
    void this.#await(started, result);
    return call;
  }

  async #await(started: Started, result: PromiseLike<unknown>): Promise<void> {
    const { call } = started;
    const { name } = call.caller.definition;
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
    if (call.caller.bound === call) call.caller.bound = undefined;
    answer();
  }

  #answer(started: Started, value: unknown, isAtOnce: boolean): void {
    const { bound, call, onAnswer } = started;
    const most = call.caller.definition.limits.bindingAnswerBytes;
    let answer: Uint8Array | number;
    try {
      answer = answerBytes(bound.name, value, most);
    } catch (error) {
      this.#fail(started, error, isAtOnce);
      return;
    }
    if (call.isOver) return;
    if (typeof answer !== 'number') onAnswer(answer, false, isAtOnce);
    else {
      const message = `an answer has ${most} bytes at most, got ${answer}`;
      onAnswer(encodeError(BINDING_CODE.tooLarge, message), true, isAtOnce);
    }
  }

  #fail({ bound, call, onAnswer }: Started, error: unknown, isAtOnce: boolean): void {
    const meant = meantFor(error);
    if (meant === undefined) this.#tell(bound.name, call, error);
    if (call.isOver) return;
    const { code, message } = meant ?? { code: FAILED, message: 'the binding failed' };
    onAnswer(encodeError(code, message.slice(0, LONGEST_MESSAGE)), true, isAtOnce);
  }

  #tell(binding: string, { caller: { definition, callId, invocation } }: BoundCall, error: unknown): void {
    const where = { binding, functionName: definition.name, callId, caller: invocation.caller };
    try {
      const told: unknown = this.#options.onError?.(error, where);
      // What is told of failures fails no call, nor the process, later either.
      if (isThenable(told)) told.then(undefined, () => undefined);
    } catch {
      // Nor at once.
    }
  }
}
