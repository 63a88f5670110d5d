/**
 * Finds the highest rate that a server sustains: doubling until it does not, then halving the gap. A rate that fails is tried
 * again, since a machine that was busy for a moment is no limit of the server's. Pure but for its probe.
 */

/** Where the search begins and ends; rates per second. */
export interface KneeOptions {
  readonly startPerSecond: number;
  readonly maxPerSecond: number;
  /** Halvings of the gap once both sides of the knee are known. */
  readonly refinements: number;
  /** How often a rate must fail in a row to count as not sustained. */
  readonly tries: number;
  /** Ends the search with what is known by then. */
  readonly signal?: AbortSignal;
}

/** What was found; rates per second. */
export interface Knee {
  /** The highest rate that was sustained; 0 when not even the first one was. */
  readonly sustainedPerSecond: number;
  /** The lowest rate that was not; null when every one was. */
  readonly failedPerSecond: number | null;
}

/** @param probe whether the rate is sustained; it is asked for one rate at a time */
export async function findKnee(
  probe: (ratePerSecond: number) => Promise<boolean>,
  { startPerSecond, maxPerSecond, refinements, tries, signal }: KneeOptions,
): Promise<Knee> {
  const isSustained = async (rate: number): Promise<boolean> => {
    for (let left = tries; left > 0; left--) {
      if (await probe(rate)) return true;
      if (signal?.aborted === true) break;
    }
    return false;
  };
  let sustained = 0;
  let failed: number | null = null;
  for (let rate = startPerSecond; failed === null && rate <= maxPerSecond; rate *= 2) {
    if (signal?.aborted === true) break;
    if (await isSustained(rate)) sustained = rate;
    else failed = rate;
  }
  for (let left = refinements; left > 0 && failed !== null && sustained > 0; left--) {
    if (signal?.aborted === true) break;
    // Geometrically: a rate is as far from its double as from its half.
    const rate = Math.sqrt(sustained * failed);
    if (await isSustained(rate)) sustained = rate;
    else failed = rate;
  }
  return { sustainedPerSecond: sustained, failedPerSecond: failed };
}
