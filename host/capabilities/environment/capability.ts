/** Variables of the guest, to which a call adds its own. */

import { environmentSchema } from './schema.ts';

/** `environment` in the table of capabilities. */
export const ENVIRONMENT = {
  schema: environmentSchema,
  standard: {},
  runtimes: ['wasm', 'container', 'process'],
  grants: 'variables; a call can add its own',
} as const;
