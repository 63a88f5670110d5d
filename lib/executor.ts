/** Creates the executor that was asked for; the others are not loaded. */

import { BindingTable } from '../host/bindings/bindings.ts';
import type { Executor } from '../pools/executor.ts';
import type { NebulaOptions } from './schema/nebula-options.ts';

/** The executor of `options`; what they leave out is the executor's own default. */
export async function createExecutor(options: NebulaOptions): Promise<Executor> {
  const { threads, mostThreads, spareThreads } = options;
  const shared = {
    ...(options.memories === undefined ? {} : { memories: options.memories }),
    ...(options.bindings === undefined
      ? {}
      : { bindings: { table: new BindingTable(options.bindings), onError: options.onBindingError } }),
  };
  if (options.executor === 'in-thread') {
    const { createInThreadExecutor } = await import('../pools/in-thread/executor.ts');
    return createInThreadExecutor(shared);
  }
  const { createWorkerExecutor } = await import('../pools/worker/pool.ts');
  return createWorkerExecutor({
    ...(threads === undefined ? {} : { threads }),
    ...(mostThreads === undefined ? {} : { mostThreads }),
    ...(spareThreads === undefined ? {} : { spareThreads }),
    ...shared,
  });
}
