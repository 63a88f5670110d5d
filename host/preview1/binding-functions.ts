/** `nebula.call` and `nebula.read`, as a core module imports them. */

import { NO_BYTES, UTF8_DECODER } from '../bytes.ts';
import type { Context } from './context.ts';
import type { HostFunctions } from './abi.ts';
import { waitBlocked } from '../wasi/session/blocked-thread.ts';
import type { Suspension } from '../waiting/suspension.ts';
import { BINDING_CODE } from '../bindings/abi.ts';
import { COPY_BY_HAND_BYTES, encodeError, type GrantedBindings, type PendingCall } from '../bindings/link.ts';
import { LONGEST_NAME_BYTES } from '../bindings/names.ts';

/** What `read` answers where the bytes do not fit into the guest's memory. */
const FAULT = -1;
/** Bytes that are moved for one unit. */
const BYTES_PER_UNIT = 32;
/** Bytes for answers that a guest keeps from call to call; what is longer is kept until its call ends. */
const KEPT_BYTES = 1024;
/** Longest single wait, as everywhere. */
const LONGEST_WAIT_MS = 60_000;

/** The calls of one guest. */
export class BindingFunctions {
  readonly imports: HostFunctions;
  readonly #context: Context;
  readonly #granted: GrantedBindings;
  readonly #suspension: Suspension | undefined;
  readonly #indices: ReadonlyMap<string, number>;
  /** What the last call came to, until the next. */
  #answer: Uint8Array = NO_BYTES;
  #answerBytes = 0;
  /** Where answers are kept, one after the other. */
  #kept: Uint8Array = NO_BYTES;
  /** The call of the guest, as whoever runs bindings knows it. */
  #run = 0;
  /** The name that was called last, in its bytes: most guests call the same again. */
  #lastName: Uint8Array = NO_BYTES;
  #lastIndex = -1;

  constructor(context: Context, granted: GrantedBindings, suspension: Suspension | undefined) {
    this.#context = context;
    this.#granted = granted;
    this.#suspension = suspension;
    this.#indices = new Map(granted.functions.map((name, index) => [name, index]));
    this.imports = {
      call: (name: number, nameBytes: number, request: number, requestBytes: number) =>
        this.#call(name >>> 0, nameBytes >>> 0, request >>> 0, requestBytes >>> 0),
      read: (target: number, mostBytes: number, offset: number) =>
        this.#read(target >>> 0, mostBytes >>> 0, offset >>> 0),
    };
  }

  /** The number that the guest's call is kept under. */
  get run(): number {
    return this.#run;
  }

  /** Another call of the guest begins, kept under the number `run`. */
  begin(run: number): void {
    this.#run = run;
  }

  /** Lets go of the last answer. */
  end(): void {
    this.#forgetAnswer();
    if (this.#kept.length > KEPT_BYTES) this.#kept = NO_BYTES;
  }

  #forgetAnswer(): void {
    this.#answer = NO_BYTES;
    this.#answerBytes = 0;
  }

  #call(name: number, nameBytes: number, request: number, requestBytes: number): number | Promise<number> {
    const context = this.#context;
    const { memory, options } = context;
    context.enter();
    this.#forgetAnswer();
    if (!memory.holds(name, nameBytes) || !memory.holds(request, requestBytes))
      return this.#fail(BINDING_CODE.fault, 'the name or the request is not within the memory');
    const index = this.#indexOf(name, nameBytes);
    const { functions, link } = this.#granted;
    const known = functions[index];
    if (known === undefined) return this.#deny();
    if (link === undefined) throw context.stop(beforeSnapshot(known));
    const mostBytes = options.limits.bindingRequestBytes;
    if (requestBytes > mostBytes)
      return this.#fail(BINDING_CODE.tooLarge, `a request has ${mostBytes} bytes at most, got ${requestBytes}`);
    context.spend(requestBytes / BYTES_PER_UNIT);
    const isBlocking = this.#suspension === undefined;
    // Its processor time is not the guest's where it runs in the same thread.
    options.account?.rest();
    const what = { memory: memory.bytes, pointer: request, length: requestBytes, isBlocking };
    const pending = link.start(this.#run, index, known, what);
    options.account?.resume();
    if (pending === undefined) return this.#fail(BINDING_CODE.busy, 'too many calls are under way');
    if (pending.isAnswered()) return this.#settle(pending);
    return this.#suspension === undefined ? this.#block(pending) : this.#suspend(this.#suspension, pending);
  }

