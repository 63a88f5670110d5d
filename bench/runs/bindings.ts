/** `bench bindings`: what a call of a binding costs a guest, in the pool and in thread, for one that answers at once. */

import { atMost, compareLatency } from '../measurement/comparison.ts';
import type { Findings } from '../measurement/result.ts';
import { measure, rowOf, type Series, type Subject } from '../measurement/series.ts';
import { boundGuest, extismHostFunction, rawAtomics } from '../subjects/bindings.ts';
import type { RunOptions } from './options.ts';

/** The most that the pool may cost over two threads that only pass a cell to and fro. */
const MOST_OVER_RAW = 1.2;
/** The most that a call may cost in thread, in microseconds. */
const MOST_IN_THREAD_US = 2;
const PER_BLOCK = 10;

/** Measures calls of bindings beside what they cost at least, and beside Extism's host functions. */
export async function runBindings({ blocks, seed }: RunOptions): Promise<Findings> {
  const nebula = [await boundGuest('worker'), rawAtomics(), await boundGuest('in-thread')] as const;
  const peers = [await extismHostFunction(false), await extismHostFunction(true)];
  const subjects: Subject[] = [...nebula, ...peers.filter((peer) => peer !== undefined)];
  const plan = { bench: 'bindings', function: 'call-binding', blocks, perBlock: PER_BLOCK, warmUp: 20, seed };
  const series = await measure(subjects, plan);
  for (const subject of subjects) await subject.close?.();
  const of = (name: string): Series | undefined => series.find(({ subject }) => subject === name);
  const [pool, raw, here] = nebula.map(({ name }) => of(name)) as [Series, Series, Series];
  const most = here.blocks.map(() => Float64Array.of(MOST_IN_THREAD_US));
  const limit: Series = { ...here, subject: `${MOST_IN_THREAD_US} us`, blocks: most };
  const comparisons = [
    compareLatency(pool, raw, 0.5, atMost(MOST_OVER_RAW)),
    compareLatency(here, limit, 0.5, atMost(1)),
  ];
  const [extism, extismWorker] = [of('extism'), of('extism-worker')];
  if (extism !== undefined) comparisons.push(compareLatency(here, extism, 0.5));
  if (extismWorker !== undefined) comparisons.push(compareLatency(pool, extismWorker, 0.5));
  const missing = extism === undefined ? ['extism'] : [];
  return { rows: series.map(rowOf), comparisons, series, missing };
}
