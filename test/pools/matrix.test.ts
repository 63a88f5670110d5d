/** The suite of invocations through both executors of this process. */

import type { NebulaOptions } from '../../lib/schema/nebula-options.ts';
import { createNebula } from '../../lib/nebula.ts';
import { invocationSuite, type SuiteTarget } from '../suite.ts';

async function open(options: NebulaOptions): Promise<SuiteTarget> {
  const nebula = await createNebula(options);
  return {
    deploy: (path, given) => nebula.deploy(path, given),
    invoke: (name, { input, ...call } = {}) => nebula.invoke(name, input, call),
    close: () => nebula.close(),
  };
}

invocationSuite('in this thread', () => open({ executor: 'in-thread' }));
invocationSuite('in this thread, audited', () => open({ executor: 'in-thread', audit: true }));
invocationSuite('on worker threads', () => open({ executor: 'worker', threads: 2 }));
