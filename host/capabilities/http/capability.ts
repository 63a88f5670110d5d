/** Requests of a component: to the origins of allow-list.ts, at public addresses (public-address.ts) unless `private` is said. */

import { httpSchema, type HttpCapability } from './schema.ts';

/** `http` in the table of capabilities. */
export const HTTP = {
  schema: httpSchema,
  standard: undefined,
  runtimes: ['wasm'],
  grants: 'of a component: `origins` it may ask over `wasi:http`; `private` allows private and link-local addresses',
  /** An origin has its pattern and is none: a port too large. */
  findMisfit: ({ origins }: HttpCapability) => {
    const index = origins.findIndex((origin) => !URL.canParse(origin));
    return index < 0
      ? undefined
      : { field: `origins.${index}`, expected: 'an origin that exists', got: origins[index] };
  },
} as const;
