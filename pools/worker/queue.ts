/**
 * Invocations that wait: first come, first served within a function; turn by turn among functions, so that one that is
 * called too often does not starve the others. A function at its concurrency is passed over.
 */

import { NebulaError } from '../../host/errors.ts';
import type { Limits } from '../../host/limits.ts';

/** What the queue needs to know of a function. */
export interface QueuedFunction {
  readonly id: string;
  readonly name: string;
  readonly limits: Pick<Limits, 'queueLength' | 'concurrency'>;
}

export interface Waiting {
  readonly definition: QueuedFunction;
}

interface Lane<T> {
  readonly waiting: Set<T>;
  running: number;
}

export class InvocationQueue<T extends Waiting> {
  /** Functions with invocations waiting or running; those with some waiting are also in `#turns`, in turn. */
  readonly #lanes: Map<string, Lane<T>> = new Map();
  readonly #turns: Set<string> = new Set();
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Whether an invocation may start at once: its function is below its concurrency and nothing of it waits. */
  mayStart(definition: QueuedFunction): boolean {
    const lane = this.#lanes.get(definition.id);
    return lane === undefined || (lane.waiting.size === 0 && lane.running < definition.limits.concurrency);
  }

  /** Whether nothing of a function waits or runs. */
  isIdle(id: string): boolean {
    return !this.#lanes.has(id);
  }

  /** Counts an invocation as running. */
  started(definition: QueuedFunction): void {
    this.#laneOf(definition.id).running++;
  }

  /** Counts an invocation as ended. */
  ended(definition: QueuedFunction): void {
    const lane = this.#lanes.get(definition.id);
    if (lane === undefined) return;
    lane.running--;
    if (lane.running === 0 && lane.waiting.size === 0) this.#lanes.delete(definition.id);
  }

  /** @throws NebulaError QUEUE_FULL */
  push(entry: T): void {
    const { id, name, limits } = entry.definition;
    const lane = this.#laneOf(id);
    if (lane.waiting.size >= limits.queueLength) {
      throw new NebulaError('QUEUE_FULL', { name, limit: limits.queueLength });
    }
    lane.waiting.add(entry);
    this.#turns.add(id);
    this.#length++;
  }

  /** Takes the next invocation whose function may run one more. */
  shift(): T | undefined {
    for (const id of this.#turns) {
      const lane = this.#lanes.get(id) as Lane<T>;
      const [entry] = lane.waiting;
      if (entry === undefined || lane.running >= entry.definition.limits.concurrency) continue;
      this.#turns.delete(id);
      this.#take(lane, entry);
      if (lane.waiting.size > 0) this.#turns.add(id);
      return entry;
    }
    return undefined;
  }

  /** Takes an invocation out of the queue; false when it does not wait. */
  remove(entry: T): boolean {
    const { id } = entry.definition;
    const lane = this.#lanes.get(id);
    if (lane?.waiting.has(entry) !== true) return false;
    this.#take(lane, entry);
    if (lane.waiting.size === 0) this.#turns.delete(id);
    if (lane.waiting.size === 0 && lane.running === 0) this.#lanes.delete(id);
    return true;
  }

  /** Takes everything that waits. */
  drain(): T[] {
    const entries = [...this.#lanes.values()].flatMap((lane) => [...lane.waiting]);
    for (const entry of entries) this.remove(entry);
    return entries;
  }

  #take(lane: Lane<T>, entry: T): void {
    lane.waiting.delete(entry);
    this.#length--;
  }

  #laneOf(id: string): Lane<T> {
    let lane = this.#lanes.get(id);
    if (lane === undefined) {
      lane = { waiting: new Set(), running: 0 };
      this.#lanes.set(id, lane);
    }
    return lane;
  }
}
