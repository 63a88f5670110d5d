/**
 * How many threads may run guests: more than at first while calls wait and the guest of every thread does, too, and again
 * fewer once some had nothing to do. Guests that compute are no reason for more: the machine has no more cores by that.
 */

import type { Call } from './call.ts';
import type { Threads } from './threads.ts';
import type { Unit } from './unit.ts';

/** How often it is looked whether all threads wait, as long as calls do. */
const LOOK_MS = 10;
/** A thread that had no call for so long is one too many. */
const UNUSED_MS = 5_000;

/** What growth needs to know of its pool. */
export interface GrowthOptions {
  readonly threads: Threads<Call>;
  /** Threads that may run guests at first, and at most. */
  readonly least: number;
  readonly most: number;
  /** Threads that stand by beside them. */
  readonly spare: number;
  /** Whether a call waits that a further thread would run. */
  mustWait(): boolean;
}

/** The number of threads of one pool that may run guests. */
export class Growth {
  readonly #options: GrowthOptions;
  #limit: number;
  #look: NodeJS.Timeout | undefined;
  #sweep: NodeJS.Timeout | undefined;
  /** What each thread had been sent when it was last looked at. */
  #sent: Map<Unit<Call>, number> = new Map();
  #isClosed = false;

  constructor(options: GrowthOptions) {
    this.#options = options;
    this.#limit = options.least;
  }

  /** Threads that may run guests at once. */
  get limit(): number {
    return this.#limit;
  }

  /** Takes note that calls wait; soon it is seen what for. */
  expect(): void {
    if (this.#look !== undefined || this.#limit >= this.#options.most || this.#isClosed) return;
    this.#look = setTimeout(() => {
      this.#look = undefined;
      this.#lookAround();
    }, LOOK_MS);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#look);
    clearTimeout(this.#sweep);
  }

  #lookAround(): void {
    if (!this.#options.mustWait()) return;
    if (this.#areAllWaiting()) this.#add();
    this.expect();
  }

  /** Whether as many guests wait as threads may run, and none is starting that would run one more. */
  #areAllWaiting(): boolean {
    let waiting = 0;
    for (const unit of this.#options.threads.units) {
      if (!unit.isStarted) return false;
      if (unit.isIdle) continue;
      if (!unit.isWaiting) return false;
      waiting++;
    }
    return waiting >= this.#limit;
  }

  #add(): void {
    this.#limit++;
    this.#options.threads.grow();
    this.#sweepLater();
  }

  #sweepLater(): void {
    this.#sweep ??= setTimeout(() => {
      this.#sweep = undefined;
      this.#dropUnused();
    }, UNUSED_MS).unref();
  }

  /**
   * Ends the threads that had no call since it was last done, but for as many as are to stand by: those that are used one after
   * the other leave just so many unused.
   */
  #dropUnused(): void {
    const { threads, least, spare } = this.#options;
    const [units, sent] = [[...threads.units], new Map<Unit<Call>, number>()];
    const isRested = (unit: Unit<Call>): boolean => unit.isUnused && this.#sent.get(unit) === unit.sent;
    let left = units.filter(isRested).length - spare;
    for (const unit of units.toReversed()) {
      if (left > 0 && this.#limit > least && isRested(unit) && threads.drop(unit)) {
        this.#limit--;
        left--;
      } else sent.set(unit, unit.sent);
    }
    this.#sent = sent;
    if (this.#limit > least) this.#sweepLater();
  }
}
