/**
 * Whose turn it is among guests of one thread that could all go on: one of them in each turn of the event loop, in the order
 * in which they gave way. All else that the thread has to do, guests that wake up and new calls among it, comes in between.
 */

/** The guests of a thread that take turns. */
export class Turns {
  /** What lets each of them go on, in order. */
  readonly #waiting: Set<() => void> = new Set();
  /** One Int32: how many take turns, for whoever owns the thread. */
  readonly #told: Int32Array;
  #isExpected = false;
  readonly #next = (): void => {
    this.#isExpected = false;
    const [goOn] = this.#waiting;
    if (goOn === undefined) return;
    this.#waiting.delete(goOn);
    // Before it goes on: it may never end.
    if (this.#waiting.size > 0) this.#expect();
    goOn();
  };

  constructor(told: Int32Array = new Int32Array(1)) {
    this.#told = told;
  }

  /** A guest takes turns from now on: it computes for longer than a slice. */
  join(): void {
    Atomics.add(this.#told, 0, 1);
  }

  /** It does so no more: it waits, or has ended. */
  leave(): void {
    Atomics.sub(this.#told, 0, 1);
  }

  /** Has `goOn` called when those before it had their turns, and never in this turn of the event loop. */
  add(goOn: () => void): void {
    this.#waiting.add(goOn);
    this.#expect();
  }

  /** Forgets one that was dropped. */
  remove(goOn: () => void): void {
    this.#waiting.delete(goOn);
  }

  #expect(): void {
    if (this.#isExpected) return;
    this.#isExpected = true;
    setImmediate(this.#next);
  }
}
