/** Functions of the embedder that a guest may call (docs/how-to/bindings.md). Which there are, only the embedder knows. */

import { bindingsSchema } from './schema.ts';

/** `bindings` in the table of capabilities. */
export const BINDINGS = {
  schema: bindingsSchema,
  standard: [],
  runtimes: ['wasm'],
  grants: 'functions of the embedder that it may call: names among the `bindings` of `createNebula`',
} as const;
