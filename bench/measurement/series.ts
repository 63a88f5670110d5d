/** Runs subjects side by side: in blocks, each block in a new random order, so that the machine's moods hit all alike. */

import { joined, type Blocks } from '../../statistics/bootstrap.ts';
import { nearestRank } from '../../statistics/quantiles.ts';
import { seededRandom, shuffled } from '../../statistics/random.ts';

/** Something whose latency is measured. */
export interface Subject {
  readonly name: string;
  /** Does it once. A promise is awaited. */
  run(): unknown;
  /** Takes the samples itself, in microseconds, in place of `run`: for what must live in a process of its own. */
  sample?(count: number): Promise<Float64Array>;
  /** Samples in each block; default is the plan's. */
  readonly perBlock?: number;
  close?(): unknown;
}

/** How many samples are taken, and in which order. */
export interface SeriesPlan {
  readonly bench: string;
  readonly function?: string;
  readonly blocks: number;
  readonly perBlock: number;
  /** Runs of each subject before the first block; they are not kept. */
  readonly warmUp: number;
  readonly seed: number;
}

/** A line of the result. Times in microseconds. */
export interface Row {
  readonly bench: string;
  readonly subject: string;
  readonly function?: string;
  /** Connections at once, where it is not the usual number of its bench. */
  readonly connections?: number;
  readonly n?: number;
  readonly p50Us?: number;
  readonly p90Us?: number;
  readonly p99Us?: number;
  readonly maxUs?: number;
  readonly perSecond?: number;
  readonly rssBytes?: number;
  /** Share of a core that it takes while nobody asks anything of it. */
  readonly idleCpuShare?: number;
  /** Of requests that were made at once: how many, of which `n` were answered 200. */
  readonly asked?: number;
  /** Median over the blocks of the time until all were answered 200; left out where one was not. */
  readonly allUs?: number;
  /** Requests that were answered otherwise, by status or by the code of an error. */
  readonly failures?: Readonly<Record<string, number>>;
  /** Whether its Node suspends guests that wait; else each holds a thread. */
  readonly suspendsGuests?: boolean;
  /** Functions of the module by V8's tier, before the call; means over the blocks. */
  readonly tiers?: { readonly uncompiled: number; readonly liftoff: number; readonly turbofan: number };
}

/** All samples of a subject, block by block, in microseconds. */
export interface Series {
  readonly bench: string;
  readonly subject: string;
  readonly function: string | undefined;
  readonly blocks: Blocks;
}

/** Measures subjects in one run. */
export async function measure(subjects: readonly Subject[], plan: SeriesPlan): Promise<Series[]> {
  const random = seededRandom(plan.seed);
  const samples = new Map(subjects.map((subject) => [subject.name, [] as Float64Array[]]));
  for (const subject of subjects) {
    if (subject.sample === undefined)
      await sample(subject, Math.min(plan.warmUp, (subject.perBlock ?? plan.warmUp) * 4));
  }
  for (let block = 0; block < plan.blocks; block++) {
    for (const subject of shuffled(subjects, random)) {
      globalThis.gc?.();
      samples.get(subject.name)?.push(await sample(subject, subject.perBlock ?? plan.perBlock));
    }
  }
  return subjects.map(({ name }) => ({
    bench: plan.bench,
    subject: name,
    function: plan.function,
    blocks: samples.get(name) ?? [],
  }));
}

async function sample(subject: Subject, count: number): Promise<Float64Array> {
  if (subject.sample !== undefined) return subject.sample(count);
  const times = new Float64Array(count);
  for (let at = 0; at < count; at++) {
    const startMs = performance.now();
    const pending = subject.run();
    if (pending instanceof Promise) await pending;
    times[at] = (performance.now() - startMs) * 1000;
  }
  return times;
}

/** Percentiles by the nearest rank over all blocks, and the rate that the mean gives. */
export function rowOf(series: Series): Row {
  const all = joined(series.blocks);
  const totalUs = all.reduce((sum, us) => sum + us, 0);
  return {
    bench: series.bench,
    subject: series.subject,
    ...(series.function === undefined ? {} : { function: series.function }),
    n: all.length,
    p50Us: nearestRank(all, 0.5),
    p90Us: nearestRank(all, 0.9),
    p99Us: nearestRank(all, 0.99),
    perSecond: (all.length / totalUs) * 1e6,
  };
}
