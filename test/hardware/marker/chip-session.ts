/** Run by chip-line.test.ts: marks windows on a pin through /dev/gpiochipN and prints what the marker remembers. */

import { openChipLine } from '../../../hardware/marker/chip-line.ts';
import { measureLine } from '../../../hardware/marker/line.ts';
import { SessionMarker } from '../../../hardware/marker/marker.ts';

const root = process.argv[2] as string;
const line = await openChipLine(17, { root });
const again = await openChipLine(17, { root }).catch((error: { key: string; message: string }) => error);
const beyond = await openChipLine(54, { root }).catch((error: { key: string; message: string }) => error);
const cost = measureLine(line, 20);
const marker = await SessionMarker.open(line, { burstUnitMs: 1 });
for (const id of ['a', 'b']) {
  marker.start(id);
  marker.end(id);
}
await marker.close();
const levels = marker.log().edges.map(({ level }) => level);
process.stdout.write(
  JSON.stringify({
    label: line.label,
    synthetic: line.synthetic,
    levels,
    writes: cost.writes,
    refusals: [again, beyond].map((error) => ('key' in error ? `${error.key} ${error.message}` : 'none')),
  }),
);
