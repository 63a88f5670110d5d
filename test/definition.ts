/** Definitions of the built functions, without a registry: for tests of what lies beneath the library. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { resolveCapabilities, type Capabilities } from '../host/capabilities/capabilities.ts';
import type { CountingWish } from '../host/definition/budget.ts';
import type { FunctionDefinition } from '../host/definition/definition.ts';
import type { InitOptions } from '../host/init-options.ts';
import { resolveLimits, type Limits } from '../host/limits.ts';
import { prepareModule } from '../host/preparation/module.ts';

// Compiled to dist/test.
const FUNCTIONS = join(import.meta.dirname, '..', '..', 'functions');

/** The module of a function by its folder under functions/: `echo`, `guests/forever`. */
export function modulePath(folder: string): string {
  return join(FUNCTIONS, folder, `${folder.slice(folder.lastIndexOf('/') + 1)}.wasm`);
}

/** What a test gives a function in place of the defaults. */
export interface DefinitionOverrides extends Partial<Pick<FunctionDefinition, 'strategy' | 'audit' | 'snapshot'>> {
  readonly entry?: string;
  readonly limits?: Partial<Limits>;
  readonly capabilities?: Partial<Capabilities>;
  readonly init?: Partial<InitOptions>;
  /** Whether its code counts units; it does not by default. */
  readonly wish?: CountingWish;
}

let made = 0;

/** A definition with an id of its own. */
export async function define(
  name: string,
  wasmPath: string,
  overrides: DefinitionOverrides = {},
): Promise<FunctionDefinition> {
  const { entry, limits: limitsGiven, capabilities, init, wish, ...rest } = overrides;
  const limits = resolveLimits(limitsGiven);
  const options = entry === undefined ? {} : { entry };
  const prepared = await prepareModule(await readFile(wasmPath), limits, options, wish);
  return {
    ...renamed(name),
    prepared,
    entry: prepared.info.entry,
    limits,
    capabilities: resolveCapabilities(capabilities),
    init: { environment: {}, allow: [], warmUp: [], ...init },
    strategy: 'auto',
    audit: false,
    ...rest,
  };
}

/** A name with an id that no other definition has: spread over a definition, it makes another function of it. */
export function renamed(name: string): Pick<FunctionDefinition, 'id' | 'name'> {
  made += 1;
  return { id: `${name}#${made}`, name };
}
