/** How much of the time of all threads may go into starting new ones in place of those that were ended. */

import { Debt } from './debt.ts';

/** Share of that time; beyond it, who ends threads waits. */
const STARTING_SHARE = 1 / 16;
/** Starts that may be owed before those who end threads wait. */
const FREE_STARTS = 4;
/** Nobody waits for longer than this until threads may be ended again. */
const LONGEST_WAIT_NS = 10e9;

/** The budget of one pool. */
export class StartBudget {
  readonly #debt: Debt;
  /** What a start takes. */
  #startNs = 0;

  /** `limit` answers how many threads may run guests at once. */
  constructor(limit: () => number) {
    this.#debt = new Debt(() => STARTING_SHARE * limit());
  }

  /** Takes note of a thread that was ended, where another takes `startNs` to start. */
  spend(startNs: number, nowNs: number): void {
    this.#startNs = startNs;
    this.#debt.add(startNs, nowNs, LONGEST_WAIT_NS, FREE_STARTS * startNs);
  }

  /** Whether all starts are paid off. */
  isUnspent(nowNs: number): boolean {
    return this.#debt.owedNs(nowNs) === 0;
  }

  /** Nanoseconds until threads may be put at risk again. */
  waitNs(nowNs: number): number {
    return this.#debt.waitNs(nowNs, FREE_STARTS * this.#startNs);
  }
}
