/** Counts what a source gives while it gives it, in memory that does not grow: for recordings of any length. */

import type { Reading } from './power-source.ts';
import type { SampleRule } from '../analysis/trace.ts';

/** What was read, and what of it could not be used. */
export interface ReadingCounts {
  readonly values: number;
  readonly malformed: number;
  readonly duplicates: number;
  readonly reordered: number;
  /** Retained from before the recording. */
  readonly stale: number;
  /** Places in which values are known to be missing. */
  readonly lost: number;
  /** Those of them in which the connection was lost. */
  readonly disconnected: number;
  /** Intervals longer than one and a half median ones, by a median known to 1 %. */
  readonly gaps: number;
  /** Falls of a counter. */
  readonly resets: number;
  readonly firstProblem?: string;
}

/** What is to be done with a reading: kept, left out, or a place in which values are missing. */
export type Verdict = 'keep' | 'leave' | 'lost';

/** Where each kind of reading that is no value is counted. */
const COUNTED = {
  malformed: 'malformed',
  duplicate: 'duplicates',
  reordered: 'reordered',
  stale: 'stale',
  lost: 'lost',
  disconnected: 'disconnected',
} as const;

/** Intervals are counted in steps of 1 %. */
const STEP = Math.log(1.01);

/** Counts readings as they come: gaps, repeats, late ones, without keeping them. */
export class ReadingTally {
  readonly #rule: SampleRule;
  readonly #counts: { -readonly [Name in keyof Omit<ReadingCounts, 'gaps' | 'firstProblem'>]: number } = {
    values: 0,
    malformed: 0,
    duplicates: 0,
    reordered: 0,
    stale: 0,
    lost: 0,
    disconnected: 0,
    resets: 0,
  };
  readonly #intervals = new Map<number, number>();
  #firstProblem: string | undefined;
  #lastS = Number.NEGATIVE_INFINITY;
  #lastValue = Number.NEGATIVE_INFINITY;

  constructor(rule: SampleRule) {
    this.#rule = rule;
  }

  take(reading: Reading): Verdict {
    if (reading.kind === 'value') return this.#value(reading.timeS, reading.value);
    this.#firstProblem ??= `${reading.kind}: ${reading.detail}`;
    this.#counts[COUNTED[reading.kind]]++;
    if (reading.kind === 'disconnected') this.#counts.lost++;
    return reading.kind === 'lost' || reading.kind === 'disconnected' ? 'lost' : 'leave';
  }

  #value(timeS: number, value: number): Verdict {
    if (timeS <= this.#lastS) {
      if (timeS === this.#lastS) this.#counts.duplicates++;
      else this.#counts.reordered++;
      return 'leave';
    }
    if (this.#counts.values > 0) {
      const step = Math.round(Math.log(timeS - this.#lastS) / STEP);
      this.#intervals.set(step, (this.#intervals.get(step) ?? 0) + 1);
    }
    if (this.#rule === 'counter' && value < this.#lastValue) this.#counts.resets++;
    this.#counts.values++;
    this.#lastS = timeS;
    this.#lastValue = value;
    return 'keep';
  }

  /** Time of the last value that was kept. */
  get lastS(): number {
    return this.#lastS;
  }

  counts(): ReadingCounts {
    const sorted = [...this.#intervals].sort(([a], [b]) => a - b);
    let left = (this.#counts.values - 1) / 2;
    const median = sorted.find(([, count]) => {
      left -= count;
      return left <= 0;
    })?.[0];
    const limit = (median ?? 0) + Math.log(1.5) / STEP;
    const gaps = sorted.reduce((sum, [step, count]) => sum + (step > limit ? count : 0), 0);
    return {
      ...this.#counts,
      gaps,
      ...(this.#firstProblem === undefined ? {} : { firstProblem: this.#firstProblem }),
    };
  }
}
