/**
 * How one guest of the waiting lane waits: suspended, so that its thread runs others meanwhile. It goes on in a turn of the
 * event loop of its own. Whoever may end it from another thread has its record, by which both agree whether it goes on
 * (wasi/session/run-record.ts); one that was dropped is unwound, and none of its code runs again.
 */

import { monotonicNs } from '../monotonic.ts';
import type { Turns } from './turns.ts';
import { unwindingTrap } from './unwinding.ts';
import { waitAsync } from '../wait-async.ts';

/** The longest time that a timer takes. */
const LONGEST_MS = 2 ** 31 - 1;

/** Where a run is agreed on with whoever may drop its guest. */
export interface RunState {
  /** The guest is about to be suspended, after so long on its thread and so many units, where it counts them; false when it is told to stop, and is to go on at once. */
  suspend(heldNs: number, units?: number): boolean;
  /** The guest is about to go on; false when it was dropped. */
  resume(): boolean;
}

/** What measures a guest's own use of its thread. */
export interface RunMeter {
  /** Answers false where the guest was told to stop. */
  pause(): boolean;
  resume(): void;
  /** What the guest has used until it was paused. */
  readonly used: { readonly units: number };
}

/** A guest that has its thread for so long lets others have it. */
export const SLICE_NS = 5e6;

/** The waiting of one guest, through all of its runs. */
export class Suspension {
  /** Stands still while the guest is suspended. */
  meter: RunMeter | undefined = undefined;
  /** Called before the guest goes on, which may have the thread for long. */
  beforeGoingOn: (() => void) | undefined = undefined;
  /** Called when the guest is suspended for the first time from now on. */
  onSuspended: (() => void) | undefined = undefined;
  readonly #turns: Turns;
  #record: RunState | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;
  /** What wakes it early: nobody else waits on it. */
  #cells: Int32Array | undefined = undefined;
  #resume: (() => void) | undefined = undefined;
  #unwind: ((trap: unknown) => void) | undefined = undefined;
  /** What has it go on in its turn. */
  #turn: (() => void) | undefined = undefined;
  /** Whether it takes turns: it has not waited since it first gave way. */
  #takesTurns = false;
  #isDropped = false;
  #heldNs = 0;
  #sinceNs = 0;

  /** @param turns of its thread */
  constructor(turns: Turns) {
    this.#turns = turns;
  }

  /** Starts over for a run that is kept in `record`. */
  begin(record: RunState): void {
    this.#record = record;
    this.onSuspended = undefined;
    this.#isDropped = false;
    this.#heldNs = 0;
    this.#sinceNs = monotonicNs();
  }

  /** The run is over. */
  end(): void {
    this.#leaveTurns();
  }

  /** Whether the guest has had its thread for a slice since it went on. */
  get isOver(): boolean {
    return monotonicNs() - this.#sinceNs >= SLICE_NS;
  }

  /** Lets all else in the thread have a turn. Rejects with what unwinds the guest when it is dropped. */
  pass(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.#takesTurns) this.#turns.join();
      this.#takesTurns = true;
      if (!this.#suspend(resolve, reject)) {
        // It is to stop, for which others need not wait.
        this.#goOn(resolve);
        return;
      }
      this.#turn = () => this.#goOn(resolve);
      this.#turns.add(this.#turn);
    });
  }

  /** Whether the guest was dropped: how it ends is not its own ending. */
  get isDropped(): boolean {
    return this.#isDropped;
  }

  /** Whether the guest is suspended. */
  get isSuspended(): boolean {
    return this.#resume !== undefined;
  }

  /** Nanoseconds for which the guest has had its thread. */
  get heldNs(): number {
    return this.isSuspended ? this.#heldNs : this.#heldNs + monotonicNs() - this.#sinceNs;
  }

  /** Suspends the guest for so many milliseconds. Rejects with what unwinds it when it is dropped. */
  sleep(timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#leaveTurns();
      this.#startTimer(this.#suspend(resolve, reject) ? timeoutMs : 0);
    });
  }

  /** The same until a cell has not the value any more, or the time is up. */
  changed(cells: Int32Array, value: number, timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#leaveTurns();
      const waitMs = this.#suspend(resolve, reject) ? timeoutMs : 0;
      this.#cells = cells;
      // A timeout of `waitAsync` would be kept until it is up, however early the wait ends.
      if (waitMs < Infinity) this.#startTimer(waitMs);
      const waited = waitAsync(cells, 0, value);
      // Several may be told in one turn.
      const later = (): void => void setImmediate(() => this.#goOn(resolve));
      if (waited.async) void waited.value.then(later);
      else later();
    });
  }

  /** Unwinds a guest that is suspended, which ends what started it; false when it is not suspended. */
  abandon(): boolean {
    const unwind = this.#unwind;
    if (unwind === undefined) return false;
    this.#isDropped = true;
    this.#stopWaiting();
    unwind(unwindingTrap());
    return true;
  }

  #startTimer(timeoutMs: number): void {
    // A callback of a timer is a turn of its own.
    this.#timer = setTimeout(() => this.#goOn(), Math.min(LONGEST_MS, Math.ceil(timeoutMs)));
  }

  #stopWaiting(): void {
    this.#resume = undefined;
    this.#unwind = undefined;
    clearTimeout(this.#timer);
    if (this.#cells !== undefined) Atomics.notify(this.#cells, 0);
    this.#cells = undefined;
    if (this.#turn !== undefined) this.#turns.remove(this.#turn);
    this.#turn = undefined;
  }

  #leaveTurns(): void {
    if (this.#takesTurns) this.#turns.leave();
    this.#takesTurns = false;
  }

  #suspend(resolve: () => void, reject: (trap: unknown) => void): boolean {
    this.#heldNs += monotonicNs() - this.#sinceNs;
    this.#resume = resolve;
    this.#unwind = reject;
    const mayWait = this.meter?.pause() !== false;
    if (this.#record?.suspend(this.#heldNs, this.meter?.used.units) === false || !mayWait) return false;
    const { onSuspended } = this;
    this.onSuspended = undefined;
    onSuspended?.();
    return true;
  }

  /** `expected` tells a wake-up of this wait from one of a wait before. */
  #goOn(expected: (() => void) | undefined = this.#resume): void {
    const resume = this.#resume;
    if (resume === undefined || resume !== expected) return;
    if (this.#record?.resume() === false) {
      this.abandon();
      return;
    }
    this.beforeGoingOn?.();
    this.#stopWaiting();
    this.meter?.resume();
    this.#sinceNs = monotonicNs();
    resume();
  }
}
