/** A Nebula server with one function, in a process of its own: argument 1 is the target, argument 2 the function. */

import { join } from 'node:path';
import { createNebula, startServer } from '../../lib/index.ts';
import { functionPath, root } from '../measurement/root.ts';
import type { LoadTarget } from './step.ts';

const [, , target, name] = process.argv as [string, string, LoadTarget, string];
const nebula = await createNebula();
if (target === 'wasm-restored') await nebula.deploy(functionPath(name), { name });
else {
  const mode = target === 'container-warm' ? 'warm' : 'cold';
  await nebula.deploy(join(root, 'functions', 'target', 'native', name), {
    name,
    runtime: 'container',
    container: { mode },
  });
}
const server = await startServer(nebula, { port: 0 });
process.once('disconnect', () => void server.close().then(() => nebula.close()));
process.send?.(server.url);
