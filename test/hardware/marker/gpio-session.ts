/**
 * Run by gpio-namespace.test.ts and in the ARM64 machine: marks windows and a Nebula's invocations on a line, GPIO17 through
 * onoff unless another marker is named, and prints what the marker remembers.
 */

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { measureLine, type MarkerLine } from '../../../hardware/marker/line.ts';
import { createNebula } from '../../../lib/nebula.ts';
import { SessionMarker } from '../../../hardware/marker/marker.ts';
import { openMarkerLine } from '../../../hardware/marker/markers.ts';

const FIBONACCI = join(import.meta.dirname, '../../../../functions/fibonacci');

const line = (await openMarkerLine(process.argv[2] ?? 'gpio:17')) as MarkerLine;
const cost = measureLine(line, 20);
const marker = await SessionMarker.open(line);
for (let index = 0; index < 12; index++) {
  marker.start(`w${index}`);
  await sleep(3 + index);
  marker.end(`w${index}`);
  await sleep(4);
}
const nebula = await createNebula({ executor: 'in-thread', markers: marker });
await nebula.deploy(FIBONACCI);
for (let call = 0; call < 3; call++) {
  await nebula.invoke('fibonacci', '30');
  await sleep(4);
}
const { markers } = nebula.stats();
await nebula.close();
await marker.close();
const { wall: _, ...log } = marker.log();
const edges = log.edges.map((edge) => ({ ...edge, beforeNs: `${edge.beforeNs}`, afterNs: `${edge.afterNs}` }));
process.stdout.write(JSON.stringify({ cost, markers, label: line.label, log: { ...log, edges } }));
