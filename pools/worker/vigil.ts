/**
 * Keeps the process alive as long as someone waits for a thread, or for what one does besides calls. The threads themselves do not:
 * one that starts, ends or goes on holds the event loop at some moments, and a promise at none.
 */

/** How often it is looked whether a thread has become free that nobody told of. */
const LOOK_MS = 1_000;

/** Watches over those who wait in one pool. */
export class Vigil {
  readonly #look: () => void;
  #timer: NodeJS.Timeout | undefined;
  #isKept = false;
  readonly #tick = (): void => {
    if (this.#isKept) this.#look();
    else this.close();
  };

  /** `look` gives threads to who waits; it tells `keep` whether someone still does. */
  constructor(look: () => void) {
    this.#look = look;
  }

  /** Whether someone waits now. Called for each call that is answered, so it costs a comparison. */
  keep(isAwaited: boolean): void {
    if (isAwaited === this.#isKept) return;
    this.#isKept = isAwaited;
    if (!isAwaited) this.#timer?.unref();
    else if (this.#timer === undefined) this.#timer = setInterval(this.#tick, LOOK_MS);
    else this.#timer.ref();
  }

  /** Lets the process end. */
  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#isKept = false;
  }
}
