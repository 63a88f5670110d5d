/** What a worker pool is told of its size. */

import { availableParallelism } from 'node:os';
import type { BindingOptions } from '../bindings/bound-calls.ts';

/** How many threads an executor has, and how many memories for them. */
export interface WorkerExecutorOptions {
  /** Threads that run guests at once; default: the machine's cores. */
  readonly threads?: number;
  /** Threads that there may be while the guests of all wait and calls do, too; default: `threads`, and never fewer. */
  readonly mostThreads?: number;
  /** Threads that stand by; default 1. */
  readonly spareThreads?: number;
  /** Memories alive at once; default: what the machine's address space holds. */
  readonly memories?: number;
  /** Bindings that guests may call where they are granted. */
  readonly bindings?: BindingOptions | undefined;
}

/** Threads that run guests at first, those there may come to be, and those that stand by. */
export function threadCounts(options: WorkerExecutorOptions): {
  readonly least: number;
  readonly most: number;
  readonly spare: number;
} {
  const least = options.threads ?? availableParallelism();
  const most = Math.max(least, options.mostThreads ?? least);
  return { least, most, spare: options.spareThreads ?? 1 };
}
