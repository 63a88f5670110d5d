/**
 * What functions have of the threads together whose calls keep being stopped while their threads live on: a share, however many
 * they are, as long as others are called. Nobody else wants the threads: then all of them.
 */

import { Debt } from './debt.ts';

/** Share of the time of all threads that goes to calls which are stopped. */
export const STOPPED_SHARE = 1 / 4;
/** No call of theirs waits for longer than this for those before it to be paid off. */
const LONGEST_WAIT_NS = 30e9;

/** What the share needs to know of its pool. */
export interface StoppedShareOptions {
  /** Threads that may run guests at once. */
  readonly limit: number;
  /** How many of them run a call of a function that keeps being stopped. */
  running(nowNs: number): number;
  /** Whether a function of another kind is called, or waits. */
  areOthersActive(nowNs: number): boolean;
}

/** The share of one pool. */
export class StoppedShare {
  readonly #options: StoppedShareOptions;
  readonly #debt: Debt;

  constructor(options: StoppedShareOptions) {
    this.#options = options;
    this.#debt = new Debt(() => STOPPED_SHARE * options.limit);
  }

  /** Takes note of a call that was stopped after it had its thread for so long. What nobody else wanted costs nothing. */
  charge(heldNs: number, nowNs: number): void {
    if (this.#options.areOthersActive(nowNs)) this.#debt.add(heldNs, nowNs, LONGEST_WAIT_NS);
  }

  /** Whether none of them may have a thread now. */
  isSpent(nowNs: number): boolean {
    const { limit } = this.#options;
    const isFree = this.#debt.owedNs(nowNs) === 0 && this.#options.running(nowNs) < Math.max(1, limit >> 1);
    return !isFree && this.#options.areOthersActive(nowNs);
  }

  /** Nanoseconds until what they have had is paid off. */
  waitNs(nowNs: number): number {
    return this.#debt.waitNs(nowNs);
  }
}
