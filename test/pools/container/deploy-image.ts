/** Run by a test as another user: deploys an image over the socket of argument 1, and prints the code of the error. */

import { createContainerExecutor } from '../../../pools/container/executor.ts';
import { CONTAINER_DEFAULTS } from '../../../pools/container/definition.ts';
import { nativeDefinition } from '../native/native-suite.ts';

const executor = createContainerExecutor({ socketPath: process.argv[2] as string });
const source = { image: 'nebula-test-missing:latest' };
try {
  await executor.deploy({ ...CONTAINER_DEFAULTS, ...nativeDefinition('echo', {}), mounts: [], source });
} catch (error) {
  process.stdout.write(String((error as { code?: unknown }).code));
}
await executor.close(0);
