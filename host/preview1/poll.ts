/**
 * `poll_oneoff`: waits until a clock has run out: suspended where the guest can be, else with its thread. Descriptors are
 * always ready: a call that asks about one is answered at once, together with the clocks that have run out by then.
 */

import { CLOCKID } from '../wasi/clock-id.ts';
import { ERRNO } from '../wasi/errno.ts';
import { waitBlocked } from '../wasi/session/blocked-thread.ts';
import { InputBuffer } from '../wasi/session/stdio.ts';
import type { Suspension } from '../waiting/suspension.ts';
import { type AbiVariant, EVENTRW_HANGUP, EVENTTYPE, type HostFunctions, SIZE, SUBCLOCK_ABSTIME } from './abi.ts';
import type { Context } from './context.ts';
import { RIGHTS } from './rights.ts';

const NS_PER_MS = 1e6;
/** Longest single wait: `Atomics.wait` counts in doubles, a guest in u64. */
const LONGEST_WAIT_MS = 60_000;
/** Units of a subscription, and how many are looked at before a guest that counts units is asked about. */
const SUBSCRIPTION_UNITS = 32;
const COUNT_UNASKED = 1024;
const NEVER = 2n ** 64n;

/** Nobody else has it, so a wait on it ends with its timeout. */
const CELL: Int32Array = new Int32Array(new SharedArrayBuffer(4));

/** `poll_oneoff`. Source: WASI preview1, docs.md#poll_oneoff. */
export function createPollFunctions(context: Context, variant: AbiVariant, suspension?: Suspension): HostFunctions {
  const poll = new Poll(context, variant, suspension);
  return {
    poll_oneoff: (subscriptions: number, events: number, count: number, stored: number): number | Promise<number> => {
      context.enter();
      return poll.run(subscriptions >>> 0, events >>> 0, count >>> 0, stored >>> 0);
    },
  };
}

class Poll {
  readonly #context: Context;
  readonly #variant: AbiVariant;
  readonly #suspension: Suspension | undefined;
  #events = 0;
  #stored = 0;
  /** When the call began, by the clock that waiting is measured with. */
  #startNs = 0n;
  /** Time from the start to the earliest clock, of those not run out yet. */
  #earliestNs: bigint = NEVER;

  constructor(context: Context, variant: AbiVariant, suspension: Suspension | undefined) {
    this.#context = context;
    this.#variant = variant;
    this.#suspension = suspension;
  }

