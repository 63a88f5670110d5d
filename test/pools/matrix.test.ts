/** The suite of invocations through both executors of this process, also with guests that wait without a thread. */

import type { NebulaOptions } from '../../lib/schema/nebula-options.ts';
import { createNebula } from '../../lib/nebula.ts';
import { invocationSuite, type SuiteTarget } from '../suite.ts';
import { waitingSkip, waitingWayIn } from '../waiting-way-in.ts';

async function open(options: NebulaOptions): Promise<SuiteTarget> {
  const nebula = await createNebula(options);
  return {
    deploy: (path, given) => nebula.deploy(path, given),
    invoke: (name, { input, ...call } = {}) => nebula.invoke(name, input, call),
    suspended: () => nebula.stats().executor.suspended,
    close: () => nebula.close(),
  };
}

const IN_THREAD: NebulaOptions = { executor: 'in-thread' };

invocationSuite('in this thread', () => open(IN_THREAD));
invocationSuite('in this thread, audited', () => open({ ...IN_THREAD, audit: true }));
invocationSuite('on worker threads', () => open({ executor: 'worker', threads: 2 }));

for (const [where, options] of [
  ['in this thread', IN_THREAD],
  ['in this thread, audited', { ...IN_THREAD, audit: true }],
  ['on one worker thread', { executor: 'worker', threads: 1, spareThreads: 0 }],
] as const)
  invocationSuite(`of guests that wait, ${where}`, () => waitingWayIn(() => open(options)), waitingSkip());
