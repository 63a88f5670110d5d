/** Creates the executor that was asked for; the others are not loaded. */

import { availableParallelism } from 'node:os';
import type { Executor } from '../pools/executor.ts';
import type { NebulaOptions } from './api.ts';

/** The executor of `options`, whose defaults are filled in. */
export async function createExecutor(options: NebulaOptions): Promise<Executor> {
  const memories = options.memories === undefined ? {} : { memories: options.memories };
  if (options.executor === 'in-thread') {
    const { createInThreadExecutor } = await import('../pools/in-thread.ts');
    return createInThreadExecutor(memories);
  }
  const { createWorkerExecutor } = await import('../pools/worker/pool.ts');
  const threads = options.threads ?? availableParallelism();
  return createWorkerExecutor({ threads, spareThreads: options.spareThreads ?? 1, ...memories });
}
