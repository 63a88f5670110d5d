/**
 * Directories of the machine and trees in memory. host/filesystem opens them; their limits are `filesystemBytes`,
 * `filesystemEntries` and `openFiles`.
 */

import { mountsSchema } from './schema.ts';

/** `mounts` in the table of capabilities. */
export const MOUNTS = {
  schema: mountsSchema,
  standard: [],
  runtimes: ['wasm', 'container'],
  grants:
    'directories of the machine, read-only or read-write, or a tree in memory, new for each call; devices by name',
} as const;
