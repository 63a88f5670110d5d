/** How many records are taken: some at once, then so many a second. What is more is counted. */

/** Records of one kind that are taken at once, and then in each second. */
export const RECORDS_AT_ONCE = 200;
export const RECORDS_PER_S = 100;

/** The pace at which one function may fill its log. */
export class Pace {
  #left = RECORDS_AT_ONCE;
  #filledMs = 0;
  #leftOut = 0;

  /** Takes one record's place; false where there is none, and the record is counted as left out. */
  take(nowMs: number): boolean {
    // A clock that is set back takes nothing away.
    const passedMs = Math.max(0, nowMs - this.#filledMs);
    this.#left = Math.min(RECORDS_AT_ONCE, this.#left + (passedMs * RECORDS_PER_S) / 1000);
    this.#filledMs = nowMs;
    if (this.#left < 1) {
      this.#leftOut++;
      return false;
    }
    this.#left--;
    return true;
  }

  /** Counts records as left out that were not even made. */
  leaveOut(count: number): void {
    this.#leftOut += count;
  }

  /** How many were left out since this was last asked. */
  takeLeftOut(): number {
    const count = this.#leftOut;
    this.#leftOut = 0;
    return count;
  }
}
