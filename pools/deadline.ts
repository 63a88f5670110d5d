/**
 * How long a call may take, by one rule for every executor: the time that its caller gives runs from the call on, waiting
 * included; the limit of its function runs from when its guest is started. Whichever is up first ends the call.
 */

import type { Limits } from '../host/limits.ts';
import { monotonicNs } from '../host/monotonic.ts';
import type { Invocation } from '../host/outcome.ts';
import { unwatchAbort, watchAbort } from './abort-watch.ts';

/** Told that a call's time is up, and which: the one its caller gave or its function's limit, in milliseconds. */
export type OnDeadline<Timed> = (call: Timed, timeoutMs: number) => void;

/** What a call's times depend on of its function. */
export interface TimedFunction {
  readonly limits: Pick<Limits, 'timeoutMs'>;
}

/** What is left to a run that begins when its caller's time is up, in milliseconds: no timer takes less. */
const NO_TIME_MS = 1;

/**
 * Milliseconds that a run may take which begins `waitedMs` after its call; 0 is without end.
 * @param askedMs the time that the caller gave; none when left out or 0
 * @param limitMs the function's limit; 0 is none
 */
export function runTimeMs(askedMs: number | undefined, limitMs: number, waitedMs: number): number {
  if (askedMs === undefined || askedMs <= 0) return limitMs;
  const leftMs = Math.max(NO_TIME_MS, askedMs - waitedMs);
  return limitMs === 0 ? leftMs : Math.min(limitMs, leftMs);
}

/** A call with what may end it from outside: its caller's time, its function's limit, its caller's signal. */
export class TimedCall<Definition extends TimedFunction> {
  readonly definition: Definition;
  readonly invocation: Invocation;
  /** When it was made, on the clock of `monotonicNs`. */
  readonly calledNs: number = monotonicNs();
  #startedNs = 0;
  /** Runs from the call on, for the time that the caller gave. */
  #askedTimer: NodeJS.Timeout | undefined = undefined;
  /** Runs while its guest runs, for the time that the function has. */
  #limitTimer: NodeJS.Timeout | undefined = undefined;
  #signal: AbortSignal | undefined = undefined;
  #onAbort: (() => void) | undefined = undefined;

  constructor(definition: Definition, invocation: Invocation) {
    this.definition = definition;
    this.invocation = invocation;
  }

  /** When its guest was started; 0 before. */
  get startedNs(): number {
    return this.#startedNs;
  }

  /** Nanoseconds for which its guest has run, as far as anyone outside can tell. */
  heldNs(nowNs: number): number {
    return this.#startedNs === 0 ? 0 : nowNs - this.#startedNs;
  }

  /** Whether the time that its caller gave is up, though the timer may not have run yet that says so. */
  get isLate(): boolean {
    const { timeoutMs = 0 } = this.invocation;
    return timeoutMs > 0 && monotonicNs() - this.calledNs >= timeoutMs * 1e6;
  }

  /** Has `onAbort` called when the caller gives up. */
  watch(signal: AbortSignal, onAbort: () => void): void {
    this.#signal = signal;
    this.#onAbort = onAbort;
    watchAbort(signal, onAbort);
  }

  /** Starts the time that the caller gave, if any. */
  expect(onDeadline: OnDeadline<this>): void {
    const askedMs = this.invocation.timeoutMs;
    if (askedMs !== undefined && askedMs > 0) this.#askedTimer = setTimeout(onDeadline, askedMs, this, askedMs);
  }

  /** Its guest is started: the limit counts from now on. */
  begin(onDeadline: OnDeadline<this>): void {
    this.#startedNs = monotonicNs();
    const limitMs = this.definition.limits.timeoutMs;
    const askedMs = this.invocation.timeoutMs;
    if (askedMs !== undefined && askedMs > 0) {
      const leftMs = askedMs - (this.#startedNs - this.calledNs) / 1e6;
      // The caller's time was up when a worker had just taken it up, from whom it could not be taken back.
      if (leftMs <= 0) this.#limitTimer = setTimeout(onDeadline, NO_TIME_MS, this, askedMs);
      if (limitMs === 0 || leftMs <= limitMs) return;
    }
    if (limitMs > 0) this.#limitTimer = setTimeout(onDeadline, limitMs, this, limitMs);
  }

  /** Nobody waits for it any more: its guest gets `graceMs` to end by itself. */
  linger(graceMs: number, onLate: () => void): void {
    this.#endLimit();
    this.#limitTimer = setTimeout(onLate, graceMs);
  }

  /** Its guest runs no more: the limit does not count any longer. */
  halt(): void {
    this.#endLimit();
    this.#limitTimer = undefined;
  }

  /** It has come to its end: neither its caller's time nor its signal counts any longer. */
  release(): void {
    if (this.#askedTimer !== undefined) clearTimeout(this.#askedTimer);
    if (this.#onAbort !== undefined && this.#signal !== undefined) unwatchAbort(this.#signal, this.#onAbort);
  }

  #endLimit(): void {
    if (this.#limitTimer !== undefined) clearTimeout(this.#limitTimer);
  }
}