  run(subscriptions: number, events: number, count: number, stored: number): number | Promise<number> {
    const memory = this.#context.memory;
    if (count === 0) return ERRNO.inval;
    if (!memory.holds(subscriptions, count * this.#variant.subscriptionBytes)) return ERRNO.fault;
    if (!memory.holds(events, count * SIZE.event) || !memory.holds(stored, 4)) return ERRNO.fault;
    this.#context.spend(count * SUBSCRIPTION_UNITS);
    for (let i = 0; i < count; i++) {
      const tag = memory.bytes[subscriptions + i * this.#variant.subscriptionBytes + 8] as number;
      if (tag > EVENTTYPE.fdWrite) return ERRNO.inval;
    }
    this.#events = events;
    this.#startNs = process.hrtime.bigint();
    // A copy: absolute times are settled once, and events may be written over their subscriptions.
    const wanted = memory.bytes.slice(subscriptions, subscriptions + count * this.#variant.subscriptionBytes);
    const view = new DataView(wanted.buffer);
    if (!this.#namesAnything(view, count)) return ERRNO.badf;
    this.#makeRelative(view, count);
    for (;;) {
      this.#collect(view, count);
      if (this.#stored > 0) return this.#tell(stored);
      if (this.#suspension !== undefined) return this.#suspend(this.#suspension, view, count, stored);
      this.#wait(this.#waitMs());
    }
  }

  #wait(waitMs: number): void {
    if (waitMs <= 0) return;
    const { account } = this.#context.options;
    if (account === undefined) {
      waitBlocked(CELL, 0, 0, waitMs);
      return;
    }
    account.sleep(waitMs);
    this.#stopIfOver();
  }

  #stopIfOver(): void {
    const ending = this.#context.options.account?.check();
    if (ending !== undefined) throw this.#context.stop(ending);
  }

  async #suspend(suspension: Suspension, view: DataView, count: number, stored: number): Promise<number> {
    while (this.#stored === 0) {
      await suspension.sleep(this.#waitMs());
      this.#stopIfOver();
      this.#collect(view, count);
    }
    return this.#tell(stored);
  }

  #tell(stored: number): number {
    this.#context.memory.view.setUint32(stored, this.#stored, true);
    return ERRNO.success;
  }

  /** Whether a subscription is about a clock or an open descriptor: where none is, the call itself fails. */
  #namesAnything(view: DataView, count: number): boolean {
    for (let i = 0; i < count; i++) {
      const at = i * this.#variant.subscriptionBytes;
      if (view.getUint8(at + 8) === EVENTTYPE.clock) return true;
      if (this.#context.table.get(view.getUint32(at + 16, true)) !== undefined) return true;
    }
    return false;
  }

  /** Replaces each absolute timeout by the time left until it. */
  #makeRelative(view: DataView, count: number): void {
    for (let i = 0; i < count; i++) {
      if (i % COUNT_UNASKED === COUNT_UNASKED - 1) this.#context.ask();
      const at = i * this.#variant.subscriptionBytes;
      const clock = at + this.#variant.clockOffset;
      if (view.getUint8(at + 8) !== EVENTTYPE.clock || view.getUint16(clock + 24, true) !== SUBCLOCK_ABSTIME) continue;
      const leftNs = view.getBigUint64(clock + 8, true) - this.#context.readClock(view.getUint32(clock, true));
      view.setBigUint64(clock + 8, leftNs > 0n ? leftNs : 0n, true);
    }
  }

  #collect(view: DataView, count: number): void {
    this.#stored = 0;
    this.#earliestNs = NEVER;
    const elapsedNs = process.hrtime.bigint() - this.#startNs;
    for (let i = 0; i < count; i++) {
      if (i % COUNT_UNASKED === COUNT_UNASKED - 1) this.#context.ask();
      const at = i * this.#variant.subscriptionBytes;
      if (view.getUint8(at + 8) === EVENTTYPE.clock) this.#checkClock(view, at, elapsedNs);
      else this.#checkDescriptor(view, at);
    }
  }

  /** Clock: 0 id u32 | 8 timeout u64 | 16 precision u64 | 24 flags u16. */
  #checkClock(view: DataView, at: number, elapsedNs: bigint): void {
    const clock = at + this.#variant.clockOffset;
    const id = view.getUint32(clock, true);
    if (id > CLOCKID.threadCputime || view.getUint16(clock + 24, true) > SUBCLOCK_ABSTIME) {
      this.#store(view, at, ERRNO.inval, 0);
    } else if (id > CLOCKID.monotonic) {
      // A thread that waits uses no processor time: it would wait for ever.
      this.#store(view, at, ERRNO.notsup, 0);
    } else {
      const timeoutNs = view.getBigUint64(clock + 8, true);
      if (timeoutNs <= elapsedNs) this.#store(view, at, ERRNO.success, 0);
      else if (timeoutNs < this.#earliestNs) this.#earliestNs = timeoutNs;
    }
  }

  #checkDescriptor(view: DataView, at: number): void {
    const descriptor = this.#context.table.get(view.getUint32(at + 16, true));
    const isRead = view.getUint8(at + 8) === EVENTTYPE.fdRead;
    const right = isRead ? RIGHTS.fdRead : RIGHTS.fdWrite;
    if (descriptor === undefined || ((descriptor.rightsBase | descriptor.droppedBase) & right) === 0) {
      this.#store(view, at, ERRNO.badf, 0);
    } else if ((descriptor.droppedBase & (right | RIGHTS.pollFdReadwrite)) !== 0) {
      this.#store(view, at, ERRNO.notcapable, 0);
    } else if (isRead) {
      const ready = descriptor.readableBytes();
      // Nothing follows the end of an input: its other end is gone.
      const flags = ready === 0 && descriptor instanceof InputBuffer ? EVENTRW_HANGUP : 0;
      this.#store(view, at, ERRNO.success, ready, flags);
    } else {
      this.#store(view, at, ERRNO.success, 0);
    }
  }

  /** Writes an `event`: 0 userdata u64 | 8 error u16 | 10 type u8 | 16 nbytes u64 | 24 flags u16. */
  #store(from: DataView, at: number, errno: number, nbytes: number, flags: number = 0): void {
    const view = this.#context.memory.view;
    const event = this.#events + this.#stored * SIZE.event;
    view.setBigUint64(event, from.getBigUint64(at, true), true);
    view.setBigUint64(event + 8, BigInt(errno | (from.getUint8(at + 8) << 16)), true);
    view.setBigUint64(event + 16, BigInt(nbytes), true);
    view.setBigUint64(event + 24, BigInt(flags), true);
    this.#stored++;
  }

  #waitMs(): number {
    const leftNs = this.#earliestNs - (process.hrtime.bigint() - this.#startNs);
    return Math.max(0, Math.min(Number(leftNs) / NS_PER_MS, LONGEST_WAIT_MS));
  }
}
