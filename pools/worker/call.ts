/** One invocation in the pool, from its call to its end. */

import type { FunctionDefinition } from '../../host/definition/definition.ts';
import { messageOf, NebulaError } from '../../host/errors.ts';
import { monotonicNs } from '../../host/monotonic.ts';
import type { Ending, Invocation, Outcome } from '../../host/outcome.ts';
import type { Recorded } from '../../host/wasi/session/run-reader.ts';
import { TimedCall } from '../deadline.ts';
import { nextCallId, type BindingCaller, type BoundCall } from '../bindings/bound-call.ts';
import { unansweredOutcome } from '../executor.ts';
import type { Sent } from './suspended-guests.ts';
import type { Unit } from './unit.ts';

/** An invocation with where it waits or runs, and the promise of its outcome. */
export class Call extends TimedCall<FunctionDefinition> implements Sent, BindingCaller {
  ticket = 0;
  /** Nanoseconds for which its guest had its thread, if it was dropped while it was suspended. */
  droppedNs = 0;
  slot = 0;
  /** The thread that has it. */
  unit: Unit<Call> | undefined = undefined;
  /** Whether it waits in its thread for one before it. */
  isBehind = false;
  /** Whether its guest was suspended once: it does not hold its thread. */
  isParked = false;
  /** Times it went back for want of address space. */
  retries = 0;
  isSettled = false;
  /** What it was expected to take when it was sent, in nanoseconds. */
  expectedNs = 0;
  /** The binding that its guest waits for. */
  bound: BoundCall | undefined = undefined;
  #callId: string | undefined = undefined;
  readonly #resolve: (outcome: Outcome) => void;
  readonly #reject: (error: unknown) => void;

  constructor(
    definition: FunctionDefinition,
    invocation: Invocation,
    resolve: (outcome: Outcome) => void,
    reject: (error: unknown) => void,
  ) {
    super(definition, invocation);
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Whether its guest counts units, so that it can be ended without its thread. */
  get hasBudget(): boolean {
    return this.definition.prepared.info.hasBudget;
  }

  get callId(): string {
    return (this.#callId ??= nextCallId(this.definition));
  }

  /** It is not with a thread any more. */
  stop(): void {
    this.halt();
    this.unit = undefined;
    this.isParked = false;
  }

  /** Answers its caller; the first answer counts. */
  resolve(outcome: Outcome): void {
    if (this.#settle()) this.#resolve(outcome);
  }

  /** Ends it without an answer, with what is known of its guest. */
  end(ending: Ending, recorded?: Recorded): void {
    const nowNs = monotonicNs();
    const startedNs = this.startedNs === 0 ? nowNs : this.startedNs;
    this.resolve(unansweredOutcome(ending, startedNs - this.calledNs, nowNs - startedNs, recorded));
  }

  /** Fails its caller with one of our errors. */
  reject(error: unknown): void {
    if (this.#settle()) this.#reject(error);
  }

  /** Its thread ended before it answered. What is known of its guest is the error's `cause`. */
  lose(error: unknown, recorded?: Recorded): void {
    const fields = { name: this.definition.name, detail: messageOf(error) };
    this.reject(new NebulaError('WORKER_LOST', fields, { cause: recorded ?? error }));
  }

  #settle(): boolean {
    if (this.isSettled) return false;
    this.isSettled = true;
    this.release();
    this.bound?.end();
    return true;
  }
}
