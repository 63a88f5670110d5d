/**
 * Intervals by resampling. Samples come in blocks of neighbours in time: what disturbs a machine lasts longer than a call, so
 * that calls of one block are no independent samples, and blocks are drawn with replacement; hierarchically, the calls in each
 * drawn block too (Kalibera and Jones 2013; Saravanan, Berman and Sober 2020). Pure: the randomness is seeded.
 */

import { geometricMean, mean } from './moments.ts';
import { interpolated, median, nearestRank, sorted } from './quantiles.ts';
import { pickFrom, seededRandom, type Random } from './random.ts';

/** Samples of one subject, block by block, in its own unit. */
export type Blocks = readonly Float64Array[];

/** A number with its 95 % interval, all in the number's unit. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** How often is drawn (1,000 by default) and from which seed (1 by default). */
export interface BootstrapOptions {
  readonly resamples?: number;
  readonly seed?: number;
}

/** The probability that every interval is made for, as its lower and upper quantile. */
const INTERVAL_95 = [0.025, 0.975] as const;

const RESAMPLES = 1000;

/** The answers of a statistic that draws from one generator, as often as the options say. */
export function repeated<Answer>(statistic: (random: Random) => Answer, options: BootstrapOptions = {}): Answer[] {
  const random = seededRandom(options.seed ?? 1);
  return Array.from({ length: options.resamples ?? RESAMPLES }, () => statistic(random));
}

/** Draws as many blocks as there are. */
function drawBlocks(count: number, random: Random): Int32Array {
  return Int32Array.from({ length: count }, () => pickFrom(count, random));
}

/**
 * Repeats a statistic over drawn blocks.
 * @param statistic is given the indexes of the drawn blocks, and the generator for what it draws within them
 */
export function resample(
  blockCount: number,
  statistic: (picks: Int32Array, random: Random) => number,
  options?: BootstrapOptions,
): Float64Array {
  return Float64Array.from(repeated((random) => statistic(drawBlocks(blockCount, random), random), options));
}

/**
 * The 95 % interval of values that resampling gave, around the value that the data gave: their quantiles, by the nearest rank
 * (percentile interval, Efron and Tibshirani 1993, chapter 13). Those that are no number are left out.
 */
export function percentileInterval(value: number, resampled: Iterable<number>): Estimate {
  const ascending = sorted([...resampled].filter((each) => !Number.isNaN(each)));
  const [low, high] = INTERVAL_95.map((share) => nearestRank(ascending, share)) as [number, number];
  return { value, low, high };
}

/**
 * The 95 % interval of a value whose standard error varies from draw to draw (bootstrap-t, Davison and Hinkley 1997, 2.4):
 * value - error * quantile of the studentised deviations (type 7). Without an error or a deviation it has no width.
 * @param error standard error of the value, in its unit
 * @param deviations (drawn value - value) / drawn error
 */
export function studentisedInterval(value: number, error: number, deviations: readonly number[]): Estimate {
  if (error === 0 || deviations.length === 0) return { value, low: value, high: value };
  const ascending = sorted(deviations);
  const [lower, upper] = INTERVAL_95.map((share) => interpolated(ascending, share)) as [number, number];
  return { value, low: value - error * upper, high: value - error * lower };
}

/** All samples of some blocks, in ascending order. */
export function joined(blocks: Blocks): Float64Array {
  const all = new Float64Array(blocks.reduce((sum, block) => sum + block.length, 0));
  let offset = 0;
  for (const block of blocks) {
    all.set(block, offset);
    offset += block.length;
  }
  return all.sort();
}

const pooledMedian = (blocks: Blocks): number => median(joined(blocks));

/** The median of calls drawn anew within the blocks that were drawn. */
function resampledMedian(blocks: Blocks, picks: Int32Array, random: Random): number {
  let size = 0;
  for (const pick of picks) size += blocks[pick]?.length ?? 0;
  const drawn = new Float64Array(size);
  let filled = 0;
  for (const pick of picks) {
    const block = blocks[pick] as Float64Array;
    for (let call = 0; call < block.length; call++) drawn[filled++] = block[pickFrom(block.length, random)] as number;
  }
  return median(drawn.sort());
}

