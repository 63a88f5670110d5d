/** `capabilities.sockets` in a manifest. Loaded by `lib` only. */

import { Type } from 'typebox';
import { CLOSED, setOf, text } from '../../schema/elements.ts';
import type { ReadonlyStatic } from '../../schema/static.ts';

/** It cannot tell a port or an address that is none: `findMisfit` of capability.ts does. */
const ADDRESS = text(
  '^(\\d{1,3}(\\.\\d{1,3}){3}|\\[[0-9A-Fa-f:.]+\\]):(\\d{1,5}|\\*)$',
  'an address such as "192.0.2.1:5432"',
);

const ADDRESSES = setOf(ADDRESS, { description: 'a list of addresses with ports' });

/** Schema of sockets. */
export const socketsSchema = Type.Object(
  {
    /** Addresses that may be connected to, private ones too: they are named one by one. */
    connect: Type.Optional(ADDRESSES),
    /** Addresses that may be bound to, to listen at; port 0 is one that the machine chooses. */
    bind: Type.Optional(ADDRESSES),
  },
  { ...CLOSED, description: '{"connect": list of addresses, "bind": list of addresses}' },
);

/**
 * TCP sockets of a component over wasi:sockets, by address: `192.0.2.1:5432`, `[2001:db8::1]:443`, or with `*` for any port.
 * Nothing is granted without it, and no name is ever looked up.
 */
export interface SocketCapability extends ReadonlyStatic<typeof socketsSchema> {}
