/** What every importer makes of a log, and the builder that they share: counts what it cannot use, guesses nothing. */

import type { Edge } from '../analysis/edges.ts';
import { HardwareError } from '../instrument/errors.ts';
import type { HostIdentity } from '../instrument/host.ts';
import {
  medianIntervalS,
  requireTrace,
  unwrapCounter,
  type PowerTrace,
  type SampleRule,
  type TraceClock,
} from '../analysis/trace.ts';
import { DigitalLine, EdgeCount, type DigitalLevel } from './digital-line.ts';
import { requirePlausible, type InstrumentLimits } from './physics.ts';

/** How a log was read. */
export interface LogCounts {
  readonly rows: number;
  /** Rows that could not be read, and the first of them with its number. */
  readonly malformed: number;
  readonly firstMalformed: string | undefined;
  /** Rows whose time is that of the row before, or lies before it: left out. */
  readonly duplicates: number;
  readonly reordered: number;
  /** Samples that the log itself says were lost. */
  readonly lost: number;
  /** Intervals longer than one and a half median ones, or than the source says. */
  readonly gaps: number;
  /** Counters that fell although they cannot wrap. */
  readonly resets: number;
  /** Pulses within one sample, seen as both levels at once. */
  readonly glitches: number;
}

/** A stretch that the log labels itself. */
export interface LogMark {
  readonly label: string;
  readonly startS: number;
  readonly endS: number;
}

/** A log that was read whole: power, edges of its digital lines, and what was wrong with it. */
export interface ImportedLog {
  readonly trace: PowerTrace;
  /** Edges of each digital line that the log has. */
  readonly lines: ReadonlyMap<string, readonly Edge[]>;
  readonly marks: readonly LogMark[];
  readonly counts: LogCounts;
}

/** What the user knows and the log does not say. */
export interface ImportOptions {
  /** Supply voltage in V, for logs that have currents only. */
  readonly vddV?: number;
  /** Sampling interval in seconds, for logs without a time. */
  readonly sampleS?: number;
  /** The instrument or channel to read, for logs that have several. */
  readonly channel?: string;
}

/** Reads a log row by row. */
export interface LogParser {
  /** Longest row in characters, where it is not a line of some fields. */
  readonly maxLine?: number;
  /** Takes one line without its end; empty lines are passed over by the reader. */
  row(line: string): void;
  /** @throws HardwareError LOG_FORMAT, TRACE_INVALID */
  finish(): ImportedLog;
}

/** What of a trace is known before the first row. */
export interface TraceKind {
  readonly source: string;
  readonly rule: SampleRule;
  readonly clock: TraceClock;
  /** Whose monotonic clock it is, where that is known. */
  readonly host?: HostIdentity | undefined;
  readonly synthetic: boolean;
  /** Default: the median interval. */
  readonly refreshS?: number;
  readonly resolution?: number;
  readonly lagS?: number;
  readonly gapS?: number;
  /** What a counter counts to, in J. */
  readonly rangeJ?: number;
  /** Of a log: its format, and what its instrument can do. */
  readonly limits?: InstrumentLimits;
}

/** 2^26 samples of two doubles are 1 GiB: longer recordings are to be cut or exported at a lower rate. */
const MAX_SAMPLES = 2 ** 26;

