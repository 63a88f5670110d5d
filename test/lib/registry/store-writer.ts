/** A process that changes a store without end, for the test that kills it: `node store-writer.js DIRECTORY`. */

import { writeSync } from 'node:fs';
import { createNebulaOn } from '../../../lib/nebula.ts';
import { FakeExecutor } from '../fake-executor.ts';
import { tinyModule } from '../tiny-module.ts';

const nebula = await createNebulaOn(new FakeExecutor(), { store: process.argv[2] as string });
// Tells the parent what lasts: each line is written after the call it is about has returned.
for (let round = 1; ; round++) {
  const name = `f${round % 3}`;
  const record = await nebula.deploy(tinyModule(`${name} ${round}`), { name, description: `${name} ${round}` });
  writeSync(1, `${JSON.stringify({ name, version: record.version, description: record.manifest.description })}\n`);
  if (round % 7 === 0) {
    await nebula.undeploy(name);
    writeSync(1, `${JSON.stringify({ name, version: 0 })}\n`);
  }
}
