/**
 * The one JSON Schema of a manifest (nebula.json), its limits included. Every leaf's `description` says what it takes in
 * words, because error messages quote it.
 */

import { Type, type TSchema } from 'typebox';
import { DEVICES } from '../host/capabilities.ts';
import { STRATEGIES } from '../host/definition.ts';
import { NETWORKS } from '../pools/container/definition.ts';
import { DEFAULT_LIMITS, type LimitName } from '../host/limits.ts';

const KIB = 1024;
const GIB = KIB * KIB * KIB;

/** Smallest and largest value of each limit, in the limit's own unit. Wasm memory has 65,536 pages at most. */
const LIMIT_RANGES: Readonly<Record<LimitName, readonly [minimum: number, maximum: number]>> = {
  timeoutMs: [0, 2 ** 31 - 1],
  firstByteMs: [0, 2 ** 31 - 1],
  memoryBytes: [64 * KIB, 4 * GIB],
  tableElements: [0, 10_000_000],
  inputBytes: [0, 2 * GIB],
  outputBytes: [0, 2 * GIB],
  bufferBytes: [0, 64 * KIB * KIB],
  stderrBytes: [0, GIB],
  openFiles: [3, 65_536],
  resources: [1, 1_000_000],
  filesystemBytes: [0, 4 * GIB],
  filesystemEntries: [0, 1_000_000],
  queueLength: [0, 1_000_000],
  concurrency: [1, 10_000],
  moduleBytes: [8, GIB],
  deployMs: [1, 2 ** 31 - 1],
  deployMemoryBytes: [GIB / 16, 64 * GIB],
};

/** What a function may be called: one segment of a path as it stands. */
export const NAME_PATTERN: string = '^[a-z0-9][a-z0-9._-]{0,63}$';

const CLOSED = { additionalProperties: false };

function text(pattern: string, description: string): TSchema {
  return Type.String({ pattern, description });
}

const PLAIN_TEXT = text('^[^\\u0000]*$', 'a text without NUL');

const ENVIRONMENT = Type.Unsafe<Record<string, string>>({
  type: 'object',
  description: 'an object of texts without NUL, under names without "=" and NUL',
  propertyNames: { pattern: '^[^=\\u0000]+$', description: 'a variable name without "=" and NUL' },
  additionalProperties: PLAIN_TEXT,
});

const GUEST_PATH = text('^[^\\u0000]+$', 'a path');

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

const DEVICE_NAMES = Type.Optional(Type.Array(oneOf(DEVICES), { uniqueItems: true, description: 'a list of devices' }));

const MOUNT = Type.Union(
  [
    Type.Object(
      { guest: GUEST_PATH, machine: text('^[^\\u0000]+$', 'a path'), access: ACCESS, devices: DEVICE_NAMES },
      CLOSED,
    ),
    Type.Object({ guest: GUEST_PATH, files: FILES, access: ACCESS, devices: DEVICE_NAMES }, CLOSED),
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

function limitsProperties(): Record<string, TSchema> {
  const properties: Record<string, TSchema> = {};
  for (const [name, [minimum, maximum]] of Object.entries(LIMIT_RANGES)) {
    properties[name] = Type.Optional(
      Type.Integer({
        minimum,
        maximum,
        default: DEFAULT_LIMITS[name as LimitName],
        description: `an integer from ${minimum} to ${maximum}`,
      }),
    );
  }
  return properties;
}

/** Schema of `limits`: each field of `Limits`, all optional. */
export const limitsSchema: TSchema = Type.Object(limitsProperties(), CLOSED);

const CAPABILITIES = Type.Object(
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
);

const INIT = Type.Object(
  {
    export: Type.Optional(text('^[^\\u0000]+$', "an export's name")),
    environment: Type.Optional(ENVIRONMENT),
    allow: Type.Optional(
      Type.Array(
        Type.Union([Type.Literal('random'), Type.Literal('clock'), Type.Literal('mounts')], {
          description: '"random", "clock" or "mounts"',
        }),
        {
          uniqueItems: true,
          description: 'a list of "random" and "clock"',
        },
      ),
    ),
    warmUp: Type.Optional(Type.Array(Type.String(), { description: 'a list of texts' })),
  },
  CLOSED,
);

const ALLOW = Type.Object(
  { missingImports: Type.Optional(Type.Literal('trap', { description: '"trap"' })) },
  { ...CLOSED, description: '{"missingImports": "trap"}' },
);

const HTTP = Type.Object(
  {
    contentType: Type.Optional(text('^[\\x21-\\x7e][\\x20-\\x7e]*$', 'a media type in printable ASCII')),
    showFailures: Type.Optional(Type.Boolean()),
    authorization: Type.Optional(Type.Boolean()),
  },
  CLOSED,
);

/** A union of texts that describes itself. */
function oneOf(names: readonly string[]): TSchema {
  const description = `one of ${names.map((name) => `"${name}"`).join(', ')}`;
  return Type.Union(
    names.map((name) => Type.Literal(name)),
    { description },
  );
}

/** The characters of image references; the engine reads the rest of the grammar. A Dockerfile gets nothing but these. */
const IMAGE = text('^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,511}$', 'the reference of an image');

const PROCESS_PROPERTIES = {
  mode: Type.Optional(oneOf(['cold', 'warm'])),
  idleTimeoutMs: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1, description: 'an integer from 0 to 2147483647' }),
  ),
};

const CONTAINER = Type.Object(
  {
    ...PROCESS_PROPERTIES,
    image: Type.Optional(IMAGE),
    base: Type.Optional(IMAGE),
    network: Type.Optional(oneOf(NETWORKS)),
    cpus: Type.Optional(Type.Number({ minimum: 0, maximum: 1024, description: 'a number from 0 to 1024' })),
    pids: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000, description: 'an integer from 1 to 100000' })),
  },
  CLOSED,
);

/** Schema of a manifest in JSON; fields it does not name are refused. */
export const manifestSchema: TSchema = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    name: text(NAME_PATTERN, 'a name of 1 to 64 of a-z 0-9 . _ - that starts with a letter or digit'),
    module: Type.Optional(text('^[^\\u0000]+$', 'a path')),
    description: Type.Optional(Type.String()),
    runtime: Type.Optional(oneOf(['wasm', 'container', 'process'])),
    container: Type.Optional(CONTAINER),
    process: Type.Optional(Type.Object(PROCESS_PROPERTIES, CLOSED)),
    entry: Type.Optional(text('^[^\\u0000]+$', "an export's name")),
    limits: Type.Optional(limitsSchema),
    capabilities: Type.Optional(CAPABILITIES),
    init: Type.Optional(INIT),
    strategy: Type.Optional(oneOf([...STRATEGIES, 'auto'])),
    allow: Type.Optional(ALLOW),
    reuse: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'an integer from 1 to 1000000' })),
    snapshot: Type.Optional(text('^[^\\u0000]+$', 'a path')),
    http: Type.Optional(HTTP),
  },
  { ...CLOSED, title: 'Manifest', description: 'an object with the fields of a manifest' },
);
