/** Calls of bindings where guests and bindings have the same thread. */

import type { BindingLink, PendingCall, Request } from '../../host/bindings/link.ts';
import { NO_BYTES } from '../../host/bytes.ts';
import type { BindingCaller, BoundCall } from '../bindings/bound-call.ts';
import type { BoundCalls } from '../bindings/bound-calls.ts';

/** Finds the call whose guest runs, by the number that it is kept under; 0 is one that nobody can suspend. */
export type FindCaller = (run: number) => BindingCaller | undefined;

/** A call, which is answered at once or when its guest is suspended. */
class LocalCall implements PendingCall {
  readonly isOwn = false;
  isError = false;
  seen = 0;
  cells: Int32Array = NO_CELLS;
  readonly #calls: BoundCalls;
  #answer: Uint8Array | undefined = undefined;
  /** What its guest waits for. */
  #expected: BoundCall | undefined = undefined;

  constructor(calls: BoundCalls) {
    this.#calls = calls;
  }

  isAnswered(): boolean {
    return this.#answer !== undefined;
  }

  /** Its guest waits from now on, if it can. */
  expect(call: BoundCall | undefined): void {
    this.#expected = call;
    this.cells = new Int32Array(new SharedArrayBuffer(4));
  }

  answer(bytes: Uint8Array, isError: boolean): void {
    this.#answer = bytes;
    this.isError = isError;
    if (this.cells === NO_CELLS) return;
    Atomics.store(this.cells, 0, 1);
    Atomics.notify(this.cells, 0);
  }

  get length(): number {
    return this.#answer?.length ?? 0;
  }

  take(): Uint8Array {
    return this.#answer ?? NO_BYTES;
  }

  forget(): void {
    if (this.#expected !== undefined) this.#calls.abandon(this.#expected);
  }
}

const NO_CELLS: Int32Array = new Int32Array(new SharedArrayBuffer(4));

/** Runs bindings on the stack of the guest that calls them. */
export function createLocalLink(calls: BoundCalls, find: FindCaller): BindingLink {
  return {
    start(run: number, index: number, _name: string, { memory, pointer, length }: Request): PendingCall | undefined {
      const caller = find(run);
      if (caller === undefined) return undefined;
      const pending = new LocalCall(calls);
      const bytes = memory.slice(pointer, pointer + length);
      const call = calls.start(caller, index, bytes, (answer, isError) => pending.answer(answer, isError));
      if (!pending.isAnswered()) pending.expect(call);
      return pending;
    },
    callRaw(run, binding, name, memory, numbers) {
      const caller = find(run);
      return caller === undefined ? { message: '' } : calls.callRaw(caller, binding, name, memory, numbers);
    },
  };
}
