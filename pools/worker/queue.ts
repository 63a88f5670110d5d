/**
 * Invocations that wait: first come, first served within a function. Among functions the one that has used the least time
 * of threads is next, and turn by turn where that is equal, so that one that is called too often or runs too long does not
 * starve the others: start-time fair queueing. A function at its concurrency is passed over.
 * Source: Goyal, Vin and Cheng, Start-time Fair Queuing, SIGCOMM 1996.
 */

import { NebulaError } from '../../host/errors.ts';
import type { Limits } from '../../host/limits.ts';

/** What the queue needs to know of a function. */
export interface QueuedFunction {
  readonly id: string;
  readonly name: string;
  readonly limits: Pick<Limits, 'queueLength' | 'concurrency'>;
}

/** What can wait: an invocation of a function. */
export interface Waiting {
  readonly definition: QueuedFunction;
}

interface Lane<T> {
  readonly waiting: Set<T>;
  /** Sent to a thread and not ended. */
  inFlight: number;
  /** Of those, the ones that wait in the thread for one before them. */
  behind: number;
  /** Its start tag: time of threads that it has used, in nanoseconds, idle time counted as used. */
  usedNs: number;
}

/** Whether something besides its concurrency lets a function with so many invocations in flight have one more. */
export type Gate = (id: string, inFlight: number) => boolean;

/** Functions that are let through or held back together, so that each need not be asked about as long as they are held back. */
export interface Crowd {
  /** Whether a function is one of them, and they are held back. */
  holdsBack(id: string): boolean;
  /** Whether they are held back. */
  isHeldBack(): boolean;
}

const NOBODY: Crowd = { holdsBack: () => false, isHeldBack: () => false };

/** Functions looked at after the first that may run: beyond these, the turns are as good. */
const MOST_LOOKED_AT = 16;

/** What waits and what is in flight, by function. */
export class InvocationQueue<T extends Waiting> {
  /** Functions with invocations waiting or in flight; those with some waiting are also in `#turns`, in turn, or in `#aside`. */
  readonly #lanes: Map<string, Lane<T>> = new Map();
  readonly #turns: Set<string> = new Set();
  /** Those of the crowd with some waiting that were held back when it was their turn. They are not in `#turns` then. */
  readonly #aside: Set<string> = new Set();
  readonly #gate: Gate;
  readonly #crowd: Crowd;
  #length = 0;
  #behind = 0;
  #changes = 0;
  /** Virtual time: the start tag of what was started last. */
  #usedNs = 0;

  constructor(gate: Gate = () => true, crowd: Crowd = NOBODY) {
    this.#gate = gate;
    this.#crowd = crowd;
  }

  /** Invocations that wait, here or in a thread. */
  get waiting(): number {
    return this.#length + this.#behind;
  }

  /** Invocations that wait here. */
  get length(): number {
    return this.#length;
  }

  /** Counts whatever begins to wait, or to run, or does so no more. */
  get changes(): number {
    return this.#changes;
  }

  /** Whether an invocation may start at once: its function is below its concurrency and nothing of it waits here. */
  mayStart(definition: QueuedFunction): boolean {
    const lane = this.#lanes.get(definition.id);
    if (lane === undefined) return this.#gate(definition.id, 0);
    return lane.waiting.size === 0 && this.#mayRun(definition, lane);
  }

  /** Whether nothing waits or runs. */
  get isEmpty(): boolean {
    return this.#lanes.size === 0;
  }

  /** Whether nothing of a function waits or runs. */
  isIdle(id: string): boolean {
    return !this.#lanes.has(id);
  }

