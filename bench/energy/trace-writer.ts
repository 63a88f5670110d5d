/**
 * A source's readings as rows of Nebula's own CSV, as they come. Fast sources are thinned to means, one for each millisecond;
 * where a digital input changes a mean ends, so that edges keep the time of their sample.
 */

import { hostFields, readHost } from '../../hardware/instrument/host.ts';
import type { Reading, SourceProperties } from '../../hardware/meter/power-source.ts';
import type { Sidecar } from '../../hardware/logger/nebula-csv.ts';

/** What came from a source beside the values. */
export interface RecordingCounts {
  readonly values: number;
  readonly malformed: number;
  readonly duplicates: number;
  readonly reordered: number;
  readonly stale: number;
  readonly lost: number;
  /** Times a connection was gone. */
  readonly disconnected: number;
  readonly firstProblem: string | undefined;
}

/** Values closer together than half of this are thinned to it, in seconds. */
const MEAN_S = 1e-3;

type Value = Extract<Reading, { kind: 'value' }>;

/** Writes readings as our own CSV while they come. */
export class TraceWriter {
  readonly #properties: SourceProperties;
  readonly #thins: boolean;
  #hasInputs: boolean | undefined;
  #values = 0;
  #firstProblem: string | undefined;
  readonly #others: Record<Exclude<Reading['kind'], 'value'>, number> = {
    malformed: 0,
    duplicate: 0,
    reordered: 0,
    stale: 0,
    lost: 0,
    disconnected: 0,
  };
  /** Of the mean that is being taken. */
  #sum = 0;
  #count = 0;
  #fromS = 0;
  #last: Value | undefined;

  constructor(properties: SourceProperties) {
    this.#properties = properties;
    this.#thins = properties.rule !== 'counter' && (properties.refreshS ?? MEAN_S) < MEAN_S / 2;
  }

  get sidecar(): Sidecar {
    const { name, estimate, rule, clock, synthetic, refreshS, resolution, lagS, gapS } = this.#properties;
    return {
      source: estimate ? `${name} (estimate)` : name,
      rule: this.#thins ? 'average' : rule,
      clock: clock === 'ours' ? 'host-monotonic' : 'logger',
      synthetic,
      ...(clock === 'ours' ? hostFields(readHost()) : {}),
      ...(this.#thins || refreshS === undefined ? {} : { refresh_s: refreshS }),
      ...(resolution === undefined ? {} : { resolution }),
      ...(lagS === undefined ? {} : { lag_s: lagS }),
      ...(gapS === undefined ? {} : { gap_s: gapS }),
    };
  }

  get counts(): RecordingCounts {
    const { duplicate: duplicates, ...others } = this.#others;
    return { values: this.#values, duplicates, ...others, firstProblem: this.#firstProblem };
  }

  /** The rows that a reading completes: none, one or several. */
  rowsOf(reading: Reading): string {
    if (reading.kind !== 'value') {
      this.#others[reading.kind]++;
      this.#firstProblem ??= `${reading.kind}: ${reading.detail}`;
      const isBreak = reading.kind === 'lost' || reading.kind === 'disconnected';
      return isBreak && this.#last !== undefined ? this.#flush() + this.#lostRow(this.#last) : '';
    }
    // A reading that does not rise is the importer's to count, but must not be averaged with others.
    if (this.#last !== undefined && reading.timeS <= this.#last.timeS) {
      const kind = reading.timeS === this.#last.timeS ? 'duplicate' : 'reordered';
      this.#others[kind]++;
      return '';
    }
    this.#values++;
    const head = this.#head(reading);
    if (!this.#thins) {
      this.#last = reading;
      return head + this.#row(reading, reading.value);
    }
    const isEdge = this.#last !== undefined && reading.inputs !== this.#last.inputs;
    const before = isEdge ? this.#flush() : '';
    if (this.#count === 0) this.#fromS = this.#last?.timeS ?? reading.timeS;
    this.#sum += reading.value;
    this.#count++;
    this.#last = reading;
    // The first one stands alone: the trace begins at its time.
    const isFull = isEdge || this.#values === 1 || reading.timeS - this.#fromS >= MEAN_S * (1 - 1e-6);
    return head + before + (isFull ? this.#flush() : '');
  }

  /** What is left when the source ends. */
  end(): string {
    return this.#flush();
  }

  #flush(): string {
    if (this.#count === 0 || this.#last === undefined) return '';
    const row = this.#row(this.#last, this.#sum / this.#count);
    this.#sum = 0;
    this.#count = 0;
    return row;
  }

  #head(reading: Value): string {
    if (this.#hasInputs !== undefined) return '';
    this.#hasInputs = reading.inputs !== undefined;
    const quantity = this.#properties.rule === 'counter' ? 'energy_j' : 'power_w';
    return `t_s,${quantity}${this.#hasInputs ? ',d0,d1,d2,d3,d4,d5,d6,d7' : ''}\n`;
  }

  #row(reading: Value, value: number): string {
    if (this.#hasInputs !== true) return `${reading.timeS},${value}\n`;
    let levels = '';
    for (let input = 0; input < 8; input++) {
      levels += reading.inputs === undefined ? ',-' : `,${(reading.inputs >> input) & 1}`;
    }
    return `${reading.timeS},${value}${levels}\n`;
  }

  #lostRow(last: Value): string {
    return `${last.timeS},lost${this.#hasInputs === true ? ',,,,,,,,' : ''}\n`;
  }
}
