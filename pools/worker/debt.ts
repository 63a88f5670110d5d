/** Time of threads that is owed, and paid off as time goes by: what is spent so is a share of the time in the long run. */

/** A leaky bucket of nanoseconds. */
export class Debt {
  /** Nanoseconds that are paid off in one. */
  readonly #share: () => number;
  #owedNs = 0;
  #paidNs = 0;

  constructor(share: () => number) {
    this.#share = share;
  }

  owedNs(nowNs: number): number {
    if (this.#owedNs > 0) this.#owedNs = Math.max(0, this.#owedNs - (nowNs - this.#paidNs) * this.#share());
    this.#paidNs = nowNs;
    return this.#owedNs;
  }

  /** Adds a cost. What is owed then takes no longer to pay off than `longestNs`, but for `allowedNs` of it. */
  add(costNs: number, nowNs: number, longestNs: number, allowedNs: number = 0): void {
    this.#owedNs = Math.min(allowedNs + longestNs * this.#share(), this.owedNs(nowNs) + costNs);
  }

  /** Nanoseconds until no more than so much is owed. */
  waitNs(nowNs: number, allowedNs: number = 0): number {
    return Math.max(0, this.owedNs(nowNs) - allowedNs) / this.#share();
  }
}
