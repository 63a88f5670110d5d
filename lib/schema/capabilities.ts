/** The schema of `capabilities` in a manifest. */

import { Type, type TUnsafe } from 'typebox';
import { DEVICES, type Capabilities } from '../../host/capabilities.ts';
import { CLOSED, ENVIRONMENT, oneOf, PATH, PLAIN_TEXT, setOf, text } from '../../host/schema/elements.ts';

const ACCESS = Type.Union([Type.Literal('read-only'), Type.Literal('read-write')], {
  description: '"read-only" or "read-write"',
});

const FILES = Type.Unsafe<Record<string, string | { base64: string }>>({
  type: 'object',
  description: 'an object of texts or {"base64": text} by relative path',
  additionalProperties: Type.Union(
    [
      Type.String(),
      Type.Object({ base64: text('^[A-Za-z0-9+/]*={0,2}$', 'base64') }, { ...CLOSED, required: ['base64'] }),
    ],
    { description: 'a text or {"base64": text}' },
  ),
});

const DEVICE_NAMES = Type.Optional(setOf(oneOf(DEVICES), { description: 'a list of devices' }));

const MOUNT = Type.Union(
  [
    Type.Object({ guest: PATH, machine: PATH, access: ACCESS, devices: DEVICE_NAMES }, CLOSED),
    Type.Object({ guest: PATH, files: FILES, access: ACCESS, devices: DEVICE_NAMES }, CLOSED),
  ],
  {
    description:
      '{"guest": path, "machine": directory, "access": "read-only"|"read-write"} or {"guest": path, "files": {path: text}, "access": ...}, each with "devices": a list of "null", "zero" and "urandom", or without',
  },
);

const CLOCKS = Type.Union(
  [
    Type.Object({ kind: Type.Literal('real') }, CLOSED),
    Type.Object({ kind: Type.Literal('coarse'), grainNs: Type.Integer({ minimum: 1, maximum: 1e15 }) }, CLOSED),
    Type.Object({ kind: Type.Literal('fixed'), epochMs: Type.Number({ minimum: 0, maximum: 8.64e15 }) }, CLOSED),
  ],
  {
    description:
      '{"kind": "real"}, {"kind": "coarse", "grainNs": positive integer} or {"kind": "fixed", "epochMs": number}',
  },
);

const RANDOM = Type.Union(
  [
    Type.Object({ kind: Type.Literal('secure') }, CLOSED),
    Type.Object(
      {
        kind: Type.Literal('seeded'),
        seed: Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }),
      },
      CLOSED,
    ),
  ],
  { description: '{"kind": "secure"} or {"kind": "seeded", "seed": integer}' },
);

/** A pattern cannot tell a port or an address that is none: manifest.ts does. */
const ORIGIN = Type.String({
  pattern: '^https?://[^/?#@\\\\\\s]+$',
  description: 'an origin such as "https://api.example.com"',
});

const OUTGOING_HTTP = Type.Object(
  {
    origins: Type.Array(ORIGIN, {
      uniqueItems: true,
      description: 'a list of origins',
    }),
    private: Type.Optional(Type.Boolean({ description: 'true or false' })),
  },
  { ...CLOSED, description: '{"origins": list of origins, "private": true or false}' },
);

const SOCKET_ADDRESSES = Type.Array(
  Type.String({
    pattern: '^(\\d{1,3}(\\.\\d{1,3}){3}|\\[[0-9A-Fa-f:.]+\\]):(\\d{1,5}|\\*)$',
    description: 'an address such as "192.0.2.1:5432"',
  }),
  { uniqueItems: true, description: 'a list of addresses with ports' },
);

const SOCKETS = Type.Object(
  { connect: Type.Optional(SOCKET_ADDRESSES), bind: Type.Optional(SOCKET_ADDRESSES) },
  { ...CLOSED, description: '{"connect": list of addresses, "bind": list of addresses}' },
);

/** Schema of `capabilities`: each may be left out. */
export const CAPABILITIES: TUnsafe<Partial<Capabilities>> = Type.Unsafe<Partial<Capabilities>>(
  Type.Object(
    {
      arguments: Type.Optional(Type.Array(PLAIN_TEXT, { description: 'a list of texts' })),
      environment: Type.Optional(ENVIRONMENT),
      mounts: Type.Optional(Type.Array(MOUNT, { description: 'a list of mounts' })),
      clocks: Type.Optional(CLOCKS),
      random: Type.Optional(RANDOM),
      http: Type.Optional(OUTGOING_HTTP),
      sockets: Type.Optional(SOCKETS),
      denial: Type.Optional(
        Type.Union([Type.Literal('errno'), Type.Literal('end')], { description: '"errno" or "end"' }),
      ),
    },
    CLOSED,
  ),
);
