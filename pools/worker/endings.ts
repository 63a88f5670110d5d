/** Calls that are ended from outside, or lost with their threads: without the thread where that is possible, else with it. */

import { monotonicNs } from '../../host/monotonic.ts';
import type { Ending, Invocation } from '../../host/outcome.ts';
import type { Recorded } from '../../host/wasi/session/run-reader.ts';
import { SLICE_NS } from '../../host/waiting/suspension.ts';
import { ABORT_GRACE_MS } from '../abort-watch.ts';
import type { Call } from './call.ts';
import { Grace } from './grace.ts';
import type { InvocationQueue } from './queue.ts';
import type { Threads } from './threads.ts';
import type { Unit } from './unit.ts';

/** What endings need of the pool. */
export interface EndingOptions {
  readonly threads: Threads<Call>;
  readonly queue: InvocationQueue<Call>;
  /** Takes a call from its thread, which it held for so long, and lets the next one of the thread begin. */
  leave(call: Call, unit: Unit<Call>, heldNs?: number): void;
  /** Told when a thread may have become free: a deadline has passed, or a guest that was suspended may have let go of it. */
  onDeadline(): void;
  /** Told when a call has ended without an answer. */
  onEnded(call: Call): void;
  /** Told when the guest of a call was stopped without its thread, after it had that for so long. */
  onStopped(call: Call, heldNs: number): void;
  /** Told when a call has cost its thread, which it held for so long. */
  onCost(call: Call, heldNs: number): void;
  /** Told when a call was stopped together with its thread. */
  onThreadStopped(call: Call, unit: Unit<Call>, error: Error): void;
}

/** What a guest that counts units is given to end by itself: longer than a bulk instruction takes by and large. */
const STOP_GRACE_MS = 250;

/** Ends calls of one pool. */
export class Endings {
  readonly #options: EndingOptions;

  constructor(options: EndingOptions) {
    this.#options = options;
  }

  /** Ends a call from outside: takes it out of the queue or back from its thread, or stops the thread that runs it. */
  end(call: Call, ending: Ending): void {
    // It may have been answered already.
    call.unit?.collectAll();
    if (call.isSettled) return;
    const { unit } = call;
    const recorded = unit?.recorded(call);
    if (call.isSettled) return;
    if (unit?.isAlive === true && call.hasBudget && !(call.isParked && this.#isDropped(call, unit))) {
      this.#stopGently(call, unit, ending);
      return;
    }
    if (unit === undefined) this.#options.queue.remove(call);
    else if (!unit.holds(call) || this.#isWithdrawn(call, unit)) this.#leaveDropped(call, unit, ending);
    else if (ending.kind === 'aborted') {
      call.end(ending, recorded);
      this.#stopAborted(call, unit);
      return;
    } else if (!this.#stop(call, unit)) {
      // It has been suspended just now, or has ended.
      if (call.isParked) setTimeout(() => this.end(call, ending), 1);
      return;
    }
    call.end(ending, recorded);
    this.#options.onEnded(call);
  }

  /**
   * Has a guest that has begun end by itself, which answers the call; one that does not is stopped with its thread.
   */
  #stopGently(call: Call, unit: Unit<Call>, ending: Ending): void {
    if (!call.isParked && unit.takeBack(call)) {
      this.#options.leave(call, unit);
      call.end(ending);
      this.#options.onEnded(call);
      return;
    }
    const isTold = unit.tellToStop(call, ending.kind === 'aborted', channelOf(call.invocation));
    if (!isTold) setTimeout(() => this.end(call, ending), 1);
    else this.#linger(call, unit, new Grace(unit.suspended, STOP_GRACE_MS), ending);
  }

  /** Whether a call is taken from its thread, which lives on: it was not taken up, or its guest is suspended. */
  #isWithdrawn(call: Call, unit: Unit<Call>): boolean {
    if (call.isParked) return this.#isDropped(call, unit);
    return (call.isBehind || unit.parked.size > 0) && unit.takeBack(call);
  }

