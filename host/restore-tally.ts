/** Counts what one thread puts back after its answers, which no caller sees. That thread writes it, any thread reads it. */

const TALLY_BYTES = 16;

export class RestoreTally {
  readonly shared: SharedArrayBuffer;
  readonly #count: Int32Array;
  readonly #totalNs: Float64Array;

  /** @param shared the buffer of another thread's tally */
  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(TALLY_BYTES)) {
    this.shared = shared;
    this.#count = new Int32Array(shared, 0, 1);
    this.#totalNs = new Float64Array(shared, 8, 1);
  }

  /** Micro-VMs put back, or dropped because they could not be. */
  get count(): number {
    return Atomics.load(this.#count, 0) >>> 0;
  }

  /** Nanoseconds that took, of those counted so far. */
  get totalNs(): number {
    return this.#totalNs[0] as number;
  }

  add(ns: number): void {
    this.#totalNs[0] = this.totalNs + ns;
    // Last, and atomically: whoever sees the new count sees its time.
    Atomics.add(this.#count, 0, 1);
  }
}
