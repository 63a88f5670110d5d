/** A number with its 95 % interval, and what is computed of several. Pure. */

/** A number with its 95 % interval; null stands for one without bound. */
export interface Bounded {
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
}

/** A number times one that is known exactly and not negative. */
export function scaled({ value, low, high }: Bounded, factor: number): Bounded {
  return { value: value * factor, low: low === null ? null : low * factor, high: high === null ? null : high * factor };
}

/**
 * The quotient of two independent numbers: their intervals recovered as variances of logarithms (MOVER-R, Zou and Donner 2008).
 * A side that is not above 0 with its whole interval leaves it without bounds.
 */
export function quotient(subject: Bounded, against: Bounded): Bounded {
  const value = subject.value / against.value;
  const [own, other] = [logWidths(subject), logWidths(against)];
  if (own === undefined || other === undefined) return { value, low: null, high: null };
  return {
    value,
    low: value * Math.exp(-Math.hypot(own.below, other.above)),
    high: value * Math.exp(Math.hypot(own.above, other.below)),
  };
}

function logWidths({ value, low, high }: Bounded): { readonly below: number; readonly above: number } | undefined {
  if (low === null || high === null || !(low > 0)) return undefined;
  return { below: Math.log(value / low), above: Math.log(high / value) };
}
