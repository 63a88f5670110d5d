/** The wait of an executor that closes for the calls in flight. */

/** Ends when nothing runs or waits any more, or when its time is up. */
export class Drain {
  #end: (() => void) | undefined;

  /** Whether someone waits: only then need anyone look whether nothing is left. */
  get isAwaited(): boolean {
    return this.#end !== undefined;
  }

  /** Settles with `end`, or after `drainMs` at the latest. */
  wait(drainMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, drainMs);
      this.#end = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Nothing runs or waits any more. */
  end(): void {
    this.#end?.();
  }
}
