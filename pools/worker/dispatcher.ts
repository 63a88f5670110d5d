/**
 * Brings calls to threads. A thread is sent further calls while it runs one, so that it need not wait for this thread
 * between them; one that finds nothing to do takes calls back from one that is behind. A call whose guest is suspended is
 * parked: its thread has room for others, and it goes on there by itself.
 */

import { monotonicNs } from '../../host/monotonic.ts';
import { SLICE_NS } from '../../host/waiting/suspension.ts';
import type { OnDeadline } from '../deadline.ts';
import type { Call } from './call.ts';
import { Endings, type EndingOptions } from './endings.ts';
import { SLOTS, type Installation } from './messages.ts';
import type { Unit } from './unit.ts';

/** What a dispatcher needs of its pool. */
export interface DispatcherOptions extends Omit<EndingOptions, 'leave'> {
  /** Threads that may run guests at once; the others stand by. */
  readonly limit: number;
  installationOf(id: string): Installation | undefined;
  /** Whether something waits that only wants a thread. */
  mustWait(): boolean;
}

/** A thread with this much before it is sent nothing further: others would wait for longer than a round trip takes. */
const AHEAD_NS = 1e6;
/** The same of a thread with guests that take turns, between which it takes calls up. */
const AHEAD_IN_TURNS_NS = SLICE_NS;
/** How often it is looked where a guest that went on keeps its thread from others: nothing tells of that. */
const LOOK_MS = 2;
/** What a function that never answered is expected to take. */
const UNKNOWN_NS = 1e9;
/** Share of the latest run in what the next is expected to take. */
const LEARNING = 1 / 8;
/** A function whose last run longer than a slice is this many runs ago may have such runs no more. */
const REMEMBERED_RUNS = 256;

/** What is known of the runs of a function. */
interface Runs {
  averageNs: number;
  /** How many there were since the last that took longer than a slice. */
  sinceLong: number;
}

