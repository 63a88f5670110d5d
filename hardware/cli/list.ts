/** `nebula meter list`. */

import { listMarkers } from '../marker/markers.ts';
import { listSources } from '../meter/listing.ts';
import type { SourceProperties } from '../meter/power-source.ts';
import { argumentsOf, printJson } from './command.ts';

function describe({ rule, clock, refreshS, resolution }: SourceProperties): string {
  const unit = rule === 'counter' ? 'J' : 'W';
  const parts = [
    rule,
    clock === 'ours' ? 'our clock' : 'own clock',
    refreshS === undefined ? '' : `new value each ${refreshS} s`,
    resolution === undefined || resolution === 0 ? '' : `steps of ${resolution} ${unit}`,
  ];
  return parts.filter((part) => part !== '').join(', ');
}

function table(title: string, rows: readonly (readonly [state: string, name: string, detail: string])[]): string {
  const width = Math.max(...rows.map(([, name]) => name.length));
  const lines = rows.map(([state, name, detail]) => `  ${state.padEnd(9)}  ${name.padEnd(width)}  ${detail}\n`);
  return `${title}\n${lines.join('')}`;
}

/** `nebula meter list`. @throws HardwareError ARGUMENT */
export async function list(given: readonly string[]): Promise<void> {
  const { flags } = argumentsOf(given, {}, 0);
  const sources = await listSources();
  const markers = listMarkers();
  if (flags['json'] === true) {
    printJson({ sources, markers });
    return;
  }
  const measured = sources.filter(({ state, properties }) => state === 'present' && properties?.synthetic === false);
  process.stdout.write(
    table(
      'Power sources',
      sources.map(({ state, source, detail, properties }) => {
        return [state, source, properties === undefined ? detail : `${detail} (${describe(properties)})`];
      }),
    ),
  );
  if (measured.length === 0) {
    process.stdout.write('\nThis machine has no source of its own: no power can be measured without a meter.\n');
  }
  process.stdout.write(
    table(
      '\nMarkers',
      markers.map(({ state, marker, detail }) => [state, marker, detail]),
    ),
  );
}
