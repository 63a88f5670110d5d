/** What a folder of the machine and what a guest's directory hold, as text to compare. */

import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Descriptor } from '../../../host/component/world/descriptor.ts';

/** Names, contents and times of all beneath a folder. */
export function describeTree(folder: string): string {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  const lines = names.map((name) => {
    const { mtimeNs, size, nlink } = lstatSync(join(folder, name), { bigint: true });
    const isFile = lstatSync(join(folder, name)).isFile();
    return `${name} ${mtimeNs} ${size} ${nlink} ${isFile ? readFileSync(join(folder, name), 'utf8') : ''}`;
  });
  return lines.join('\n');
}

/** The names and contents a guest can reach. */
export function describeGuest(directory: Descriptor): string {
  const lines: string[] = [];
  const stream = directory.readDirectory();
  for (let entry = stream.readDirectoryEntry(); entry !== undefined; entry = stream.readDirectoryEntry()) {
    const { size, type } = directory.statAt({}, entry.name) as { size: bigint; type: unknown };
    lines.push(`${entry.name} ${size} ${JSON.stringify(type)}`);
  }
  stream.drop();
  return lines.sort().join('\n');
}