/** The number a field holds, or undefined when it holds none. NumPy 2 writes its numbers as `np.float64(1.5)`. */
export function numberOf(field: string | undefined): number | undefined {
  const text = field?.trim().replace(/^np\.float\d+\((.*)\)$/, '$1') ?? '';
  if (text === '') return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** Collects samples in the order of the log. */
export class LogBuilder {
  #timeS: Float64Array = new Float64Array(1024);
  #value: Float64Array = new Float64Array(1024);
  #length = 0;
  #rows = 0;
  #malformed = 0;
  #firstMalformed: string | undefined;
  #duplicates = 0;
  #reordered = 0;
  #lost = 0;
  readonly #breaks: number[] = [];
  readonly #lines = new Map<string, DigitalLine>();
  readonly #edges = new EdgeCount();
  readonly #marks: LogMark[] = [];

  /** Counts a row, readable or not. */
  countRow(): void {
    this.#rows++;
  }

  malformed(line: string): void {
    this.#malformed++;
    this.#firstMalformed ??= `row ${this.#rows}: ${JSON.stringify(line.slice(0, 120))}`;
  }

  /** Samples that are known to be missing here. */
  lost(samples: number): void {
    this.#lost += samples;
    if (this.#length > 0 && this.#breaks.at(-1) !== this.#length - 1) this.#breaks.push(this.#length - 1);
  }

  /** A message that came twice or too late. */
  skipped(kind: 'duplicate' | 'reordered'): void {
    if (kind === 'duplicate') this.#duplicates++;
    else this.#reordered++;
  }

  /** Adds a sample; false when its time does not rise and it was left out. */
  add(timeS: number, value: number): boolean {
    const lastS = this.#length === 0 ? Number.NEGATIVE_INFINITY : (this.#timeS[this.#length - 1] as number);
    if (timeS === lastS) this.#duplicates++;
    else if (timeS < lastS) this.#reordered++;
    if (timeS <= lastS) return false;
    if (this.#length === this.#timeS.length) this.#grow();
    this.#timeS[this.#length] = timeS;
    this.#value[this.#length] = value;
    this.#length++;
    return true;
  }

  /** The level of a digital line at a time; `X` when both levels were seen within the sample. @throws HardwareError TRACE_INVALID */
  level(line: string, timeS: number, level: DigitalLevel): void {
    this.#line(line).sample(timeS, level);
  }

  /** An edge of a line whose log lists edges. @throws HardwareError TRACE_INVALID */
  edge(line: string, edge: Edge): void {
    this.#line(line).edge(edge);
  }

  #line(name: string): DigitalLine {
    let digital = this.#lines.get(name);
    if (digital === undefined) {
      digital = new DigitalLine(this.#edges);
      this.#lines.set(name, digital);
    }
    return digital;
  }

  mark(mark: LogMark): void {
    this.#marks.push(mark);
  }

  #grow(): void {
    if (this.#length >= MAX_SAMPLES) {
      const fields = { source: 'the log', expected: `at most ${MAX_SAMPLES} samples`, got: 'more' };
      throw new HardwareError('TRACE_INVALID', fields);
    }
    const timeS = new Float64Array(2 * this.#length);
    const value = new Float64Array(2 * this.#length);
    timeS.set(this.#timeS);
    value.set(this.#value);
    this.#timeS = timeS;
    this.#value = value;
  }

  /** @throws HardwareError TRACE_INVALID when fewer than two samples could be read */
  finish(kind: TraceKind): ImportedLog {
    const timeS = this.#timeS.slice(0, this.#length);
    const raw = this.#value.slice(0, this.#length);
    const counter = kind.rule === 'counter' ? unwrapCounter(raw, kind.rangeJ) : undefined;
    const intervalS = medianIntervalS(timeS);
    const breaks = new Set([...this.#breaks, ...(counter?.resets ?? [])].filter((index) => index + 1 < this.#length));
    if (this.#length < 2 && this.#firstMalformed !== undefined) {
      const fields = {
        source: kind.source,
        expected: 'at least two samples',
        got: `${this.#length} (${this.#firstMalformed})`,
      };
      throw new HardwareError('TRACE_INVALID', fields);
    }
    const trace = requireTrace({
      source: kind.source,
      rule: kind.rule,
      clock: kind.clock,
      ...(kind.host === undefined ? {} : { host: kind.host }),
      synthetic: kind.synthetic,
      timeS,
      value: counter?.value ?? raw,
      refreshS: kind.refreshS ?? intervalS,
      resolution: kind.resolution ?? 0,
      ...(kind.lagS === undefined ? {} : { lagS: kind.lagS }),
      ...(kind.gapS === undefined ? {} : { gapS: kind.gapS }),
      breaks: [...breaks].sort((a, b) => a - b),
    });
    const limitS = kind.gapS ?? 1.5 * intervalS;
    let gaps = 0;
    for (let index = 1; index < timeS.length; index++) {
      if ((timeS[index] as number) - (timeS[index - 1] as number) > limitS) gaps++;
    }
    let glitches = 0;
    const lines = new Map<string, readonly Edge[]>();
    for (const [name, line] of this.#lines) {
      glitches += line.glitches;
      lines.set(name, line.edges);
    }
    const counts: LogCounts = {
      rows: this.#rows,
      malformed: this.#malformed,
      firstMalformed: this.#firstMalformed,
      duplicates: this.#duplicates,
      reordered: this.#reordered,
      lost: this.#lost,
      gaps,
      resets: counter?.resets.length ?? 0,
      glitches,
    };
    if (kind.limits !== undefined) requirePlausible(kind.limits, { ...counts, samples: this.#length }, intervalS);
    return { trace, lines, marks: this.#marks, counts };
  }
}
