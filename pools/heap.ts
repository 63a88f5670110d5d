/** Gives memory back after deploys: what compiling freed would stay with the process otherwise. */

import { trimHeap } from '../host/linux/memory.ts';

/** Deploys come in bursts; one look after the last is enough. */
const QUIET_MS = 500;

/** Gives back the memory of the process after deploys. */
export class HeapKeeper {
  readonly #collect: () => Promise<void>;
  #timer: NodeJS.Timeout | undefined;

  /** `collect` is done first; it collects the garbage of threads that are ours alone. */
  constructor(collect: () => Promise<void> = () => Promise.resolve()) {
    this.#collect = collect;
  }

  /** Trims the heap once nothing was deployed for a while. Keeps no process alive. */
  trimSoon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#collect().then(trimHeap, () => {}), QUIET_MS).unref();
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
