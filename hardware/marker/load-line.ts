/**
 * A marker without a pin: all processors work or rest, in coded bursts at both ends of a session, which the power of any log
 * shows. Windows are not marked by it: they have the host's times. Its threads wait on a flag and cost nothing between bursts.
 */

import { availableParallelism } from 'node:os';
import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { MarkerLine } from './line.ts';

/** Loads the machine. */
export class LoadLine implements MarkerLine {
  readonly label: string;
  readonly synthetic: boolean = false;
  readonly bursts: { readonly unitMs: number };
  readonly #flag: Int32Array;
  readonly #threads: readonly Worker[];

  private constructor(threads: readonly Worker[], flag: Int32Array, unitMs: number) {
    this.#threads = threads;
    this.#flag = flag;
    this.bursts = { unitMs };
    this.label = `load of ${threads.length} threads, units of ${unitMs / 1e3} s`;
  }

  /** Starts the threads, at rest. @param unitMs shortest time of a burst's code, in milliseconds: two values of the meter */
  static async open(unitMs: number, threads = availableParallelism()): Promise<LoadLine> {
    const flag = new Int32Array(new SharedArrayBuffer(4));
    const script = join(import.meta.dirname, `load-thread${extname(import.meta.filename)}`);
    const workers = Array.from({ length: threads }, () => new Worker(script, { workerData: flag }));
    await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('online', resolve))));
    for (const worker of workers) worker.unref();
    return new LoadLine(workers, flag, unitMs);
  }

  write(level: 0 | 1): void {
    Atomics.store(this.#flag, 0, level);
    Atomics.notify(this.#flag, 0);
  }

  close(): void {
    this.write(0);
    for (const thread of this.#threads) void thread.terminate();
  }
}
