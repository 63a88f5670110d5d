/**
 * Brings calls to threads. A thread is sent further calls while it runs one, so that it need not wait for this thread
 * between them; one that finds nothing to do takes calls back from one that is behind.
 */

import type { Ending } from '../../host/outcome.ts';
import { monotonicNs } from '../../host/monotonic.ts';
import { ABORT_GRACE_MS } from '../abort-watch.ts';
import type { OnDeadline } from '../deadline.ts';
import type { Call } from './call.ts';
import { SLOTS, type Installation } from './messages.ts';
import type { InvocationQueue } from './queue.ts';
import type { Threads } from './threads.ts';
import type { Unit } from './unit.ts';

/** What a dispatcher needs of its pool. */
export interface DispatcherOptions {
  readonly threads: Threads<Call>;
  readonly queue: InvocationQueue<Call>;
  /** Threads that may run guests at once; the others stand by. */
  readonly limit: number;
  installationOf(id: string): Installation | undefined;
  /** Told when a deadline has passed: a thread may have become free. */
  onDeadline(): void;
  /** Told when a call has ended without an answer. */
  onEnded(call: Call): void;
  /** Told when a call has cost its thread, which it held for so long. */
  onCost(call: Call, heldNs: number): void;
}

/** A thread with this much before it is sent nothing further: others would wait for longer than a round trip takes. */
const AHEAD_NS = 1e6;
/** What a function that never answered is expected to take. */
const UNKNOWN_NS = 1e9;
/** Share of the latest run in what the next is expected to take. */
const LEARNING = 1 / 8;

