/** Means and standard deviations. Pure functions. */

/** The arithmetic mean, summed around the first value, so that large values close together keep their digits; NaN of none. */
export function mean(values: ArrayLike<number>): number {
  const shift = values[0] ?? Number.NaN;
  let sum = 0;
  for (let at = 0; at < values.length; at++) sum += (values[at] as number) - shift;
  return shift + sum / values.length;
}

/** Of a sample (divided by n - 1), in two passes (Chan, Golub and LeVeque 1983); NaN of fewer than two values. */
export function standardDeviation(values: ArrayLike<number>): number {
  const { length } = values;
  if (length < 2) return Number.NaN;
  const centre = mean(values);
  let squares = 0;
  let rest = 0;
  for (let at = 0; at < length; at++) {
    const off = (values[at] as number) - centre;
    squares += off * off;
    rest += off;
  }
  return Math.sqrt((squares - (rest * rest) / length) / (length - 1));
}

/** The n-th root of a product, by logarithms: how ratios are averaged (Fleming and Wallace 1986). NaN of none. */
export function geometricMean(ratios: ArrayLike<number>): number {
  let sum = 0;
  for (let at = 0; at < ratios.length; at++) sum += Math.log(ratios[at] as number);
  return Math.exp(sum / ratios.length);
}
