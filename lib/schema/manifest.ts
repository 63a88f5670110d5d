/**
 * The one schema of a manifest (nebula.json), of which its type is derived. It describes the JSON, in which binary files of an
 * in-memory mount are `{"base64": "..."}`; the type has them as bytes (lib/wire/manifest-json.ts).
 */

import { Type } from 'typebox';
import { STRATEGIES } from '../../host/definition/strategies.ts';
import { initSchema, type InitOptions } from '../../host/init-options.ts';
import { CLOSED, EXPORT_NAME, oneOf, PATH, text } from '../../host/schema/elements.ts';
import type { ReadonlyStatic } from '../../host/schema/static.ts';
import { CAPABILITIES } from './capabilities.ts';
import { limitsSchema } from './limits.ts';
import { containerSchema, processSchema, RUNTIMES, type ContainerOptions, type ProcessOptions } from './runtime.ts';

/** What a function may be called: one segment of a path as it stands. */
export const NAME_PATTERN: string = '^[a-z0-9][a-z0-9._-]{0,63}$';

/** Schema of a function's name. */
export const nameSchema = text(NAME_PATTERN, 'a name of 1 to 64 of a-z 0-9 . _ - that starts with a letter or digit');

const allowSchema = Type.Object(
  {
    /** `trap`: functions it imports that Nebula does not have are linked to a trap; without it the module is refused. */
    missingImports: Type.Optional(Type.Literal('trap', { description: '"trap"' })),
  },
  { ...CLOSED, description: '{"missingImports": "trap"}' },
);

/** What a module may lack. */
export interface AllowOptions extends ReadonlyStatic<typeof allowSchema> {}

const httpSchema = Type.Object(
  {
    /** Content type of an answer to `POST /invoke/:name`; default `application/octet-stream`. */
    contentType: Type.Optional(text('^[\\x21-\\x7e][\\x20-\\x7e]*$', 'a media type in printable ASCII')),
    /** Whether the tail of stderr, the trap or the exit code is told to HTTP callers. */
    showFailures: Type.Optional(Type.Boolean()),
    /** Whether a CGI program is told the Authorization field of its requests, as HTTP_AUTHORIZATION; default false. */
    authorization: Type.Optional(Type.Boolean()),
  },
  CLOSED,
);

const fields = {
  /** What the function is called. */
  name: nameSchema,
  /** The path of the module, or of the native program, relative to the manifest. */
  module: Type.Optional(PATH),
  /** What the function is for, in words; shown where it is listed. */
  description: Type.Optional(Type.String()),
  /** Default `wasm`. */
  runtime: Type.Optional(oneOf(RUNTIMES)),
  /** How a container is started, where the runtime is that. */
  container: Type.Optional(Type.Unsafe<ContainerOptions>(containerSchema)),
  /** How a process is started, where the runtime is that. */
  process: Type.Optional(Type.Unsafe<ProcessOptions>(processSchema)),
  /** Export that handles an invocation. */
  entry: Type.Optional(EXPORT_NAME),
  /** Limits in place of the defaults. */
  limits: Type.Optional(limitsSchema),
  /** What the guest may reach; nothing by default. */
  capabilities: Type.Optional(CAPABILITIES),
  /** What is done once, before the snapshot. */
  init: Type.Optional(Type.Unsafe<Partial<InitOptions>>(Type.Partial(initSchema, CLOSED))),
  /** How the guest's state is put back after a call; `auto` (default) lets a calibration choose. */
  strategy: Type.Optional(oneOf([...STRATEGIES, 'auto'])),
  /** What a module may lack. */
  allow: Type.Optional(Type.Unsafe<AllowOptions>(allowSchema)),
  /** Whether its code counts units, so that a deadline ends it and not its thread; `auto` (default) where that pays. */
  budget: Type.Optional(
    Type.Union([Type.Boolean(), Type.Literal('auto')], { description: 'true, false or "auto"', default: 'auto' }),
  ),
  /** Calls that one instance of a component answers; default 1, so that no call sees what another left behind. */
  reuse: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'an integer from 1 to 1000000' })),
  /** A snapshot's path, relative to the manifest. */
  snapshot: Type.Optional(PATH),
  /** How the function answers over HTTP. */
  http: Type.Optional(httpSchema),
};

/** Schema of a manifest in JSON; fields it does not name are refused. */
export const manifestSchema = Type.Object(
  { $schema: Type.Optional(Type.String()), ...fields },
  { ...CLOSED, title: 'Manifest', description: 'an object with the fields of a manifest' },
);

/** What a manifest (nebula.json) says; every field but the name may be left out. */
export interface Manifest extends Omit<ReadonlyStatic<typeof manifestSchema>, '$schema'> {}

/** What `deploy` is told besides its source, in place of what a manifest says there. */
export interface DeployOptions extends Partial<Omit<Manifest, 'module' | 'snapshot'>> {
  /** The bytes of a snapshot, or its path. */
  readonly snapshot?: Uint8Array | string;
}
