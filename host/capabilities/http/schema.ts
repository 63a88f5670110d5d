/** `capabilities.http` in a manifest. Loaded by `lib` only. */

import { Type } from 'typebox';
import { CLOSED, setOf, text } from '../../schema/elements.ts';
import type { ReadonlyStatic } from '../../schema/static.ts';

/** It cannot tell a port or a host that is none: `findMisfit` of capability.ts does. */
const ORIGIN = text('^https?://[^/?#@\\\\\\s]+$', 'an origin such as "https://api.example.com"');

/** Schema of outgoing requests. */
export const httpSchema = Type.Object(
  {
    /** Origins that may be asked, such as `https://api.example.com`; nothing else is, redirects included. */
    origins: setOf(ORIGIN, { description: 'a list of origins' }),
    /** Whether those origins may be at private, loopback and link-local addresses; default false. */
    private: Type.Optional(Type.Boolean({ description: 'true or false' })),
  },
  { ...CLOSED, description: '{"origins": list of origins, "private": true or false}' },
);

/** Requests of a component over wasi:http. Nothing is granted without it. */
export interface HttpCapability extends ReadonlyStatic<typeof httpSchema> {}
