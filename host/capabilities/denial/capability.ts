/** What the use of anything that was not granted comes to: the guest's error, or the end of the call. */

import { denialSchema } from './schema.ts';

/** `denial` in the table of capabilities. */
export const DENIAL = {
  schema: denialSchema,
  standard: 'errno',
  runtimes: ['wasm'],
  grants: 'what is not granted fails with its errno; `"end"` ends the call with the outcome `denied`',
} as const;
