/** How starts of threads went: what one takes, how many have failed in a row and why, and when another is tried. */

/** Starts in a row that may fail before those who wait are told. */
const MOST_FAILURES = 3;
/** Pause before threads are started again after one could not: doubled each time, up to the longest. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5_000;
/** What a start is expected to take before one was seen, and at most: a start on a busy machine waits, which is no work. */
const USUAL_START_NS = 100e6;
const LONGEST_START_NS = 500e6;
/** Share of the latest start in what the next is expected to take. */
const LEARNING = 1 / 4;

/** Starts of the threads of one pool. */
export class Starts {
  #startNs = USUAL_START_NS;
  #failures = 0;
  #failure: unknown;
  #unstartable: { readonly error: unknown } | undefined;
  #pause: NodeJS.Timeout | undefined;

  /** What it takes to start a thread, in nanoseconds, as far as is known. */
  get startNs(): number {
    return this.#startNs;
  }

  /** Whether the last one failed. */
  get areFailing(): boolean {
    return this.#failures > 0;
  }

  /** Why there is no thread and will be none soon; undefined as long as there are some. */
  get unstartable(): { readonly error: unknown } | undefined {
    return this.#unstartable;
  }

  succeeded(tookNs: number): void {
    this.#startNs += (Math.min(LONGEST_START_NS, tookNs) - this.#startNs) * LEARNING;
    this.#failures = 0;
    this.#unstartable = undefined;
  }

  failed(): void {
    this.#failures++;
  }

  /** Takes note of why a start failed, or a thread that was there. */
  because(error: unknown): void {
    this.#failure = error;
  }

  /** Whether so many failed that those who wait are to be told, if there is no thread. */
  giveUp(): { readonly error: unknown } | undefined {
    if (this.#failures >= MOST_FAILURES) this.#unstartable = { error: this.#failure };
    return this.#unstartable;
  }

  /** Has another be tried after a pause. */
  tryLater(start: () => void): void {
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (this.#failures - 1));
    this.#pause ??= setTimeout(() => {
      this.#pause = undefined;
      start();
    }, pauseMs);
    // As long as nobody was told, there may be someone who waits.
    if (this.#unstartable !== undefined) this.#pause.unref();
  }

  close(): void {
    clearTimeout(this.#pause);
  }
}
