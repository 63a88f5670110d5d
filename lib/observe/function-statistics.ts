/**
 * What the invocations of one function came to: counts, and latencies per phase in hdr-histogram-js.
 * Recording is on the hot path: it writes one row of numbers. A full buffer of rows is folded into the histograms, where
 * rows with the same rounded value are entered together, because entering a value costs 0.2 us. A function that never
 * fills its buffer never has a histogram, whose counts take 8 kB each; its latencies are read from the rows.
 */

import { build, type Histogram } from 'hdr-histogram-js';
import type { Outcome } from '../../host/outcome.ts';
import { ALL_PHASES, storeAllPhases } from '../../host/phases.ts';
import type { FunctionStats, LatencySummary } from '../schema/stats.ts';
import type { Call, Observer } from './observer.ts';

const COLUMNS = [...ALL_PHASES, 'total'] as const;
const WIDTH = COLUMNS.length;
const TOTAL = WIDTH - 1;
const ROWS_AT_FIRST = 1;
const ROWS_AT_MOST = 4096;

/** Two significant digits need 128 steps for each doubling. */
const STEP_BITS = 7;
const STEPS = 1 << STEP_BITS;
/** Values of 2^31 ns and more are entered one by one. */
const QUICK_LIMIT = 2 ** 31;

type OutcomeCounts = Record<Outcome['kind'] | 'failed', number>;

/** Shared by all functions: it is empty between folds. */
const tally = new Uint32Array((31 - STEP_BITS + 1) * STEPS);
const touched = new Uint16Array(ROWS_AT_MOST);

/** Counts and latencies of one function, from its first deploy on, whatever its version. */
export class FunctionStatistics implements Observer {
  readonly #outcomes: OutcomeCounts = {
    ok: 0,
    exit: 0,
    trap: 0,
    timeout: 0,
    limit: 0,
    denied: 0,
    aborted: 0,
    failed: 0,
  };
  readonly #histograms: (Histogram | undefined)[] = [];
  #rows: Float32Array = new Float32Array(ROWS_AT_FIRST * WIDTH);
  #used = 0;
  #units = 0;
  #cpuNs = 0;

  /** Nothing is counted before it has come out. */
  start(): void {}

  /** Counts an outcome and its phases. */
  end(_call: Call, outcome: Outcome): void {
    this.#outcomes[outcome.kind] += 1;
    const { units, cpuNs } = outcome.usage;
    if (units !== undefined) this.#units += units;
    if (cpuNs !== undefined) this.#cpuNs += cpuNs;
    if (this.#used === this.#rows.length) this.#makeRoom();
    const at = this.#used;
    this.#rows[at + TOTAL] = storeAllPhases(this.#rows, at, outcome.phases);
    this.#used = at + WIDTH;
  }

  /** Counts an invocation that Nebula could not carry out. */
  fail(): void {
    this.#outcomes.failed += 1;
  }

  /** Counts and latencies since the function was first deployed; a phase that never happened is left out. */
  read(name: string): FunctionStats {
    const latency: Record<string, LatencySummary> = {};
    if (this.#histograms.length > 0) this.#fold();
    for (const [column, phase] of COLUMNS.entries()) {
      const histogram = this.#histograms[column];
      const summary = histogram === undefined ? this.#summariseRows(column) : summariseHistogram(histogram);
      if (summary.count > 0) latency[phase] = summary;
    }
    const used = { units: this.#units, cpuNs: this.#cpuNs };
    return { name, outcomes: { ...this.#outcomes }, used, latency };
  }

  #makeRoom(): void {
    if (this.#rows.length === ROWS_AT_MOST * WIDTH) {
      this.#fold();
      return;
    }
    const larger = new Float32Array(this.#rows.length * 2);
    larger.set(this.#rows);
    this.#rows = larger;
  }

  #fold(): void {
    for (let column = 0; column < WIDTH; column++) this.#foldColumn(column);
    this.#used = 0;
  }

  #foldColumn(column: number): void {
    const rows = this.#rows;
    let distinct = 0;
    for (let at = column; at < this.#used; at += WIDTH) {
      const value = rows[at] as number;
      // 0 says that the phase did not happen.
      if (value <= 0) continue;
      if (value >= QUICK_LIMIT) {
        this.#histogram(column).recordValue(Math.round(value));
        continue;
      }
      const key = keyOf(value);
      if (tally[key] === 0) touched[distinct++] = key;
      tally[key] = (tally[key] as number) + 1;
    }
    for (let index = 0; index < distinct; index++) {
      const key = touched[index] as number;
      this.#histogram(column).recordValueWithCount(valueOf(key), tally[key] as number);
      tally[key] = 0;
    }
  }

  #histogram(column: number): Histogram {
    let histogram = this.#histograms[column];
    if (histogram === undefined) {
      histogram = build({
        autoResize: true,
        lowestDiscernibleValue: 1,
        highestTrackableValue: 2,
        numberOfSignificantValueDigits: 2,
      });
      this.#histograms[column] = histogram;
    }
    return histogram;
  }

  #summariseRows(column: number): LatencySummary {
    const values: number[] = [];
    for (let at = column; at < this.#used; at += WIDTH) {
      const value = this.#rows[at] as number;
      if (value > 0) values.push(value);
    }
    values.sort((a, b) => a - b);
    const count = values.length;
    if (count === 0) return { count, p50Us: 0, p90Us: 0, p99Us: 0, maxUs: 0, meanUs: 0 };
    // The nearest rank, as hdr-histogram-js has it.
    const rank = (share: number): number => (values[Math.max(0, Math.ceil(share * count) - 1)] as number) / 1e3;
    const meanUs = values.reduce((sum, value) => sum + value, 0) / count / 1e3;
    return { count, p50Us: rank(0.5), p90Us: rank(0.9), p99Us: rank(0.99), maxUs: rank(1), meanUs };
  }
}

/** Number of the step a value below 2^31 falls into. */
function keyOf(value: number): number {
  const whole = Math.max(1, Math.round(value));
  const shift = Math.max(0, 31 - Math.clz32(whole) - STEP_BITS);
  return (shift << STEP_BITS) + (whole >>> shift);
}

/** The middle of a step. */
function valueOf(key: number): number {
  const shift = Math.max(0, (key >>> STEP_BITS) - 1);
  const lowest = (key - (shift << STEP_BITS)) * 2 ** shift;
  return lowest + Math.floor(2 ** shift / 2);
}

function summariseHistogram(histogram: Histogram): LatencySummary {
  return {
    count: histogram.totalCount,
    p50Us: histogram.getValueAtPercentile(50) / 1e3,
    p90Us: histogram.getValueAtPercentile(90) / 1e3,
    p99Us: histogram.getValueAtPercentile(99) / 1e3,
    maxUs: histogram.maxValue / 1e3,
    meanUs: histogram.mean / 1e3,
  };
}
