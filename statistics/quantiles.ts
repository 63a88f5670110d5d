/**
 * Order statistics. The definitions are numbered as Hyndman and Fan 1996 (Sample quantiles in statistical packages) number
 * them, and are kept apart by name because published figures depend on which one was taken. Pure functions.
 */

/** The values in ascending order, which most functions here want; the list given stays as it is. */
export function sorted(values: Iterable<number>): Float64Array {
  return Float64Array.from(values).sort();
}

/**
 * Type 1: the smallest value that at least a share of the values do not exceed (nearest rank). It is always one of the
 * values. NaN of none. Latencies, and the bounds of percentile intervals, are told by it.
 * @param share in [0, 1]: 0.5 for the median
 */
export function nearestRank(ascending: Float64Array, share: number): number {
  if (ascending.length === 0) return Number.NaN;
  const rank = Math.min(ascending.length - 1, Math.max(0, Math.ceil(share * ascending.length) - 1));
  return ascending[rank] as number;
}

/**
 * Type 7: on the line between the two neighbours of rank `share * (n - 1)`, counted from 0. R's default and numpy's. NaN of
 * none. What instruments read is told by it.
 * @param share in [0, 1]
 */
export function interpolated(ascending: Float64Array, share: number): number {
  if (ascending.length === 0) return Number.NaN;
  const rank = share * (ascending.length - 1);
  const below = Math.floor(rank);
  const low = ascending[below] as number;
  const high = ascending[below + 1] as number;
  return rank === below ? low : low + (rank - below) * (high - low);
}

/** Type 7 rounded down to one of the values (numpy's method `lower`). NaN of none. */
export function lowerRank(ascending: Float64Array, share: number): number {
  return ascending[Math.floor(share * (ascending.length - 1))] ?? Number.NaN;
}

/** The middle value, or half-way between the two in the middle (types 2 and 7 agree on it); NaN of none. */
export function median(ascending: Float64Array): number {
  return interpolated(ascending, 0.5);
}
