/** Makes the definition that executors take from a module and a manifest. */

import { resolveCapabilities } from '../../host/capabilities.ts';
import type { FunctionDefinition } from '../../host/definition.ts';
import { resolveLimits, type Limits } from '../../host/limits.ts';
import { prepareModule } from '../../host/module/prepare.ts';
import type { Manifest } from '../api.ts';

/** What a definition is made from. */
export interface DefinitionSource {
  readonly module: Uint8Array;
  readonly manifest: Manifest;
  readonly snapshot?: Uint8Array;
}

/** What holds where the manifest says nothing. */
export interface DefinitionDefaults {
  readonly limits?: Partial<Limits>;
  readonly audit: boolean;
}

/**
 * Reads and compiles the module.
 * @throws NebulaError MODULE_*, UNKNOWN_IMPORT, NO_ENTRY, MEMORY_MINIMUM, TABLE_MINIMUM
 */
export async function defineFunction(
  id: string,
  source: DefinitionSource,
  defaults: DefinitionDefaults,
): Promise<FunctionDefinition> {
  const { manifest, module, snapshot } = source;
  const limits = resolveLimits({ ...defaults.limits, ...manifest.limits });
  const prepared = await prepareModule(module, limits, manifest.entry === undefined ? {} : { entry: manifest.entry });
  return {
    id,
    name: manifest.name,
    prepared,
    entry: prepared.info.entry,
    limits,
    capabilities: resolveCapabilities(manifest.capabilities),
    init: { environment: {}, allow: [], warmUp: [], ...manifest.init },
    strategy: manifest.strategy ?? 'auto',
    ...(snapshot === undefined ? {} : { snapshot }),
    audit: defaults.audit,
  };
}