/** The median of all samples, its interval by the hierarchical bootstrap. */
export function medianEstimate(blocks: Blocks, options?: BootstrapOptions): Estimate {
  const drawn = resample(blocks.length, (picks, random) => resampledMedian(blocks, picks, random), options);
  return percentileInterval(pooledMedian(blocks), drawn);
}

/** Two subjects that ran in the same blocks, which are therefore drawn together. */
export interface Pair {
  readonly subject: Blocks;
  readonly against: Blocks;
}

const commonBlocks = ({ subject, against }: Pair): number => Math.min(subject.length, against.length);

function resampledRatio({ subject, against }: Pair, picks: Int32Array, random: Random): number {
  return resampledMedian(subject, picks, random) / resampledMedian(against, picks, random);
}

/** The ratio of the medians of two subjects, its interval by the hierarchical bootstrap. */
export function ratioOfMedians(pair: Pair, options?: BootstrapOptions): Estimate {
  const value = pooledMedian(pair.subject) / pooledMedian(pair.against);
  return percentileInterval(
    value,
    resample(commonBlocks(pair), (picks, random) => resampledRatio(pair, picks, random), options),
  );
}

/** The geometric mean of the ratios of medians of several pairs; blocks are drawn once for all of them. */
export function geometricMeanOfRatios(pairs: readonly Pair[], options?: BootstrapOptions): Estimate {
  const value = geometricMean(pairs.map((pair) => pooledMedian(pair.subject) / pooledMedian(pair.against)));
  const count = Math.min(...pairs.map(commonBlocks));
  const drawn = resample(
    count,
    (picks, random) => geometricMean(pairs.map((pair) => resampledRatio(pair, picks, random))),
    options,
  );
  return percentileInterval(value, drawn);
}

/** Medians of several series over the same drawn blocks, handed to a statistic of all of them; the data's own come first. */
export function estimateOf(
  series: readonly Blocks[],
  statistic: (medians: readonly number[]) => number,
  options?: BootstrapOptions,
): Estimate {
  const value = statistic(series.map(pooledMedian));
  const count = Math.min(...series.map((blocks) => blocks.length));
  const drawn = resample(
    count,
    (picks, random) => statistic(series.map((blocks) => resampledMedian(blocks, picks, random))),
    options,
  );
  return percentileInterval(value, drawn);
}

const drawnOf = (blocks: Blocks, picks: Int32Array): Blocks =>
  Array.from(picks, (pick) => blocks[pick] as Float64Array);

/** The ratio of two subjects' quantiles (nearest rank); whole blocks are drawn, with all of their samples. */
export function ratioOfQuantiles({ subject, against }: Pair, share: number, options?: BootstrapOptions): Estimate {
  const quantileOf = (blocks: Blocks): number => nearestRank(joined(blocks), share);
  const drawn = resample(
    commonBlocks({ subject, against }),
    (picks) => quantileOf(drawnOf(subject, picks)) / quantileOf(drawnOf(against, picks)),
    options,
  );
  return percentileInterval(quantileOf(subject) / quantileOf(against), drawn);
}

const meanOf = (values: readonly number[], picks: Int32Array): number =>
  mean(Float64Array.from(picks, (pick) => values[pick] as number));

/** The ratio of two means of one number for each block; those that both have are drawn together. */
export function ratioOfMeans(
  subject: readonly number[],
  against: readonly number[],
  options?: BootstrapOptions,
): Estimate {
  const count = Math.min(subject.length, against.length);
  const ratioOf = (picks: Int32Array): number => meanOf(subject, picks) / meanOf(against, picks);
  const all = Int32Array.from({ length: count }, (_, index) => index);
  return percentileInterval(ratioOf(all), resample(count, ratioOf, options));
}
