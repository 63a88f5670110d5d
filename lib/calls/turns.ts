/** Turns of the calls of one session: one has it at a time, in the order in which they came. */

import { unwatchAbort, watchAbort } from '../../pools/abort-watch.ts';

/** Why a call has no turn any more. */
export type Refusal = 'aborted' | 'late';

interface Waiter {
  readonly begin: (refusal?: Refusal) => void;
}

/** Who has the turn, and who waits for one. */
export class Turns {
  #isTaken = false;
  readonly #waiting: Set<Waiter> = new Set();

  /** Whether a call has the turn. */
  get isTaken(): boolean {
    return this.#isTaken;
  }

  /** Calls that wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Resolves with nothing once it is this call's turn, which `leave` ends; or with why it has none: it was aborted before, or
   * has waited for `timeoutMs`.
   */
  take(signal: AbortSignal | undefined, timeoutMs: number | undefined): Promise<Refusal | undefined> {
    if (signal?.aborted === true) return Promise.resolve('aborted');
    if (!this.#isTaken) {
      this.#isTaken = true;
      return Promise.resolve(undefined);
    }
    return new Promise((resolve) => {
      const onAbort = (): void => waiter.begin('aborted');
      const timer = timeoutMs === undefined ? undefined : setTimeout(() => waiter.begin('late'), timeoutMs);
      const waiter: Waiter = {
        begin: (refusal) => {
          this.#waiting.delete(waiter);
          clearTimeout(timer);
          if (signal !== undefined) unwatchAbort(signal, onAbort);
          resolve(refusal);
        },
      };
      this.#waiting.add(waiter);
      if (signal !== undefined) watchAbort(signal, onAbort);
    });
  }

  /** Gives the turn to the next. */
  leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#isTaken = false;
    else next.begin();
  }
}
