/** Finds the highest rate that a server sustains: doubling until it does not, then halving the gap. Pure but for its probe. */

export interface KneeOptions {
  readonly startPerSecond: number;
  readonly maxPerSecond: number;
  /** Halvings of the gap once both sides of the knee are known. */
  readonly refinements: number;
  /** Ends the search with what is known by then. */
  readonly signal?: AbortSignal;
}

export interface Knee {
  /** The highest rate that was sustained; 0 when not even the first one was. */
  readonly sustainedPerSecond: number;
  /** The lowest rate that was not; null when every one was. */
  readonly failedPerSecond: number | null;
}

/** @param probe whether the rate is sustained; it is asked for one rate at a time */
export async function findKnee(
  probe: (ratePerSecond: number) => Promise<boolean>,
  { startPerSecond, maxPerSecond, refinements, signal }: KneeOptions,
): Promise<Knee> {
  let sustained = 0;
  let failed: number | null = null;
  for (let rate = startPerSecond; failed === null && rate <= maxPerSecond; rate *= 2) {
    if (signal?.aborted === true) break;
    if (await probe(rate)) sustained = rate;
    else failed = rate;
  }
  for (let left = refinements; left > 0 && failed !== null && sustained > 0; left--) {
    if (signal?.aborted === true) break;
    // Geometrically: a rate is as far from its double as from its half.
    const rate = Math.sqrt(sustained * failed);
    if (await probe(rate)) sustained = rate;
    else failed = rate;
  }
  return { sustainedPerSecond: sustained, failedPerSecond: failed };
}
