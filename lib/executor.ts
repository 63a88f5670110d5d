/** Creates the executor that was asked for; the others are not loaded. */

import type { Executor } from '../pools/executor.ts';
import type { NebulaOptions } from './schema/nebula-options.ts';

/** The executor of `options`; what they leave out is the executor's own default. */
export async function createExecutor(options: NebulaOptions): Promise<Executor> {
  const { threads, mostThreads, spareThreads } = options;
  const memories = options.memories === undefined ? {} : { memories: options.memories };
  if (options.executor === 'in-thread') {
    const { createInThreadExecutor } = await import('../pools/in-thread/executor.ts');
    return createInThreadExecutor(memories);
  }
  const { createWorkerExecutor } = await import('../pools/worker/pool.ts');
  return createWorkerExecutor({
    ...(threads === undefined ? {} : { threads }),
    ...(mostThreads === undefined ? {} : { mostThreads }),
    ...(spareThreads === undefined ? {} : { spareThreads }),
    ...memories,
  });
}
