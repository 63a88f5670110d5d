/** Makes the definition that executors take from a module or a component and a manifest. */

import type { BindingTable } from '../../host/bindings/bindings.ts';
import { resolveCapabilities } from '../../host/capabilities/capabilities.ts';
import { isComponent } from '../../host/component/prepare/binary.ts';
import type { PreparedComponent, TranspiledComponent } from '../../host/definition/prepared-component.ts';
import type { CountingWish } from '../../host/definition/budget.ts';
import type { FunctionDefinition } from '../../host/definition/definition.ts';
import { NebulaError } from '../../host/errors.ts';
import { CAN_SUSPEND } from '../../host/waiting/jspi.ts';
import { resolveLimits, type Limits } from '../../host/limits.ts';
import type { ModuleOptions } from '../../host/module/inspect.ts';
import { prepareModule } from '../../host/preparation/module.ts';
import type { PreparedModule } from '../../host/module/prepared-module.ts';
import { grantBindings, importsOf, type Granted, refuseUncounted, refuseUnsuspendable } from './bindings.ts';
import { chooseBudget, wishOf } from './budget.ts';
import { checkSize } from './source.ts';
import type { Manifest } from '../schema/manifest.ts';
import type { ComponentCache } from './component-cache.ts';

/** What a definition is made from. */
export interface DefinitionSource {
  readonly module: Uint8Array;
  readonly manifest: Manifest;
  readonly snapshot?: Uint8Array;
  /** What `nebula prepare` made of the module, if it is a component. */
  readonly transpiled?: TranspiledComponent;
  /** Whether a call of this version had to be stopped together with its thread. */
  readonly wasStopped?: boolean;
}

/** What holds where the manifest says nothing. */
export interface DefinitionDefaults {
  readonly limits?: Partial<Limits>;
  readonly audit: boolean;
  /** Whether guests run in their caller's thread, where nothing else ends them. */
  readonly isInThread?: boolean;
  /** What the embedder has of bindings. */
  readonly bindings?: BindingTable;
  /** Where transpiled components are kept. */
  readonly components?: ComponentCache;
}

/** What only core modules have. */
const MODULE_FIELDS = ['entry', 'init', 'snapshot', 'allow'] as const;

/**
 * Reads and compiles the module.
 * @throws NebulaError MODULE_*, UNKNOWN_IMPORT, BINDING_NOT_GRANTED, BINDING_REFUSED, NO_ENTRY, MEMORY_MINIMUM, TABLE_MINIMUM, TRANSPILER_MISSING, PREPARED_INVALID,
 * DEPLOY_TIMEOUT, DEPLOY_MEMORY, PREPARER_LOST
 */
export async function defineFunction(
  id: string,
  source: DefinitionSource,
  defaults: DefinitionDefaults,
): Promise<FunctionDefinition> {
  const { manifest, snapshot } = source;
  const limits = resolveLimits({ ...defaults.limits, ...manifest.limits });
  const { isInThread = false } = defaults;
  const { wasStopped = false } = source;
  const budget = chooseBudget(manifest, limits, { isInThread, wasStopped });
  const granted = grantBindings(manifest, { ...defaults, isInThread });
  const bindings = granted.functions;
  const { prepared, component } = await prepare(source, limits, defaults, { wish: wishOf(budget), granted });
  const raw = importsOf(prepared.info, granted);
  if (isInThread) {
    const { hasBudget } = prepared.info;
    refuseUnsuspendable(manifest, bindings, !(CAN_SUSPEND && hasBudget));
    refuseUncounted(manifest, granted, hasBudget);
  }
  return {
    id,
    name: manifest.name,
    prepared,
    ...(budget !== undefined && prepared.info.hasBudget ? { budget } : {}),
    ...(component === undefined ? {} : { component }),
    ...(manifest.reuse === undefined ? {} : { reuse: manifest.reuse }),
    entry: prepared.info.entry,
    limits,
    capabilities: resolveCapabilities(manifest.capabilities),
    ...(bindings.length === 0 ? {} : { bindings: bindings.map(({ name }) => name) }),
    ...(raw.length === 0 ? {} : { raw }),
    init: { environment: {}, allow: [], warmUp: [], ...manifest.init },
    strategy: manifest.strategy ?? 'auto',
    ...(snapshot === undefined ? {} : { snapshot }),
    audit: defaults.audit,
  };
}

/** What a manifest says of how its module is read. */
export function moduleOptions({ entry, allow, capabilities }: Partial<Manifest>): ModuleOptions {
  return {
    ...((capabilities?.bindings ?? []).length === 0 ? {} : { hasBindings: true }),
    ...(entry === undefined ? {} : { entry }),
    ...(allow?.missingImports === undefined ? {} : { missingImports: allow.missingImports }),
  };
}

async function prepare(
  source: DefinitionSource,
  limits: Limits,
  defaults: DefinitionDefaults,
  { wish, granted }: { readonly wish: CountingWish; readonly granted: Granted },
): Promise<{ readonly prepared: PreparedModule; readonly component?: PreparedComponent }> {
  const { manifest, module } = source;
  checkSize(module.length, manifest, limits.moduleBytes);
  if (!isComponent(module)) {
    const hasBindings = granted.functions.length > 0;
    const options = { ...moduleOptions(manifest), hasBindings, rawImports: granted.raw };
    if (manifest.reuse !== undefined)
      throw misplaced('reuse', 'a core module, whose state is put back after each call');
    return { prepared: await prepareModule(module, limits, options, wish) };
  }
  for (const field of MODULE_FIELDS) {
    if (manifest[field] !== undefined) throw misplaced(field, 'a component');
  }
  if (source.snapshot !== undefined) throw misplaced('snapshot', 'a component');
  if ((manifest.capabilities?.bindings ?? []).length > 0) throw misplaced('capabilities.bindings', 'a component');
  const { ComponentCache } = await import('./component-cache.ts');
  const { prepareComponent } = await import('../../host/preparation/component.ts');
  const components = defaults.components ?? new ComponentCache();
  return prepareComponent(await components.get(module, source.transpiled, limits), limits, wish);
}

function misplaced(field: string, kind: string): NebulaError {
  return new NebulaError('MANIFEST_INVALID', { detail: `field "${field}" must be left out: the module is ${kind}` });
}
