/** The mappings of this process, for tests that count them: the kernel has a limit (vm.max_map_count). */

import { readFileSync } from 'node:fs';
import { pageSizeBytes } from '../../../host/linux/page-size.ts';

export interface Mapping {
  readonly sizeBytes: number;
  readonly rights: string;
  readonly path: string;
}

export function mappings(): Mapping[] {
  const lines = readFileSync('/proc/self/maps', 'latin1').matchAll(
    /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \d+ *(.*)$/gm,
  );
  return Array.from(lines, ([, from, to, rights, path]) => ({
    sizeBytes: parseInt(to ?? '', 16) - parseInt(from ?? '', 16),
    rights: rights ?? '',
    path: path ?? '',
  }));
}

/** Mappings as large as the stack that koffi takes for a thread, the page above it included. */
export function koffiStacks(): number {
  const size = 2 * 2 ** 20 + pageSizeBytes();
  return mappings().filter(({ sizeBytes, rights }) => sizeBytes === size && rights === 'rw-p').length;
}

const isOfMemory = ({ sizeBytes, rights, path }: Mapping): boolean =>
  path.includes('memfd:nebula') || (rights === '---p' && sizeBytes >= 2 ** 30);

/** Mappings of images, and what V8 reserves around memories. */
export function memoryMappings(): number {
  return mappings().filter(isOfMemory).length;
}