  /** Counts an invocation as handed over to be run, perhaps behind another that still runs. */
  started(definition: QueuedFunction, isBehind = false): void {
    const lane = this.#laneOf(definition.id);
    this.#changes++;
    lane.inFlight++;
    if (lane.usedNs < this.#usedNs && lane.waiting.size === 0) lane.usedNs = this.#usedNs;
    else if (lane.usedNs > this.#usedNs) this.#usedNs = lane.usedNs;
    if (isBehind) this.#countBehind(lane, 1);
  }

  /** Counts an invocation that waited in a thread as running. */
  advanced(definition: QueuedFunction): void {
    const lane = this.#lanes.get(definition.id);
    if (lane !== undefined) this.#countBehind(lane, -1);
  }

  /** Counts an invocation as ended, or taken back. `heldNs` is how long it held a thread. */
  ended(definition: QueuedFunction, wasBehind = false, heldNs = 0): void {
    const lane = this.#lanes.get(definition.id);
    if (lane === undefined) return;
    this.#changes++;
    lane.inFlight--;
    lane.usedNs += heldNs;
    if (wasBehind) this.#countBehind(lane, -1);
    // It may be none of the crowd any more.
    if (this.#aside.delete(definition.id)) this.#turns.add(definition.id);
    this.#forgetEmpty(definition.id, lane);
  }

  /** Whether one more of a function may wait. @throws NebulaError QUEUE_FULL */
  refuseFull({ id, name, limits }: QueuedFunction): void {
    const lane = this.#lanes.get(id);
    const waiting = lane === undefined ? 0 : lane.waiting.size + lane.behind;
    if (waiting >= limits.queueLength) {
      throw new NebulaError('QUEUE_FULL', { name, limit: limits.queueLength });
    }
  }

  /** @throws NebulaError QUEUE_FULL */
  push(entry: T): void {
    this.refuseFull(entry.definition);
    const { id } = entry.definition;
    const lane = this.#laneOf(id);
    if (lane.waiting.size === 0 && lane.usedNs < this.#usedNs) lane.usedNs = this.#usedNs;
    lane.waiting.add(entry);
    if (!this.#aside.has(id)) this.#turns.add(id);
    this.#length++;
    this.#changes++;
  }

  /** Puts invocations that were sent and came back before all others. */
  requeue(entries: readonly T[]): void {
    const ids = new Set(entries.map(({ definition }) => definition.id));
    for (const id of ids) {
      const lane = this.#laneOf(id);
      const later = [...lane.waiting];
      lane.waiting.clear();
      for (const entry of [...entries.filter(({ definition }) => definition.id === id), ...later])
        lane.waiting.add(entry);
    }
    this.#length += entries.length;
    this.#changes++;
    const turns = [...this.#turns, ...this.#aside];
    this.#turns.clear();
    this.#aside.clear();
    for (const id of [...ids, ...turns]) this.#turns.add(id);
  }

  /** Takes the next invocation whose function may run one more. */
  shift(): T | undefined {
    this.#letIn();
    let next: T | undefined;
    let least: Lane<T> | undefined;
    let lookedAt = 0;
    for (const id of this.#turns) {
      const lane = this.#lanes.get(id) as Lane<T>;
      if (next !== undefined && lookedAt++ === MOST_LOOKED_AT) break;
      if (least !== undefined && lane.usedNs >= least.usedNs) continue;
      const [entry] = lane.waiting;
      if (entry === undefined) continue;
      if (!this.#mayRun(entry.definition, lane)) {
        if (this.#crowd.holdsBack(id)) this.#setAside(id);
        continue;
      }
      next = entry;
      least = lane;
    }
    if (next === undefined || least === undefined) return undefined;
    const { id } = next.definition;
    this.#turns.delete(id);
    this.#take(least, next);
    if (least.waiting.size > 0) this.#turns.add(id);
    return next;
  }

  #setAside(id: string): void {
    this.#turns.delete(id);
    this.#aside.add(id);
  }

  /** Gives those set aside their turns again once they are not held back. */
  #letIn(): void {
    if (this.#aside.size === 0 || this.#crowd.isHeldBack()) return;
    for (const id of this.#aside) this.#turns.add(id);
    this.#aside.clear();
  }

  /** Whether something waits here that only wants a thread, as far as its function's concurrency goes. */
  get wantsThread(): boolean {
    return this.someWaiting(() => true);
  }

  /** Whether a function waits here that is below its concurrency, and of which `test` says yes. */
  someWaiting(test: (id: string, inFlight: number) => boolean): boolean {
    for (const id of this.#turns) if (this.#isWaiting(id, test)) return true;
    for (const id of this.#aside) if (this.#isWaiting(id, test)) return true;
    return false;
  }

  #isWaiting(id: string, test: (id: string, inFlight: number) => boolean): boolean {
    const lane = this.#lanes.get(id) as Lane<T>;
    const [entry] = lane.waiting;
    if (entry === undefined || lane.inFlight >= entry.definition.limits.concurrency) return false;
    return test(id, lane.inFlight);
  }

  #mayRun({ id, limits }: QueuedFunction, lane: Lane<T>): boolean {
    return lane.inFlight < limits.concurrency && this.#gate(id, lane.inFlight);
  }

  /** Takes an invocation out of the queue; false when it does not wait. */
  remove(entry: T): boolean {
    const { id } = entry.definition;
    const lane = this.#lanes.get(id);
    if (lane?.waiting.has(entry) !== true) return false;
    this.#take(lane, entry);
    if (lane.waiting.size === 0) {
      this.#turns.delete(id);
      this.#aside.delete(id);
    }
    this.#forgetEmpty(id, lane);
    return true;
  }

  /** Takes everything that waits, or all that waits of a function. */
  drain(id?: string): T[] {
    const lanes = id === undefined ? [...this.#lanes.values()] : [this.#lanes.get(id)];
    const entries = lanes.flatMap((lane) => [...(lane?.waiting ?? [])]);
    for (const entry of entries) this.remove(entry);
    return entries;
  }

  #countBehind(lane: Lane<T>, change: number): void {
    lane.behind += change;
    this.#behind += change;
  }

  #forgetEmpty(id: string, lane: Lane<T>): void {
    if (lane.waiting.size === 0 && lane.inFlight === 0) this.#lanes.delete(id);
  }

  #take(lane: Lane<T>, entry: T): void {
    lane.waiting.delete(entry);
    this.#length--;
    this.#changes++;
  }

  #laneOf(id: string): Lane<T> {
    let lane = this.#lanes.get(id);
    if (lane === undefined) {
      lane = { waiting: new Set(), inFlight: 0, behind: 0, usedNs: this.#usedNs };
      this.#lanes.set(id, lane);
    }
    return lane;
  }
}