/** Chooses threads for calls, and takes calls from them. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  /** What a run of each function takes, in nanoseconds. */
  readonly #runs: Map<string, Runs> = new Map();
  #look: NodeJS.Timeout | undefined;
  readonly #endings: Endings;
  readonly onDeadline: OnDeadline<Call> = (call, timeoutMs) => {
    // One that is parked has not had its thread for that long.
    if (!call.isParked) this.learn(call.definition.id, timeoutMs * 1e6);
    this.#endings.end(call, { kind: 'timeout', timeoutMs });
    this.#options.onDeadline();
  };

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#endings = new Endings({
      threads: options.threads,
      queue: options.queue,
      leave: (call, unit, heldNs) => this.leave(call, unit, heldNs),
      onDeadline: () => options.onDeadline(),
      onEnded: (call) => options.onEnded(call),
      onStopped: (call, heldNs) => {
        this.learn(call.definition.id, heldNs);
        options.onStopped(call, heldNs);
      },
      onCost: (call, heldNs) => options.onCost(call, heldNs),
      onThreadStopped: (call, unit, error) => options.onThreadStopped(call, unit, error),
    });
  }

  /** What ends calls from outside. */
  get endings(): Endings {
    return this.#endings;
  }

  /** Calls that run, as far as this thread can tell. */
  get running(): number {
    let count = 0;
    for (const unit of this.#options.threads.units) if (unit.inFlight.length > 0) count++;
    return count;
  }

  /** Calls whose guests are suspended, or were and go on. */
  get suspended(): number {
    let count = 0;
    for (const unit of this.#options.threads.units) count += unit.parked.size;
    return count;
  }

  /** What each thread that is ready runs now, as far as this thread can tell: the id of a function, or undefined. */
  *runningIds(): Generator<string | undefined> {
    for (const unit of this.#options.threads.units)
      if (unit.isStarted) yield (unit.resumed ?? unit.inFlight[0])?.definition.id;
  }

  /**
   * An idle thread that may be used: that with the fewest guests suspended, and of those one that has the function. Where none
   * is idle, that with the fewest guests that take turns.
   */
  idleUnit(functionId: string): Unit<Call> | undefined {
    let [unused, used]: [Unit<Call> | undefined, Unit<Call> | undefined] = [undefined, undefined];
    let shared: Unit<Call> | undefined;
    const mostInTurns = this.#mostInTurns(functionId);
    let [active, engaged] = [0, 0];
    for (const unit of this.#options.threads.units) {
      // A thread that still starts runs no guest: meanwhile the spare one may.
      if (!unit.isStarted) continue;
      if (!unit.isIdle) {
        active++;
        if (unit.isShared && unit.inTurns <= (shared === undefined ? mostInTurns : shared.inTurns - 1)) shared = unit;
      } else if (unit.parked.size > 0) {
        engaged++;
        if (used === undefined || unit.parked.size < used.parked.size) used = unit;
      } else if (unused === undefined || (!unused.installed.has(functionId) && unit.installed.has(functionId)))
        unused = unit;
    }
    if (active >= this.#options.limit) return shared;
    // Guests that are suspended will run again: no more threads have some than may run guests.
    return active + engaged < this.#options.limit ? (unused ?? used) : used;
  }

  /**
   * Beside how many guests that take turns calls of a function are run: any number, but for one some of whose own compute for
   * longer than a slice, for each has the less of its thread the more there are, and its deadline does not wait.
   */
  #mostInTurns(functionId: string): number {
    return (this.#runs.get(functionId)?.sinceLong ?? Infinity) < REMEMBERED_RUNS ? 1 : Infinity;
  }

  /** Whether `place` finds a thread for a function as well as for any. */
  isAccepted(functionId: string): boolean {
    return (
      this.#mostInTurns(functionId) === Infinity ||
      this.idleUnit(functionId) !== undefined ||
      this.#leastLoaded(functionId) !== undefined
    );
  }

  /** Whether `place` finds a thread. */
  get hasRoom(): boolean {
    return this.idleUnit('') !== undefined || this.#leastLoaded('') !== undefined;
  }

  /** Takes note of how long a run of a function took; answers what one takes on average. */
  learn(functionId: string, runNs: number): number {
    const runs = this.#runs.get(functionId);
    if (runs === undefined) {
      this.#runs.set(functionId, { averageNs: runNs, sinceLong: runNs < SLICE_NS ? Infinity : 0 });
      return runNs;
    }
    runs.averageNs = Math.round(runs.averageNs + (runNs - runs.averageNs) * LEARNING);
    runs.sinceLong = runNs < SLICE_NS ? runs.sinceLong + 1 : 0;
    return runs.averageNs;
  }

  forget(functionId: string): void {
    this.#runs.delete(functionId);
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
    const mostInTurns = this.#mostInTurns(functionId);
    for (const unit of this.#options.threads.units) {
      const { inTurns } = unit;
      if (!unit.isOpen || unit.inFlight.length === 0 || inTurns > mostInTurns) continue;
      if (unit.backlogNs > (inTurns > 0 ? AHEAD_IN_TURNS_NS : AHEAD_NS)) continue;
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
    call.expectedNs = this.#runs.get(id)?.averageNs ?? UNKNOWN_NS;
    unit.backlogNs += call.expectedNs;
    this.#options.queue.started(call.definition, call.isBehind);
    // What only this side knows takes no call out of shared memory.
    const { input, caller: _caller, requestId: _requestId, ...given } = call.invocation;
    unit.send(call, { id, input, calledNs: call.calledNs, given: isEmpty(given) ? undefined : given, install });
    if (!call.isBehind) call.begin(this.onDeadline);
    if (unit.parked.size > 0) this.#lookLater();
  }

  /** Has it looked again soon whether a guest that was suspended keeps its thread from a call, or has let go of it. */
  watch(): void {
    if (this.#look !== undefined) return;
    for (const unit of this.#options.threads.units) {
      // One that takes up what was taken back tells nothing of that.
      if (unit.parked.size === 0 && unit.inTurns === 0 && unit.requests.hasRoom) continue;
      if (unit.inFlight.length === 0 && !this.#options.mustWait()) continue;
      this.#lookLater();
      return;
    }
  }

  #lookLater(): void {
    this.#look ??= setTimeout(() => {
      this.#look = undefined;
      this.#options.onDeadline();
    }, LOOK_MS);
  }

  /**
   * Takes a call, answered or not, from its thread, and lets the next one of the thread begin. `heldNs` is how long
   * it held the thread.
   */
  leave(call: Call, unit: Unit<Call>, heldNs: number = 0): void {
    const { queue } = this.#options;
    const { isParked } = call;
    call.stop();
    if (!isParked) unit.backlogNs -= call.expectedNs;
    queue.ended(call.definition, call.isBehind, heldNs);
    call.isBehind = false;
    if (!isParked) this.#advance(unit);
  }

  /** A call's guest is suspended: its thread is free for the next one. */
  parked(call: Call, unit: Unit<Call>): void {
    unit.backlogNs -= call.expectedNs;
    call.isParked = true;
    if (call.isBehind) this.#begin(call, unit);
    this.#advance(unit);
    if (unit.inFlight.length > 0) this.#lookLater();
  }

  /** Lets the next call of a thread begin. */
  #advance(unit: Unit<Call>): void {
    const head = unit.isAlive ? unit.inFlight[0] : undefined;
    if (head?.isBehind === true) this.#begin(head, unit);
  }

  #begin(call: Call, unit: Unit<Call>): void {
    call.isBehind = false;
    this.#options.queue.advanced(call.definition);
    if (!call.isSettled) call.begin(this.onDeadline);
    // Aborted when its thread had taken it up but not yet told the answer of the one before.
    else this.#endings.endAborted(call, unit);
  }

  /** Has an idle thread take over a call that waits behind another in a busier one; false when there is none. */
  steal(): boolean {
    const any = this.idleUnit('');
    if (any === undefined) return false;
    for (const unit of this.#options.threads.units) {
      // The first one runs, unless a guest that was suspended has kept the thread from it.
      // Where guests take turns a call may wait for a slice, in the one thread as in the other.
      const isKept = any.isIdle && isKeptWaiting(unit.inFlight[0]);
      const first = unit.parked.size > 0 && (unit.isHeld || isKept) ? 0 : 1;
      for (let at = unit.inFlight.length - 1; at >= first; at--) {
        const call = unit.inFlight[at] as Call;
        const idle = this.idleUnit(call.definition.id);
        if (idle === undefined || !unit.takeBack(call)) continue;
        this.leave(call, unit);
        this.#send(call, idle);
        return true;
      }
    }
    return false;
  }
}

/** Whether a thread should have taken a call up long ago. */
function isKeptWaiting(call: Call | undefined): boolean {
  return call !== undefined && call.heldNs(monotonicNs()) > AHEAD_NS;
}

function isEmpty(given: object): boolean {
  for (const _ in given) return false;
  return true;
}
