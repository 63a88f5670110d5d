/** One invocation in the pool, from its call to its end. */

import type { FunctionDefinition } from '../../host/definition.ts';
import { messageOf, NebulaError } from '../../host/errors.ts';
import { monotonicNs } from '../../host/monotonic.ts';
import type { Ending, Invocation, Outcome } from '../../host/outcome.ts';
import { unansweredOutcome } from '../executor.ts';
import type { Sent, Unit } from './unit.ts';

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
  settled = false;
  readonly #resolve: (outcome: Outcome) => void;
  readonly #reject: (error: unknown) => void;
  #startedNs = 0;
  #timer: NodeJS.Timeout | undefined = undefined;
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

  /** The deadline in force: the function's limit or what the caller asked for, whichever is sooner; 0 is none. */
  get timeoutMs(): number {
    const limitMs = this.definition.limits.timeoutMs;
    const askedMs = this.invocation.timeoutMs ?? limitMs;
    return limitMs === 0 ? askedMs : Math.min(limitMs, askedMs);
  }

  /** Ends it when the caller gives up. */
  watch(signal: AbortSignal, onAbort: () => void): void {
    this.#signal = signal;
    this.#onAbort = onAbort;
    signal.addEventListener('abort', onAbort, { once: true });
  }

  /** It runs from now on, as far as anyone outside its thread can tell. */
  begin(onDeadline: (call: Call, timeoutMs: number) => void): void {
    this.#startedNs = monotonicNs();
    const { timeoutMs } = this;
    if (timeoutMs > 0) this.#timer = setTimeout(onDeadline, timeoutMs, this, timeoutMs);
  }

  /** Stops its clock: it is not with a thread any more. */
  stop(): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timer = undefined;
    this.unit = undefined;
  }

  resolve(outcome: Outcome): void {
    if (this.#settle()) this.#resolve(outcome);
  }

  /** Ends it without an answer. */
  end(ending: Ending): void {
    const nowNs = monotonicNs();
    const startedNs = this.#startedNs === 0 ? nowNs : this.#startedNs;
    this.resolve(unansweredOutcome(ending, startedNs - this.calledNs, nowNs - startedNs));
  }

  reject(error: unknown): void {
    if (this.#settle()) this.#reject(error);
  }

  /** Its thread ended before it answered. */
  lose(error: unknown): void {
    this.reject(new NebulaError('WORKER_LOST', { name: this.definition.name, detail: messageOf(error) }));
  }

  #settle(): boolean {
    if (this.settled) return false;
    this.settled = true;
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener('abort', this.#onAbort);
    return true;
  }
}
