/**
 * Marks around invocations, so that an instrument can tell when each ran: one small interface, which the markers of
 * hardware/ satisfy and which anything else may. Without markers no call passes through here.
 */

import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import type { Outcome } from '../host/outcome.ts';
import { messageOf } from '../host/errors.ts';

/** What is told when a window opens and closes. Both are called on the thread that called `createNebula`. */
export interface Markers {
  /** A window opens. `label` is unique within one Nebula: the function's name, `#` and a count. */
  start(label: string): void;
  /** It closes; `calls` invocations ran in it. */
  end(label: string, calls: number): void;
}

/** What marking came to, and what it cost. */
export interface MarkerStats {
  /** Windows that were opened and closed. */
  readonly windows: number;
  readonly calls: number;
  /** Windows in which more than one call ran. */
  readonly batches: number;
  /** Calls of `start` and `end` that threw. The calls they were for went on. */
  readonly failures: number;
  readonly firstFailure?: string;
  /** Time in `start` and `end`, each taken by itself, in nanoseconds. */
  readonly cost: { readonly count: number; readonly p50Ns: number; readonly p99Ns: number; readonly maxNs: number };
}

/**
 * One line, on which windows cannot overlap: calls that do are one batch. The first one opens the window, the last one that
 * is answered closes it.
 */
export class InvocationMarks {
  readonly #markers: Markers;
  readonly #cost: RecordableHistogram = createHistogram();
  #label: string | undefined;
  #opened = 0;
  #inFlight = 0;
  #callsInWindow = 0;
  #windows = 0;
  #calls = 0;
  #batches = 0;
  #failures = 0;
  #firstFailure: string | undefined;

  constructor(markers: Markers) {
    this.#markers = markers;
  }

  /**
   * Marks one call: the window opens right before `invoke` and closes with its answer.
   * @param hasRun asked once `invoke` has returned: whether the guest ran within it, and the window is to close at once
   */
  around(name: string, invoke: () => Promise<Outcome>, hasRun: () => boolean): Promise<Outcome> {
    this.#begin(name);
    let outcome: Promise<Outcome>;
    try {
      outcome = invoke();
    } catch (error) {
      this.#finish();
      throw error;
    }
    if (hasRun()) this.#finish();
    else void outcome.then(this.#finish, this.#finish);
    return outcome;
  }

  #begin(name: string): void {
    this.#calls++;
    if (this.#inFlight++ > 0) {
      this.#callsInWindow++;
      return;
    }
    this.#callsInWindow = 1;
    const label = `${name}#${++this.#opened}`;
    if (this.#timed(() => this.#markers.start(label))) this.#label = label;
  }

  readonly #finish = (): void => {
    if (--this.#inFlight > 0) return;
    const label = this.#label;
    this.#label = undefined;
    if (label === undefined) return;
    const calls = this.#callsInWindow;
    if (!this.#timed(() => this.#markers.end(label, calls))) return;
    this.#windows++;
    if (calls > 1) this.#batches++;
  };

  /** Times a mark; false when it threw. */
  #timed(mark: () => void): boolean {
    const beforeNs = process.hrtime.bigint();
    let isMarked = true;
    try {
      mark();
    } catch (error) {
      isMarked = false;
      this.#failures++;
      this.#firstFailure ??= messageOf(error);
    }
    const tookNs = process.hrtime.bigint() - beforeNs;
    this.#cost.record(tookNs < 1n ? 1n : tookNs);
    return isMarked;
  }

  stats(): MarkerStats {
    const { count } = this.#cost;
    const at = (percentile: number): number => (count === 0 ? 0 : this.#cost.percentile(percentile));
    return {
      windows: this.#windows,
      calls: this.#calls,
      batches: this.#batches,
      failures: this.#failures,
      ...(this.#firstFailure === undefined ? {} : { firstFailure: this.#firstFailure }),
      cost: { count, p50Ns: at(50), p99Ns: at(99), maxNs: count === 0 ? 0 : this.#cost.max },
    };
  }
}
