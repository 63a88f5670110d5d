/** The guests of one worker that were suspended, and the records in shared memory that tell how each stands. */

import { threadCpuNsOf } from '../../host/linux/thread-cpu.ts';
import { monotonicNs } from '../../host/monotonic.ts';
import type { NewRecord } from '../../host/thread/waiting-records.ts';
import { SLICE_NS } from '../../host/waiting/suspension.ts';
import type { StreamBuffer } from '../../host/wasi/session/record-layout.ts';
import { RunReader } from '../../host/wasi/session/run-reader.ts';

/** Something that was sent to a worker and will be answered. */
export interface Sent {
  /** Set by the unit. */
  ticket: number;
  slot: number;
}

/** A guest that went on and has its thread for so long keeps others waiting. */
const HELD_NS = 1e6;
/** The same of one that takes turns with others: two of its slices. */
const HELD_IN_TURNS_NS = 2 * SLICE_NS;
/** Where it is told which guest went on, and how many take turns. */
const RESUMED = 1;
const IN_TURNS = 2;
const KERNEL_ID = 3;

/** Invocations of one worker whose guests were suspended; each goes on by itself. */
export class SuspendedGuests<T extends Sent> {
  /** By ticket. */
  readonly parked: Map<number, T> = new Map();
  /**
   * Four Int32: whether the worker's guest waits (`tellWaiting`), which one went on that was suspended (`RunRecord`), how many
   * take turns (`Turns`), and the kernel's number of the thread (`kernelThreadId`).
   */
  readonly waiting: SharedArrayBuffer = new SharedArrayBuffer(16);
  readonly #waiting: Int32Array = new Int32Array(this.waiting);
  /** Records of guests that may be suspended, by number. */
  readonly #records: (RunReader | undefined)[] = [];
  readonly #recordOf: Map<T, number> = new Map();

  /** Whether the worker's guest does nothing but wait. */
  get isWaiting(): boolean {
    return Atomics.load(this.#waiting, 0) !== 0;
  }

  /** Nanoseconds for which the thread has run; -1n where that is not told. */
  get cpuNs(): bigint {
    return threadCpuNsOf(Atomics.load(this.#waiting, KERNEL_ID));
  }

  /** How many compute for longer than a slice, and take turns. */
  get inTurns(): number {
    return Atomics.load(this.#waiting, IN_TURNS);
  }

  add(sent: T, record: number): void {
    this.parked.set(sent.ticket, sent);
    this.#recordOf.set(sent, record);
  }

  /** Takes one that is answered off; undefined when it is none of them. */
  take(ticket: number): T | undefined {
    const sent = this.parked.get(ticket);
    if (sent === undefined) return undefined;
    this.parked.delete(ticket);
    this.#recordOf.delete(sent);
    return sent;
  }

  has(sent: T): boolean {
    return this.parked.get(sent.ticket) === sent;
  }

  /** The one that has the thread again; undefined when none has. */
  get resumed(): T | undefined {
    if (this.parked.size === 0) return undefined;
    const number = Atomics.load(this.#waiting, RESUMED);
    const run = number === 0 ? undefined : this.#records[number]?.run;
    const sent = run === undefined ? undefined : this.parked.get(run);
    // It may have ended, and another one may have its record.
    return sent !== undefined && this.#recordOf.get(sent) === number ? sent : undefined;
  }

  /** Whether one has kept the thread for so long that nothing further should be sent there. */
  get isHeld(): boolean {
    const sent = this.resumed;
    return sent !== undefined && this.resumedForNs(sent) > (this.inTurns === 0 ? HELD_NS : HELD_IN_TURNS_NS);
  }

  /** Nanoseconds for which one has had its thread since it last went on. */
  resumedForNs(sent: T): number {
    const sinceNs = this.#readerOf(sent)?.resumedNs;
    return sinceNs === undefined ? 0 : Math.max(0, monotonicNs() - sinceNs);
  }

  /** The record of an invocation whose guest may be suspended, or was. */
  recordOf(sent: T): RunReader | undefined {
    return this.#readerOf(sent) ?? this.#records.find((each) => each?.isOf(sent.ticket));
  }

  /** The record of one that is parked. It is announced before it is used, though perhaps not heard of before it is parked. */
  #readerOf(sent: T): RunReader | undefined {
    const number = this.#recordOf.get(sent);
    return number === undefined ? undefined : this.#records[number];
  }

  /** Nanoseconds for which the guest of one had had its thread when it was last suspended. */
  heldNs(sent: T): number {
    return this.#readerOf(sent)?.heldNs ?? 0;
  }

  /** Has one never go on; false when it runs, or was never suspended. */
  drop(sent: T): boolean {
    return this.#readerOf(sent)?.drop(sent.ticket) === true;
  }

  /** Has one that runs end by itself; false when it does not run. */
  tellToStop(sent: T, isAborted: boolean): boolean {
    return this.#readerOf(sent)?.tellToStop(sent.ticket, isAborted) === true;
  }

  hasEnded(sent: T): boolean {
    return this.#readerOf(sent)?.hasEnded(sent.ticket) === true;
  }

  /** Takes note of a record, or of a larger buffer of one. */
  learn(told: NewRecord | StreamBuffer): void {
    if ('shared' in told) this.#records[told.record] = told.shared && new RunReader(told.shared);
    else this.#records[told.record]?.add(told);
  }
}
