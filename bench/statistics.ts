/** Statistics over samples: pure functions, no clock. */

/** The value below which a share of the samples lies, by the nearest rank (Hyndman and Fan 1996, type 1). */
export function quantile(sorted: Float64Array, share: number): number {
  if (sorted.length === 0) return Number.NaN;
  const rank = Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1));
  return sorted[rank] as number;
}

/** A small generator of repeatable randomness in [0, 1): mulberry32. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Puts items into random order (Fisher and Yates). */
export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [result[last], result[other]] = [result[other] as T, result[last] as T];
  }
  return result;
}

export interface Interval {
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Samples of one subject, in blocks of neighbours in time: what disturbs a machine lasts longer than a sample, so blocks
 * are resampled and not samples.
 */
export type Blocks = readonly Float64Array[];

const RESAMPLES = 1000;

/**
 * The ratio of two subjects' quantiles with its 95 % interval, by a bootstrap over blocks (Efron and Tibshirani 1993,
 * percentile interval). The subjects ran in the same blocks, so they are resampled together.
 */
export function ratioOfQuantiles(subject: Blocks, against: Blocks, share: number, seed = 1): Interval {
  const random = seededRandom(seed);
  const count = Math.min(subject.length, against.length);
  const ratios = new Float64Array(RESAMPLES);
  for (let resample = 0; resample < RESAMPLES; resample++) {
    const picks = Array.from({ length: count }, () => Math.floor(random() * count));
    ratios[resample] = quantileOf(subject, picks, share) / quantileOf(against, picks, share);
  }
  ratios.sort();
  const ratio = quantile(joined(subject), share) / quantile(joined(against), share);
  return { ratio, low: quantile(ratios, 0.025), high: quantile(ratios, 0.975) };
}

/** The ratio of two means of one number per block, with its interval, in the same way. */
export function ratioOfMeans(subject: readonly number[], against: readonly number[], seed = 1): Interval {
  const random = seededRandom(seed);
  const count = Math.min(subject.length, against.length);
  const ratios = new Float64Array(RESAMPLES);
  const all = Array.from({ length: count }, (_, index) => index);
  for (let resample = 0; resample < RESAMPLES; resample++) {
    const picks = all.map(() => Math.floor(random() * count));
    ratios[resample] = meanOf(subject, picks) / meanOf(against, picks);
  }
  ratios.sort();
  return {
    ratio: meanOf(subject, all) / meanOf(against, all),
    low: quantile(ratios, 0.025),
    high: quantile(ratios, 0.975),
  };
}

function meanOf(values: readonly number[], picks: readonly number[]): number {
  return picks.reduce((sum, pick) => sum + (values[pick] as number), 0) / picks.length;
}

function quantileOf(blocks: Blocks, picks: readonly number[], share: number): number {
  return quantile(joined(picks.map((pick) => blocks[pick] as Float64Array)), share);
}

/** All samples of some blocks, sorted. */
export function joined(blocks: Blocks): Float64Array {
  const all = new Float64Array(blocks.reduce((sum, block) => sum + block.length, 0));
  let offset = 0;
  for (const block of blocks) {
    all.set(block, offset);
    offset += block.length;
  }
  return all.sort();
}
