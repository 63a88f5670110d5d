/**
 * Threads that load their code, or have been told to serve and do not yet: they must not be ended then. One that loads native
 * code, or links a module, takes the process with it.
 */

/** What the threads of one pool have under way until they serve. */
export class Loading {
  readonly #steps: Set<Promise<void>> = new Set();
  /** By thread, what says that its code is loaded. */
  readonly #loading: Map<number, () => void> = new Map();

  /** A thread begins to load its code. */
  begin(threadId: number): void {
    this.add(new Promise((resolve) => this.#loading.set(threadId, resolve)));
  }

  /** A thread has loaded its code, or has ended. */
  end(threadId: number): void {
    this.#loading.get(threadId)?.();
    this.#loading.delete(threadId);
  }

  /** Adds a step of a start. */
  add(step: Promise<void>): void {
    const awaited = step.finally(() => this.#steps.delete(awaited));
    this.#steps.add(awaited);
  }

  /** Waits for all that is under way now. */
  async done(): Promise<void> {
    await Promise.all(this.#steps);
  }
}