/** Chooses threads for calls, and takes calls from them. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  /** What a run of each function takes, in nanoseconds. */
  readonly #runNs: Map<string, number> = new Map();
  readonly onDeadline: OnDeadline<Call> = (call, timeoutMs) => {
    this.learn(call.definition.id, timeoutMs * 1e6);
    this.end(call, { kind: 'timeout', timeoutMs });
    this.#options.onDeadline();
  };

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /** Calls that run, as far as this thread can tell. */
  get running(): number {
    let count = 0;
    for (const unit of this.#options.threads.units) if (unit.inFlight.length > 0) count++;
    return count;
  }

  /** What each thread that is ready runs now, as far as this thread can tell: the id of a function, or undefined. */
  *runningIds(): Generator<string | undefined> {
    for (const unit of this.#options.threads.units) if (unit.isStarted) yield unit.inFlight[0]?.definition.id;
  }

  /** An idle thread that may be used: one that has the function, if any does. */
  idleUnit(functionId: string): Unit<Call> | undefined {
    let other: Unit<Call> | undefined;
    let active = 0;
    for (const unit of this.#options.threads.units) {
      // A thread that still starts runs no guest: meanwhile the spare one may.
      if (!unit.isStarted) continue;
      if (!unit.isIdle) active++;
      else if (other === undefined || (!other.installed.has(functionId) && unit.installed.has(functionId)))
        other = unit;
    }
    return active < this.#options.limit ? other : undefined;
  }

  /** Whether `place` finds a thread. */
  get hasRoom(): boolean {
    return this.idleUnit('') !== undefined || this.#leastLoaded('') !== undefined;
  }

  /** Takes note of how long a run of a function took; answers what one takes on average. */
  learn(functionId: string, runNs: number): number {
    const before = this.#runNs.get(functionId) ?? runNs;
    const averageNs = Math.round(before + (runNs - before) * LEARNING);
    this.#runNs.set(functionId, averageNs);
    return averageNs;
  }

  forget(functionId: string): void {
    this.#runNs.delete(functionId);
  }

  /** Sends a call to an idle thread, or behind others to the least loaded; false when none can take one more. */
  place(call: Call): boolean {
    const unit = this.idleUnit(call.definition.id) ?? this.#leastLoaded(call.definition.id);
    if (unit === undefined) return false;
    this.#send(call, unit);
    return true;
  }

  #leastLoaded(functionId: string): Unit<Call> | undefined {
    let best: Unit<Call> | undefined;
    for (const unit of this.#options.threads.units) {
      if (!unit.isOpen || unit.inFlight.length === 0 || unit.backlogNs > AHEAD_NS) continue;
      const [load, bestLoad] = [unit.inFlight.length, best?.inFlight.length ?? SLOTS];
      const hasIt = unit.installed.has(functionId) && best?.installed.has(functionId) !== true;
      if (best === undefined || load < bestLoad || (load === bestLoad && hasIt)) best = unit;
    }
    return best;
  }

  #send(call: Call, unit: Unit<Call>): void {
    const { id } = call.definition;
    const install = unit.installed.has(id) ? undefined : this.#options.installationOf(id);
    unit.installed.add(id);
    call.unit = unit;
    call.isBehind = unit.inFlight.length > 0;
    call.expectedNs = this.#runNs.get(id) ?? UNKNOWN_NS;
    unit.backlogNs += call.expectedNs;
    this.#options.queue.started(call.definition, call.isBehind);
    const { input, ...given } = call.invocation;
    unit.send(call, { id, input, calledNs: call.calledNs, given: isEmpty(given) ? undefined : given, install });
    if (!call.isBehind) call.begin(this.onDeadline);
  }

  /**
   * Takes a call, answered or not, from its thread, and lets the next one of the thread begin. `heldNs` is how long
   * it held the thread.
   */
  leave(call: Call, unit: Unit<Call>, heldNs: number = 0): void {
    const { queue } = this.#options;
    call.stop();
    unit.backlogNs -= call.expectedNs;
    queue.ended(call.definition, call.isBehind, heldNs);
    call.isBehind = false;
    const head = unit.isAlive ? unit.inFlight[0] : undefined;
    if (head?.isBehind !== true) return;
    head.isBehind = false;
    queue.advanced(head.definition);
    if (!head.isSettled) {
      head.begin(this.onDeadline);
      return;
    }
    // Aborted when its thread had taken it up but not yet told the answer of the one before.
    this.#stopAborted(head, unit);
  }

  /** Has an idle thread take over a call that waits behind another in a busier one; false when there is none. */
  steal(): boolean {
    const idle = this.idleUnit('');
    if (idle === undefined) return false;
    for (const unit of this.#options.threads.units) {
      for (let at = unit.inFlight.length - 1; at > 0; at--) {
        const call = unit.inFlight[at] as Call;
        if (!unit.takeBack(call)) continue;
        this.leave(call, unit);
        this.#send(call, this.idleUnit(call.definition.id) ?? idle);
        return true;
      }
    }
    return false;
  }

  /** Ends a call from outside: takes it out of the queue or back from its thread, or stops the thread that runs it. */
  end(call: Call, ending: Ending): void {
    // It may have been answered already.
    call.unit?.collectAll();
    if (call.isSettled) return;
    const { unit } = call;
    const recorded = unit?.recorded(call);
    if (call.isSettled) return;
    if (unit === undefined) this.#options.queue.remove(call);
    else if (call.isBehind && unit.takeBack(call)) this.leave(call, unit);
    else if (ending.kind === 'aborted') {
      call.end(ending, recorded);
      this.#stopAborted(call, unit);
      return;
    } else if (!this.#stop(call, unit)) return;
    call.end(ending, recorded);
    this.#options.onEnded(call);
  }

  /** Stops the thread that runs a call whose caller has gone: at once, or after a while if it is expected to end by itself. */
  #stopAborted(call: Call, unit: Unit<Call>): void {
    if (call.expectedNs < ABORT_GRACE_MS * 1e6 && unit.isAlive)
      call.linger(ABORT_GRACE_MS, () => this.#stopLate(call, unit));
    else {
      this.#stop(call, unit);
      this.#options.onEnded(call);
    }
  }

  #stopLate(call: Call, unit: Unit<Call>): void {
    unit.collect();
    if (!unit.inFlight.includes(call)) return;
    this.#stop(call, unit);
    this.#options.onEnded(call);
    this.#options.onDeadline();
  }

  /**
   * Stops the thread that runs a call; those behind it go back to the queue. False when one of those was taken up
   * already: then the call has ended by itself, and its answer is on its way.
   */
  #stop(call: Call, unit: Unit<Call>): boolean {
    const others = unit.inFlight.filter((other) => other !== call);
    const back = others.filter((other) => unit.takeBack(other));
    for (const other of back) this.leave(other, unit);
    const isStopped = back.length === others.length;
    const heldNs = call.heldNs(monotonicNs());
    if (isStopped) {
      this.#options.threads.stop(unit);
      unit.answered(call.ticket);
      this.leave(call, unit, heldNs);
    }
    this.#options.queue.requeue(back);
    if (isStopped) this.#options.onCost(call, heldNs);
    return isStopped;
  }

  /** A thread ended by itself: what it had taken up is lost, the rest goes back to the queue. */
  lost(unit: Unit<Call>, error: unknown): void {
    const calls = [...unit.inFlight];
    const back = calls.filter((call) => unit.takeBack(call));
    // The first that was taken up: it is all the thread can have run.
    const running = calls.find((call) => !back.includes(call));
    const heldNs = running?.heldNs(monotonicNs()) ?? 0;
    for (const call of calls) this.leave(call, unit, call === running ? heldNs : 0);
    // One whose caller has gone meanwhile need not run again.
    const again = back.filter((call) => !call.isSettled);
    this.#options.queue.requeue(again);
    for (const call of calls) {
      if (again.includes(call)) continue;
      call.lose(error);
      this.#options.onEnded(call);
    }
    if (running !== undefined) this.#options.onCost(running, heldNs);
  }
}

function isEmpty(given: object): boolean {
  for (const _ in given) return false;
  return true;
}
