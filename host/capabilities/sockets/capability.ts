/** TCP sockets of a component, at the addresses of allow-list.ts. A core module is given none. */

import { isGrant } from './allow-list.ts';
import { socketsSchema, type SocketCapability } from './schema.ts';

/** `sockets` in the table of capabilities. */
export const SOCKETS = {
  schema: socketsSchema,
  standard: undefined,
  runtimes: ['wasm'],
  grants:
    'of a component: addresses it may `connect` TCP sockets to, or `bind` them to, such as `192.0.2.1:5432` or `[::1]:*`',
  /** An address has its pattern and is none: a number too large. */
  findMisfit: ({ connect = [], bind = [] }: SocketCapability) => {
    for (const [field, grants] of Object.entries({ connect, bind })) {
      const index = grants.findIndex((grant) => !isGrant(grant));
      if (index >= 0) return { field: `${field}.${index}`, expected: 'an address that exists', got: grants[index] };
    }
    return undefined;
  },
} as const;
