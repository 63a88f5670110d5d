/** Arguments after the program's name; those of a call take their place. */

import { argumentsSchema } from './schema.ts';

/** `arguments` in the table of capabilities. */
export const ARGUMENTS = {
  schema: argumentsSchema,
  standard: [],
  runtimes: ['wasm', 'container', 'process'],
  grants: "texts after the program's name",
} as const;
