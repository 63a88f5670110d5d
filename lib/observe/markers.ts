/**
 * Marks around invocations, so that an instrument can tell when each ran: one small interface, which the markers of
 * hardware/ satisfy and which anything else may.
 */

import { messageOf } from '../../host/errors.ts';
import { monotonicNs } from '../../host/monotonic.ts';
import type { Markers } from '../schema/nebula-options.ts';
import type { MarkerStats } from '../schema/stats.ts';
import type { Call, Observer } from './observer.ts';

/** Costs that are kept: an entry in a histogram takes longer than a mark. */
const LATEST = 4096;

/**
 * One line, on which windows cannot overlap: calls that do are one batch. The first one opens the window, the last one that
 * is answered closes it.
 */
export class InvocationMarks implements Observer {
  readonly #markers: Markers;
  readonly #costNs: Float64Array = new Float64Array(LATEST);
  #timed = 0;
  #maxNs = 0;
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

  /** Opens a window, unless one is open. */
  start(call: Call): void {
    this.#calls++;
    if (this.#inFlight++ > 0) {
      this.#callsInWindow++;
      return;
    }
    this.#callsInWindow = 1;
    const label = `${call.function.name}#${++this.#opened}`;
    const beforeNs = monotonicNs();
    try {
      this.#markers.start(label);
      this.#label = label;
    } catch (error) {
      this.#failed(error);
    }
    this.#spent(monotonicNs() - beforeNs);
  }

  /** Closes the window behind the last call in it. */
  end(): void {
    if (--this.#inFlight > 0) return;
    const label = this.#label;
    this.#label = undefined;
    if (label === undefined) return;
    const calls = this.#callsInWindow;
    const beforeNs = monotonicNs();
    try {
      this.#markers.end(label, calls);
      this.#windows++;
      if (calls > 1) this.#batches++;
    } catch (error) {
      this.#failed(error);
    }
    this.#spent(monotonicNs() - beforeNs);
  }

  /** As `end`: the window of a call that could not be carried out closes as well. */
  fail(): void {
    this.end();
  }

  #failed(error: unknown): void {
    this.#failures++;
    this.#firstFailure ??= messageOf(error);
  }

  #spent(costNs: number): void {
    this.#costNs[this.#timed++ % LATEST] = costNs;
    if (costNs > this.#maxNs) this.#maxNs = costNs;
  }

  /** What marking came to so far. */
  stats(): { readonly markers: MarkerStats } {
    const sorted = this.#costNs.slice(0, Math.min(this.#timed, LATEST)).sort();
    const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
    const markers: MarkerStats = {
      windows: this.#windows,
      calls: this.#calls,
      batches: this.#batches,
      failures: this.#failures,
      ...(this.#firstFailure === undefined ? {} : { firstFailure: this.#firstFailure }),
      cost: { count: this.#timed, p50Ns: at(0.5), p99Ns: at(0.99), maxNs: this.#maxNs },
    };
    return { markers };
  }
}
