/** The project's folder, from a compiled file or from its source. */

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

/** The folder of the clone, from the sources and from dist. */
export const root: string = join(here, import.meta.url.includes('/dist/bench/') ? '../../..' : '../..');

/** A function's module. */
export function functionPath(name: string): string {
  return join(root, 'functions', name, `${name}.wasm`);
}
