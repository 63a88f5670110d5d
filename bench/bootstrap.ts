/**
 * Intervals by the hierarchical bootstrap: blocks are drawn with replacement, and in each drawn block its calls (Kalibera
 * and Jones 2013; Saravanan, Berman and Sober 2020). What disturbs a machine lasts longer than a call, so that calls of one
 * block are no independent samples. Percentile intervals (Efron and Tibshirani 1993, chapter 13). Pure: the randomness is seeded.
 */

import { geometricMean, median, sorted } from './descriptive.ts';
import { quantile, seededRandom, type Blocks } from './statistics.ts';

/** A number with its 95 % interval. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface BootstrapOptions {
  readonly resamples?: number;
  readonly seed?: number;
}

const RESAMPLES = 1000;

type Random = () => number;

/** Draws as many blocks as there are. */
function drawBlocks(count: number, random: Random): Int32Array {
  return Int32Array.from({ length: count }, () => Math.floor(random() * count));
}

/** The median of calls drawn anew within the blocks that were drawn. */
function resampledMedian(blocks: Blocks, picks: Int32Array, random: Random): number {
  let size = 0;
  for (const pick of picks) size += blocks[pick]?.length ?? 0;
  const drawn = new Float64Array(size);
  let filled = 0;
  for (const pick of picks) {
    const block = blocks[pick] as Float64Array;
    for (let call = 0; call < block.length; call++)
      drawn[filled++] = block[Math.floor(random() * block.length)] as number;
  }
  return median(drawn.sort());
}

const pooledMedian = (blocks: Blocks): number => median(sorted(blocks.flatMap((block) => [...block])));

/** The interval of values that resampling gave, around the value that the data gave. Those that are no number are left out. */
export function percentileInterval(value: number, resampled: Iterable<number>): Estimate {
  const ascending = sorted([...resampled].filter((each) => !Number.isNaN(each)));
  return { value, low: quantile(ascending, 0.025), high: quantile(ascending, 0.975) };
}

/** Repeats a statistic over drawn blocks. */
export function resample(
  blockCount: number,
  statistic: (picks: Int32Array, random: Random) => number,
  options: BootstrapOptions = {},
): Float64Array {
  const random = seededRandom(options.seed ?? 1);
  return Float64Array.from({ length: options.resamples ?? RESAMPLES }, () =>
    statistic(drawBlocks(blockCount, random), random),
  );
}

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

/** The ratio of the medians of two subjects. */
export function ratioOfMedians(pair: Pair, options?: BootstrapOptions): Estimate {
  const value = pooledMedian(pair.subject) / pooledMedian(pair.against);
  return percentileInterval(
    value,
    resample(commonBlocks(pair), (picks, random) => resampledRatio(pair, picks, random), options),
  );
}

/** The geometric mean of the ratios of several pairs; blocks are drawn once for all of them. */
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

/** Medians of several series over the same drawn blocks, handed to a statistic of all of them. */
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