  /** Whatever it was: the name of a function that is not there is no more than one that is not granted. */
  #deny(): number {
    this.#context.deny('bindings');
    return this.#fail(BINDING_CODE.denied, 'no function of this name is granted');
  }

  /** -1 where no such function is granted. */
  #indexOf(pointer: number, length: number): number {
    if (length === 0 || length > LONGEST_NAME_BYTES) return -1;
    const { bytes } = this.#context.memory;
    const last = this.#lastName;
    if (length === last.length) {
      let at = 0;
      while (at < length && bytes[pointer + at] === last[at]) at++;
      if (at === length) return this.#lastIndex;
    }
    // A copy: no view of shared memory is decoded, and the guest may write over its own.
    const name = bytes.slice(pointer, pointer + length);
    const index = this.#indices.get(UTF8_DECODER.decode(name)) ?? -1;
    if (index >= 0) [this.#lastName, this.#lastIndex] = [name, index];
    return index;
  }

  #block(pending: PendingCall): number {
    const { account } = this.#context.options;
    const { signal } = pending;
    if (signal === undefined) {
      pending.forget();
      return this.#fail(BINDING_CODE.unsuspendable, 'the binding answers later, and this guest cannot wait for it');
    }
    for (;;) {
      // What is told before this is seen below, and what is told after it ends the wait.
      const seen = Atomics.load(signal, 0);
      this.#stopIfOver(pending);
      if (pending.isAnswered()) return this.#settle(pending);
      const leftMs = Math.max(0, Math.min(account?.leftMs ?? LONGEST_WAIT_MS, LONGEST_WAIT_MS));
      waitBlocked(signal, 0, seen, leftMs);
    }
  }

  async #suspend(suspension: Suspension, pending: PendingCall): Promise<number> {
    try {
      while (!pending.isAnswered()) {
        // Its deadline is of whoever may drop it.
        await suspension.changed(pending.cells, pending.seen, Infinity);
        this.#stopIfOver();
      }
    } catch (thrown) {
      pending.forget();
      throw thrown;
    }
    return this.#settle(pending);
  }

  #stopIfOver(pending?: PendingCall): void {
    const ending = this.#context.options.account?.check();
    if (ending === undefined) return;
    pending?.forget();
    throw this.#context.stop(ending);
  }

  #settle(pending: PendingCall): number {
    const { isError, length } = pending;
    if (this.#kept.length === 0 && length > 0) this.#kept = new Uint8Array(KEPT_BYTES);
    this.#answer = pending.take(this.#kept);
    if (pending.isOwn) this.#kept = this.#answer;
    this.#answerBytes = length;
    return isError ? ~length : length;
  }

  #fail(code: string, message: string): number {
    this.#answer = encodeError(code, message);
    this.#answerBytes = this.#answer.length;
    return ~this.#answer.length;
  }

  #read(target: number, mostBytes: number, offset: number): number {
    const context = this.#context;
    const { memory } = context;
    context.enter();
    const answer = this.#answer;
    const count = Math.max(0, Math.min(mostBytes, this.#answerBytes - offset));
    if (!memory.holds(target, count)) return FAULT;
    context.spend(count / BYTES_PER_UNIT);
    const { bytes } = memory;
    if (count > COPY_BY_HAND_BYTES) bytes.set(answer.subarray(offset, offset + count), target);
    else for (let at = 0; at < count; at++) bytes[target + at] = answer[offset + at] as number;
    return count;
  }
}

function beforeSnapshot(name: string) {
  const message = `the binding ${name} was called before the snapshot, which must not hold an answer`;
  return { kind: 'trap', reason: 'other', message } as const;
}
