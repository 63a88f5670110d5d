/**
 * Sees to it that slow clients cost other functions nothing. A guest that waits for its client holds its thread: to send
 * more of a body than was received before, or to read. Requests whose bodies still come have all threads but one; and where
 * calls wait for a thread, guests whose clients are too far behind are stopped, that of the slowest first.
 */

import { NebulaError } from '../../host/errors.ts';
import { unwatchAbort, watchAbort } from '../../pools/abort-watch.ts';
import type { ExecutorStats } from '../../pools/executor-stats.ts';

/** A request whose guest runs. */
export interface Watched {
  /** Whether its guest waits for its client, and for nothing else. */
  readonly isAwaited: boolean;
  /** Whether its body still comes: it has one of the places. */
  readonly isReceiving: boolean;
  /** Bytes that its client has sent and read so far. */
  readonly movedBytes: number;
  /** Stops its guest, whose client is too slow. */
  stopSlow(): void;
}

const TICK_MS = 50;
/** How far a client may fall behind. */
const SLOW_CLIENT_GRACE_MS = 250;
/** A client that sends and reads this much while its guest waits does not fall behind. */
const LEAST_BYTES_PER_SECOND = 128 * 1024;

/** How far a client is behind, and what it had moved when that was looked at. */
interface Delay {
  lateMs: number;
  movedBytes: number;
}

interface Waiter {
  readonly name: string;
  begin(): void;
}

/**
 * Counts the places of requests whose bodies still come, and stops guests whose clients are too slow where threads or
 * places are wanted.
 */
export class ClientWatch {
  readonly #threads: number;
  readonly #places: number;
  readonly #load: () => Pick<ExecutorStats, 'running' | 'waiting'>;
  readonly #delays: Map<Watched, Delay> = new Map();
  /** Places taken, by function. */
  readonly #taken: Map<string, number> = new Map();
  readonly #waiters: Set<Waiter> = new Set();
  #timer: NodeJS.Timeout | undefined;

  /** `load` is the executor's. */
  constructor(threads: number, load: () => Pick<ExecutorStats, 'running' | 'waiting'>) {
    this.#threads = threads;
    this.#places = Math.max(1, threads - 1);
    this.#load = load;
  }

  /**
   * Waits for a place for a request whose body still comes; the function with the fewest is next.
   * @throws NebulaError QUEUE_FULL, CLIENT_CLOSED
   */
  async takePlace(name: string, queueLength: number, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted === true) throw new NebulaError('CLIENT_CLOSED');
    if (this.#takenInAll < this.#places) {
      this.#count(name, 1);
      return;
    }
    if ([...this.#waiters].filter((waiter) => waiter.name === name).length >= queueLength) {
      throw new NebulaError('QUEUE_FULL', { name, limit: queueLength });
    }
    this.#startTicking();
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiters.delete(waiter);
        reject(new NebulaError('CLIENT_CLOSED'));
      };
      const begin = (): void => {
        if (signal !== undefined) unwatchAbort(signal, onAbort);
        resolve();
      };
      const waiter: Waiter = { name, begin };
      this.#waiters.add(waiter);
      if (signal !== undefined) watchAbort(signal, onAbort);
    });
  }

  leavePlace(name: string): void {
    this.#count(name, -1);
    let next: Waiter | undefined;
    for (const waiter of this.#waiters) {
      if (next === undefined || this.#takenBy(waiter.name) < this.#takenBy(next.name)) next = waiter;
    }
    if (next === undefined) return;
    this.#waiters.delete(next);
    this.#count(next.name, 1);
    next.begin();
  }

  add(watched: Watched): void {
    this.#delays.set(watched, { lateMs: 0, movedBytes: watched.movedBytes });
    this.#startTicking();
  }

  remove(watched: Watched): void {
    this.#delays.delete(watched);
  }

  get #takenInAll(): number {
    let sum = 0;
    for (const count of this.#taken.values()) sum += count;
    return sum;
  }

  #takenBy(name: string): number {
    return this.#taken.get(name) ?? 0;
  }

  #count(name: string, change: number): void {
    const count = this.#takenBy(name) + change;
    if (count === 0) this.#taken.delete(name);
    else this.#taken.set(name, count);
  }

  #startTicking(): void {
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS).unref();
  }

  /** Looks who waits, and frees as many threads and places as are wanted. */
  #tick(): void {
    if (this.#delays.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    for (const [{ isAwaited, movedBytes }, delay] of this.#delays) {
      const caughtUpMs = ((movedBytes - delay.movedBytes) / LEAST_BYTES_PER_SECOND) * 1000;
      // What it moved at once, into the buffers on its way, gives it no credit for later.
      delay.lateMs = Math.max(0, delay.lateMs - caughtUpMs) + (isAwaited ? TICK_MS : 0);
      delay.movedBytes = movedBytes;
    }
    const { running, waiting } = this.#load();
    let threads = running >= this.#threads ? waiting : 0;
    let places = this.#waiters.size;
    if (threads === 0 && places === 0) return;
    for (const watched of this.#late()) {
      if (threads <= 0 && !(places > 0 && watched.isReceiving)) continue;
      threads--;
      if (watched.isReceiving) places--;
      this.remove(watched);
      watched.stopSlow();
    }
  }

  /** Those whose clients are too slow, the slowest first. */
  #late(): Watched[] {
    return [...this.#delays]
      .filter(([{ isAwaited }, { lateMs }]) => isAwaited && lateMs > SLOW_CLIENT_GRACE_MS)
      .sort(([, a], [, b]) => b.lateMs - a.lateMs)
      .map(([watched]) => watched);
  }
}
