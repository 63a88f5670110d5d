/** Makes the definition of a function for the runtime that its manifest names. */

import { capabilityEntries, resolveCapabilities } from '../../host/capabilities/capabilities.ts';
import type { MachineMount, Mount } from '../../host/capabilities/mounts/schema.ts';
import { isComponent } from '../../host/component/prepare/binary.ts';
import type { FunctionDefinition } from '../../host/definition/definition.ts';
import { NebulaError } from '../../host/errors.ts';
import { resolveLimits } from '../../host/limits.ts';
import { CONTAINER_DEFAULTS, type ContainerDefinition } from '../../pools/container/definition.ts';
import type { NativeDefinition } from '../../pools/native/backend.ts';
import type { ProcessDefinition } from '../../pools/process/definition.ts';
import type { Manifest } from '../schema/manifest.ts';
import type { ProcessOptions, Runtime } from '../schema/runtime.ts';
import { COUNTED_LIMITS } from './budget.ts';
import { defineFunction, type DefinitionDefaults, type DefinitionSource } from './function-definition.ts';

/** A function as one of the executors takes it. */
export type AnyDefinition = FunctionDefinition | ContainerDefinition | ProcessDefinition;

/** What a native guest cannot be given: it has no snapshot, and no instance of ours. */
const WASM_FIELDS = ['entry', 'init', 'strategy', 'reuse', 'snapshot', 'allow', 'budget'] as const;

/**
 * @throws NebulaError MANIFEST_INVALID for what the runtime does not have; what `defineFunction` throws
 */
export async function defineForRuntime(
  id: string,
  source: DefinitionSource,
  defaults: DefinitionDefaults,
): Promise<AnyDefinition> {
  const { manifest, module } = source;
  const { runtime = 'wasm' } = manifest;
  refuseOptionsOf(manifest, runtime);
  if (runtime !== 'wasm' || isComponent(module)) refuseBytes(manifest);
  if (runtime !== 'wasm' && source.snapshot !== undefined) throw misplaced('snapshot', runtime);
  switch (runtime) {
    case 'wasm':
      return defineFunction(id, source, defaults);
    case 'process':
      return { ...native(id, manifest, defaults, manifest.process), binary: module };
    case 'container': {
      const { image, base, network, cpus, pids } = manifest.container ?? {};
      return {
        ...native(id, manifest, defaults, manifest.container),
        source: image === undefined ? { binary: module, ...(base === undefined ? {} : { base }) } : { image },
        network: network ?? CONTAINER_DEFAULTS.network,
        cpus: cpus ?? CONTAINER_DEFAULTS.cpus,
        pids: pids ?? CONTAINER_DEFAULTS.pids,
        mounts: (manifest.capabilities?.mounts ?? []).map((mount, index) => machineMount(mount, index)),
      };
    }
    default:
      return runtime satisfies never;
  }
}

function refuseOptionsOf(manifest: Manifest, runtime: Runtime): void {
  for (const other of ['container', 'process'] as const) {
    if (other !== runtime && manifest[other] !== undefined) throw misplaced(other, runtime);
  }
  if (runtime === 'wasm') return;
  for (const field of WASM_FIELDS) if (manifest[field] !== undefined) throw misplaced(field, runtime);
  for (const name of COUNTED_LIMITS) if ((manifest.limits?.[name] ?? 0) > 0) throw misplaced(`limits.${name}`, runtime);
  for (const [name, { runtimes }] of capabilityEntries()) {
    const isGranted = !isNothing(manifest.capabilities?.[name]);
    if (isGranted && !runtimes.includes(runtime)) throw misplaced(`capabilities.${name}`, runtime);
  }
}

function isNothing(granted: unknown): boolean {
  return granted === undefined || (Array.isArray(granted) && granted.length === 0);
}

/** Only a core module is given bytes; all others are given texts, where a byte that is no UTF-8 would be another one. */
function refuseBytes({ capabilities = {} }: Manifest): void {
  const texts = [...(capabilities.arguments ?? []), ...Object.entries(capabilities.environment ?? {}).flat()];
  const broken = texts.find((text) => /\p{Surrogate}/u.test(text));
  if (broken === undefined) return;
  const detail = `arguments and variables must be UTF-8 unless the guest is a core module, got ${JSON.stringify(broken)}`;
  throw new NebulaError('MANIFEST_INVALID', { detail });
}

function native(
  id: string,
  manifest: Manifest,
  defaults: DefinitionDefaults,
  options: ProcessOptions = {},
): NativeDefinition {
  const { arguments: given, environment } = resolveCapabilities(manifest.capabilities);
  return {
    id,
    name: manifest.name,
    mode: options.mode ?? CONTAINER_DEFAULTS.mode,
    limits: resolveLimits({ ...defaults.limits, ...manifest.limits }),
    arguments: given,
    environment,
    idleTimeoutMs: options.idleTimeoutMs ?? CONTAINER_DEFAULTS.idleTimeoutMs,
  };
}

function machineMount(mount: Mount, index: number): MachineMount {
  if (!('machine' in mount)) throw misplaced(`capabilities.mounts.${index}.files`, 'container');
  if (mount.devices !== undefined) throw misplaced(`capabilities.mounts.${index}.devices`, 'container');
  if (mount.guest.startsWith('/')) return mount;
  const field = `capabilities.mounts.${index}.guest`;
  const detail = `field "${field}" must be an absolute path in a container, got ${JSON.stringify(mount.guest)}`;
  throw new NebulaError('MANIFEST_INVALID', { detail });
}

function misplaced(field: string, runtime: Runtime): NebulaError {
  const detail = `field "${field}" must be left out: the runtime is "${runtime}"`;
  return new NebulaError('MANIFEST_INVALID', { detail });
}
