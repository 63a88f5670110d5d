/**
 * The one table of what a function can be granted. A capability is a folder here and a line of the table: what it is called
 * in a manifest, its schema, what holds without it, what it grants, where and within which limits. Its schema is loaded by `lib`
 * only; `host` and `pools` take types from here, and what grants it from its folder.
 */

import type { TSchema } from 'typebox';
import type { ReadonlyStatic } from '../schema/static.ts';
import { ARGUMENTS } from './arguments/capability.ts';
import { BINDINGS } from './bindings/capability.ts';
import { CLOCKS } from './clocks/capability.ts';
import { DENIAL } from './denial/capability.ts';
import { ENVIRONMENT } from './environment/capability.ts';
import { HTTP } from './http/capability.ts';
import { MOUNTS } from './mounts/capability.ts';
import { RANDOM } from './random/capability.ts';
import { SOCKETS } from './sockets/capability.ts';

/** What fits the schema and cannot be granted all the same. */
export interface Misfit {
  /** Path within the capability. */
  readonly field: string;
  /** What it must be. */
  readonly expected: string;
  readonly got: unknown;
}

/** A line of the table. */
interface Capability {
  readonly schema: TSchema;
  /** What a function has whose manifest does not name it; undefined is nothing. */
  readonly standard: unknown;
  /** Runtimes that have it; a manifest of another is refused. */
  readonly runtimes: readonly ('wasm' | 'container' | 'process')[];
  /** What it grants, in the words of docs/manifest.md. */
  readonly grants: string;
  /** Finds what no schema can tell. */
  readonly findMisfit?: (value: never) => Misfit | undefined;
}

/** Every capability by its name in a manifest, in the order that messages and documents list them. */
export const CAPABILITIES = {
  /** Arguments after the program's name. */
  arguments: ARGUMENTS,
  /** Variables by name. */
  environment: ENVIRONMENT,
  /** Directories that the guest finds open. */
  mounts: MOUNTS,
  /** What its clocks tell. */
  clocks: CLOCKS,
  /** Where its randomness is from. */
  random: RANDOM,
  /** Origins that a component may ask. */
  http: HTTP,
  /** Addresses that a component may have TCP connections with. */
  sockets: SOCKETS,
  /** Functions of the embedder that it may call. */
  bindings: BINDINGS,
  /** `errno`: what is not granted fails with its errno. `end`: it ends the invocation with a `denied` outcome. */
  denial: DENIAL,
} as const satisfies Readonly<Record<string, Capability>>;

type Table = typeof CAPABILITIES;

/** The name of a capability in a manifest. */
export type CapabilityName = keyof Table;

type Value<Name extends CapabilityName> = ReadonlyStatic<Table[Name]['schema']>;

type Always = {
  readonly [Name in keyof Table as Table[Name]['standard'] extends undefined ? never : Name]: Value<Name>;
};
type Named = {
  readonly [Name in keyof Table as Table[Name]['standard'] extends undefined ? Name : never]?: Value<Name>;
};

/** What a guest is granted. By default that is nothing: no argument, variable, directory, origin or socket. */
export interface Capabilities extends Always, Named {}

/** The lines of the table by name. */
export function capabilityEntries(): readonly (readonly [CapabilityName, Capability])[] {
  return Object.entries(CAPABILITIES) as [CapabilityName, Capability][];
}

/** What a function gets when its manifest says nothing. */
export const NO_CAPABILITIES: Capabilities = Object.fromEntries(
  capabilityEntries().flatMap(([name, { standard }]) => (standard === undefined ? [] : [[name, standard]])),
) as unknown as Capabilities;

/** Nothing, and what the manifest gives. */
export function resolveCapabilities(given: Partial<Capabilities> = {}): Capabilities {
  return { ...NO_CAPABILITIES, ...given };
}

/** The first of what fits its schema and cannot be granted, with its path under `capabilities`. */
export function findCapabilityMisfit(given: Partial<Capabilities>): Misfit | undefined {
  for (const [name, { findMisfit }] of capabilityEntries()) {
    const value = given[name];
    const misfit = value === undefined ? undefined : findMisfit?.(value as never);
    if (misfit !== undefined) return { ...misfit, field: `${name}.${misfit.field}` };
  }
  return undefined;
}
