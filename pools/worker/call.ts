/** One invocation in the pool, from its call to its end. */

import type { FunctionDefinition } from '../../host/definition.ts';
import { messageOf, NebulaError } from '../../host/errors.ts';
import { monotonicNs } from '../../host/monotonic.ts';
import type { Ending, Invocation, Outcome } from '../../host/outcome.ts';
import type { Recorded } from '../../host/run-record.ts';
import { unansweredOutcome } from '../executor.ts';
import { unwatchAbort, watchAbort } from '../abort-watch.ts';
import type { Sent, Unit } from './unit.ts';

export type OnDeadline = (call: Call, timeoutMs: number) => void;

export class Call implements Sent {
  readonly definition: FunctionDefinition;
  readonly invocation: Invocation;
  readonly calledNs: number = monotonicNs();
  ticket = 0;
  slot = 0;
  /** The thread that has it. */
  unit: Unit<Call> | undefined = undefined;
  /** Whether it waits in its thread for one before it. */
  isBehind = false;
  /** Times it went back for want of address space. */
  retries = 0;
  isSettled = false;
  /** What it was expected to take when it was sent, in nanoseconds. */
  expectedNs = 0;
  readonly #resolve: (outcome: Outcome) => void;
  readonly #reject: (error: unknown) => void;
  #startedNs = 0;
  /** Runs from the call on, for the time that the caller gave. */
  #askedTimer: NodeJS.Timeout | undefined = undefined;
  /** Runs while a thread runs it, for the time that the function has. */
  #limitTimer: NodeJS.Timeout | undefined = undefined;
  #signal: AbortSignal | undefined = undefined;
  #onAbort: (() => void) | undefined = undefined;

  constructor(
    definition: FunctionDefinition,
    invocation: Invocation,
    resolve: (outcome: Outcome) => void,
    reject: (error: unknown) => void,
  ) {
    this.definition = definition;
    this.invocation = invocation;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Ends it when the caller gives up. */
  watch(signal: AbortSignal, onAbort: () => void): void {
    this.#signal = signal;
    this.#onAbort = onAbort;
    watchAbort(signal, onAbort);
  }

  /** Starts the time that the caller gave, if any: waiting counts. */
  expect(onDeadline: OnDeadline): void {
    const askedMs = this.invocation.timeoutMs;
    if (askedMs !== undefined && askedMs > 0) this.#askedTimer = setTimeout(onDeadline, askedMs, this, askedMs);
  }

  /** It runs from now on, as far as anyone outside its thread can tell. */
  begin(onDeadline: OnDeadline): void {
    this.#startedNs = monotonicNs();
    const limitMs = this.definition.limits.timeoutMs;
    const askedMs = this.invocation.timeoutMs;
    if (askedMs !== undefined && askedMs > 0) {
      const leftMs = askedMs - (this.#startedNs - this.calledNs) / 1e6;
      // The caller's time was up when its thread had just taken it up, so that it could not be taken back.
      if (leftMs <= 0) this.#limitTimer = setTimeout(onDeadline, 1, this, askedMs);
      if (limitMs === 0 || leftMs <= limitMs) return;
    }
    if (limitMs > 0) this.#limitTimer = setTimeout(onDeadline, limitMs, this, limitMs);
  }

  /** Nanoseconds for which it has run, as far as anyone outside its thread can tell. */
  heldNs(nowNs: number): number {
    return this.#startedNs === 0 ? 0 : nowNs - this.#startedNs;
  }

  /** Nobody waits for it any more: its thread gets `graceMs` to end it by itself. */
  linger(graceMs: number, onLate: () => void): void {
    if (this.#limitTimer !== undefined) clearTimeout(this.#limitTimer);
    this.#limitTimer = setTimeout(onLate, graceMs);
  }

  /** It is not with a thread any more. */
  stop(): void {
    if (this.#limitTimer !== undefined) clearTimeout(this.#limitTimer);
    this.#limitTimer = undefined;
    this.unit = undefined;
  }

  resolve(outcome: Outcome): void {
    if (this.#settle()) this.#resolve(outcome);
  }

  /** Ends it without an answer, with what is known of its guest. */
  end(ending: Ending, recorded?: Recorded): void {
    const nowNs = monotonicNs();
    const startedNs = this.#startedNs === 0 ? nowNs : this.#startedNs;
    this.resolve(unansweredOutcome(ending, startedNs - this.calledNs, nowNs - startedNs, recorded));
  }

  reject(error: unknown): void {
    if (this.#settle()) this.#reject(error);
  }

  /** Its thread ended before it answered. */
  lose(error: unknown): void {
    this.reject(new NebulaError('WORKER_LOST', { name: this.definition.name, detail: messageOf(error) }));
  }

  #settle(): boolean {
    if (this.isSettled) return false;
    this.isSettled = true;
    if (this.#askedTimer !== undefined) clearTimeout(this.#askedTimer);
    if (this.#onAbort !== undefined && this.#signal !== undefined) unwatchAbort(this.#signal, this.#onAbort);
    return true;
  }
}
