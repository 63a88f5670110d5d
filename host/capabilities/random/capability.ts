/** What a guest draws, through random-source.ts in every version of WASI; `urandom` of a mount gives the same. */

import { randomSchema } from './schema.ts';

/** `random` in the table of capabilities. */
export const RANDOM = {
  schema: randomSchema,
  standard: { kind: 'secure' },
  runtimes: ['wasm'],
  grants: '`seeded` repeats the same sequence at each call',
} as const;