  #isDropped(call: Call, unit: Unit<Call>): boolean {
    const heldNs = unit.suspended.heldNs(call);
    if (!unit.drop(call)) return false;
    call.droppedNs = heldNs;
    unit.answered(call.ticket);
    return true;
  }

  /** Ends the guest of a call whose caller has gone: without its thread if it is suspended. */
  endAborted(call: Call, unit: Unit<Call>): void {
    if (!call.isParked || !this.#isDropped(call, unit)) {
      this.#stopAborted(call, unit);
      return;
    }
    this.#leaveDropped(call, unit);
    this.#options.onEnded(call);
  }

  /** Takes a call from its thread whose guest may have been dropped; one that computed until its time was up was stopped. */
  #leaveDropped(call: Call, unit: Unit<Call>, ending?: Ending): void {
    const { droppedNs } = call;
    this.#options.leave(call, unit, droppedNs);
    if (ending?.kind === 'timeout' && droppedNs >= SLICE_NS) this.#options.onStopped(call, droppedNs);
  }

  /** Stops the thread that runs a call whose caller has gone: at once, or after a while if it is expected to end by itself. */
  #stopAborted(call: Call, unit: Unit<Call>): void {
    if (call.expectedNs < ABORT_GRACE_MS * 1e6 && unit.isAlive)
      this.#linger(call, unit, new Grace(unit.suspended, ABORT_GRACE_MS));
    else {
      this.#stop(call, unit);
      this.#options.onEnded(call);
    }
  }

  /** Lets a call run on until its grace is over. */
  #linger(call: Call, unit: Unit<Call>, grace: Grace, ending?: Ending): void {
    call.linger(grace.leftMs(unit.hasBegun(call)), () => {
      unit.collectAll();
      if (!unit.holds(call)) return;
      if (this.#isDroppedLate(call, unit, ending)) return;
      if (grace.leftMs(unit.hasBegun(call)) > 0) this.#linger(call, unit, grace, ending);
      else this.#stopLate(call, unit, ending);
    });
  }

  /** Whether the guest was suspended meanwhile, and is dropped. */
  #isDroppedLate(call: Call, unit: Unit<Call>, ending: Ending | undefined): boolean {
    if (!call.isParked) return false;
    const recorded = ending === undefined ? undefined : unit.recorded(call);
    if (!unit.holds(call)) return true;
    if (!this.#isDropped(call, unit)) return false;
    this.#leaveDropped(call, unit, ending);
    this.#settleLate(call, ending, recorded);
    return true;
  }

  #settleLate(call: Call, ending: Ending | undefined, recorded: Recorded | undefined): void {
    if (ending !== undefined) call.end(ending, recorded);
    this.#options.onEnded(call);
    this.#options.onDeadline();
  }

  #stopLate(call: Call, unit: Unit<Call>, ending?: Ending): void {
    unit.collectAll();
    if (!unit.holds(call) || this.#isDroppedLate(call, unit, ending)) return;
    const recorded = ending === undefined ? undefined : unit.recorded(call);
    // Reading may have found its answer.
    if (!unit.holds(call)) return;
    if (this.#stop(call, unit)) this.#settleLate(call, ending, recorded);
    else if (call.isParked) call.linger(1, () => this.#stopLate(call, unit, ending));
  }

  /**
   * Stops the thread that runs a call; those behind it go back to the queue, and those whose guests are suspended are lost.
   * False when it has ended by itself, so that its answer is on its way, as when one of those behind was taken up already.
   */
  #stop(call: Call, unit: Unit<Call>): boolean {
    if (call.isParked && unit.hasEnded(call)) return false;
    const others = unit.inFlight.filter((other) => other !== call);
    const back = others.filter((other) => unit.takeBack(other));
    for (const other of back) this.#options.leave(other, unit);
    const isStopped = back.length === others.length;
    const error = new Error(`another guest of its thread, of "${call.definition.name}", did not end`);
    const heldNs = heldBy(call, unit);
    if (isStopped) {
      this.#options.threads.stop(unit);
      unit.answered(call.ticket);
      this.#options.leave(call, unit, heldNs);
      this.#loseParked(unit, error);
    }
    this.#options.queue.requeue(back);
    if (isStopped) {
      this.#options.onCost(call, heldNs);
      this.#options.onThreadStopped(call, unit, error);
    }
    return isStopped;
  }

  /** Those whose guests were suspended are lost with their thread, which `running` had for `heldNs` in the end. */
  #loseParked(unit: Unit<Call>, error: unknown, running?: Call, heldNs: number = 0): void {
    for (const call of unit.parked.values()) {
      const recorded = unit.recorded(call);
      unit.answered(call.ticket);
      this.#options.leave(call, unit, call === running ? heldNs : 0);
      call.lose(error, recorded);
      this.#options.onEnded(call);
    }
  }

  /** A thread ended by itself: what it had taken up is lost, the rest goes back to the queue. */
  lost(unit: Unit<Call>, error: unknown): void {
    const calls = [...unit.inFlight];
    const back = calls.filter((call) => unit.takeBack(call));
    // One that went on has its thread; else the first that was taken up is all it can have run.
    const running = unit.resumed ?? calls.find((call) => !back.includes(call));
    const heldNs = running === undefined ? 0 : heldBy(running, unit);
    for (const call of calls) this.#options.leave(call, unit, call === running ? heldNs : 0);
    this.#loseParked(unit, error, running, heldNs);
    // One whose caller has gone meanwhile need not run again, and one of a session has lost its instance.
    const again = back.filter((call) => !call.isSettled && call.definition.keepsState !== true);
    this.#options.queue.requeue(again);
    for (const call of calls) {
      if (again.includes(call)) continue;
      call.lose(error, unit.recorded(call));
      this.#options.onEnded(call);
    }
    if (running !== undefined) this.#options.onCost(running, heldNs);
  }
}

/** Nanoseconds for which a call has had its thread; of one that was suspended, since it last went on. */
function heldBy(call: Call, unit: Unit<Call>): number {
  return call.isParked ? unit.resumedForNs(call) : call.heldNs(monotonicNs());
}

/** What the guest of a call may wait on for its caller. */
export function channelOf({ component, streams }: Invocation): SharedArrayBuffer | undefined {
  return component?.channel ?? streams?.channel;
}
