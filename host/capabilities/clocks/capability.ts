/** The clocks a guest reads, through time-source.ts in every version of WASI; times of files are theirs too. */

import { clocksSchema } from './schema.ts';

/** `clocks` in the table of capabilities. */
export const CLOCKS = {
  schema: clocksSchema,
  standard: { kind: 'real' },
  runtimes: ['wasm'],
  grants: '`coarse` rounds down to `grainNs`, `fixed` always tells `epochMs`',
} as const;
