/** What was found when all that wait were looked at: true for a while, as long as nothing changes. */

/** For how long it is still true as far as time goes. */
const FOUND_FOR_NS = 1e6;

/** An answer that takes a look at all that wait. */
export class Finding {
  #isTrue = false;
  #untilNs = -Infinity;
  #changes = -1;

  /** The answer of `look`, which is asked again only after changes or a while. */
  isTrue(changes: number, nowNs: number, look: () => boolean): boolean {
    if (changes === this.#changes && nowNs < this.#untilNs) return this.#isTrue;
    this.#isTrue = look();
    this.#changes = changes;
    this.#untilNs = nowNs + FOUND_FOR_NS;
    return this.#isTrue;
  }
}
