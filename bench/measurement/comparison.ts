/** A subject held against another, and against the bar that was set for it. */

import type { Series } from './series.ts';
import { ratioOfMeans, ratioOfQuantiles, type Estimate } from '../../statistics/bootstrap.ts';

/** `ratio` is subject over against. A bar with `atMost` is met from below, one with `atLeast` from above. */
export interface Comparison {
  readonly bench: string;
  readonly function?: string;
  readonly subject: string;
  readonly against: string;
  /** What is compared: p50Us, p99Us, perSecond, rssBytes or idleCpuShare. */
  readonly metric: string;
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
  readonly bar?: number;
  readonly sense?: 'atMost' | 'atLeast';
  /** Whether the bar is met; null for a comparison without one. */
  readonly met: boolean | null;
  /** False when the interval contains 1: then no difference is claimed. */
  readonly different: boolean;
}

/** What a ratio is held against. */
export interface Bar {
  readonly sense: 'atMost' | 'atLeast';
  readonly value: number;
}

interface Names {
  readonly bench: string;
  readonly function?: string | undefined;
  readonly subject: string;
  readonly against: string;
  readonly metric: string;
}

/** A ratio with its interval, held against its bar if it has one. */
export function compared(names: Names, estimate: Estimate, bar?: Bar): Comparison {
  const { value: ratio, low, high } = estimate;
  const met = bar === undefined ? null : bar.sense === 'atMost' ? ratio <= bar.value : ratio >= bar.value;
  return {
    bench: names.bench,
    ...(names.function === undefined ? {} : { function: names.function }),
    subject: names.subject,
    against: names.against,
    metric: names.metric,
    ratio,
    low,
    high,
    ...(bar === undefined ? {} : { bar: bar.value, sense: bar.sense }),
    met,
    different: !(low <= 1 && high >= 1),
  };
}

/** Compares a quantile of two series: `share` 0.5 is the median. */
export function compareLatency(subject: Series, against: Series, share: number, bar?: Bar): Comparison {
  const names = {
    bench: subject.bench,
    function: subject.function,
    subject: subject.subject,
    against: against.subject,
  };
  const estimate = ratioOfQuantiles({ subject: subject.blocks, against: against.blocks }, share);
  return compared({ ...names, metric: `p${share * 100}Us` }, estimate, bar);
}

/** Compares rates, of which there is one for each block. */
export function compareRates(
  names: Names,
  subject: readonly number[],
  against: readonly number[],
  bar?: Bar,
): Comparison {
  return compared(names, ratioOfMeans(subject, against), bar);
}

/** A bar that is met by this ratio or less. */
export const atMost = (value: number): Bar => ({ sense: 'atMost', value });
/** A bar that is met by this ratio or more. */
export const atLeast = (value: number): Bar => ({ sense: 'atLeast', value });
