/**
 * What a guest is given to end by itself before its thread is ended: of the time that its thread has of a processor, which a busy
 * machine may keep from it for long.
 */

import { monotonicNs } from '../../host/monotonic.ts';

/** After this the thread is ended in any case, in milliseconds. */
export const LONGEST_GRACE_MS = 1_000;
/** No timer takes less. */
const SHORTEST_LOOK_MS = 1;

/** What it needs of the thread. */
export interface GraceThread {
  /** Nanoseconds for which it has run; -1n where that is not told. */
  readonly cpuNs: bigint;
  /** Whether its guest does nothing but wait, which takes no processor. */
  readonly isWaiting: boolean;
}

/** The time of one guest, from now on. */
export class Grace {
  readonly #thread: GraceThread;
  readonly #graceMs: number;
  readonly #beganNs: number = monotonicNs();
  #cpuNs: bigint;

  constructor(thread: GraceThread, graceMs: number) {
    this.#thread = thread;
    this.#graceMs = graceMs;
    this.#cpuNs = thread.cpuNs;
  }

  /**
   * Milliseconds after which to look again; 0 when its time is up.
   * @param hasBegun whether the guest runs; what comes before that is no time of its own
   */
  leftMs(hasBegun: boolean): number {
    const passedMs = (monotonicNs() - this.#beganNs) / 1e6;
    if (passedMs >= LONGEST_GRACE_MS) return 0;
    if (!hasBegun) this.#cpuNs = this.#thread.cpuNs;
    const usedMs = hasBegun ? this.#usedMs(passedMs) : 0;
    if (usedMs >= this.#graceMs) return 0;
    return Math.max(SHORTEST_LOOK_MS, Math.min(this.#graceMs - usedMs, LONGEST_GRACE_MS - passedMs));
  }

  #usedMs(passedMs: number): number {
    if (this.#cpuNs < 0n || this.#thread.isWaiting) return passedMs;
    const { cpuNs } = this.#thread;
    return cpuNs < 0n ? passedMs : Number(cpuNs - this.#cpuNs) / 1e6;
  }
}
