/** Run by a test: makes a kept container, an image and a network, says so, and waits to be killed. */

import { createContainerExecutor } from '../../../pools/container/executor.ts';
import { define, SOCKET } from './docker.ts';

const executor = createContainerExecutor({ socketPath: SOCKET });
await executor.deploy(define('echo', { mode: 'warm', network: 'bridge' }));
process.stdout.write('ready\n');
setInterval(() => undefined, 1000);
