/** Holds what a manifest is to be granted of bindings against what the embedder has. */

import type { RawBinding, RawImport } from '../../host/bindings/raw.ts';
import type { BindingTable, BoundFunction } from '../../host/bindings/bindings.ts';
import { NebulaError } from '../../host/errors.ts';
import type { ModuleInfo } from '../../host/module/inspect.ts';
import type { Manifest } from '../schema/manifest.ts';

type Import = Pick<RawImport, 'module' | 'name'>;
type GrantedImport = Omit<RawImport, 'result'>;

/** What a manifest grants. */
export interface Granted {
  /** Functions of bytes, in order. */
  readonly functions: readonly BoundFunction[];
  /** Functions that modules may import as they are. */
  readonly raw: readonly GrantedImport[];
}

/**
 * What a manifest grants.
 * @throws NebulaError BINDING_REFUSED for what the embedder does not have, and for raw functions where guests run in other threads
 */
export function grantBindings(
  { name, capabilities }: Manifest,
  { bindings, isInThread = false }: { readonly bindings?: BindingTable; readonly isInThread?: boolean },
): Granted {
  const granted = [...(capabilities?.bindings ?? [])].sort();
  const refused = (binding: string, detail: string): NebulaError =>
    new NebulaError('BINDING_REFUSED', { name, binding, detail });
  const functions: BoundFunction[] = [];
  const raw: GrantedImport[] = [];
  for (const binding of granted) {
    const imports = bindings?.rawOf(binding);
    const bound = bindings?.of(binding);
    if (bound !== undefined) functions.push(...bound);
    else if (imports === undefined) {
      const names = bindings?.names ?? [];
      const expected = names.length === 0 ? 'no binding: createNebula was given none' : `one of ${names.join(', ')}`;
      throw refused(binding, `expected ${expected}, got ${binding}`);
    } else if (!isInThread) {
      const expected = 'functions of bytes, since guests run in other threads ("executor": "worker")';
      throw refused(binding, `expected ${expected}, got raw functions`);
    } else raw.push(...functionsOf(binding, imports));
  }
  const both = raw.find((each, at) => raw.findIndex((other) => isSame(each, other)) !== at);
  if (both !== undefined)
    throw refused(both.binding, `expected imports of its own, got ${both.module}.${both.name}, which another has, too`);
  return { functions, raw };
}

function functionsOf(binding: string, { module, functions }: RawBinding): GrantedImport[] {
  return Object.keys(functions).map((name) => ({ module, name, binding }));
}

/** Those that a module imports, with the types of their results. */
export function importsOf({ rawImports = [] }: Pick<ModuleInfo, 'rawImports'>, { raw }: Granted): readonly RawImport[] {
  return rawImports.map((each) => ({ ...each, binding: raw.find((other) => isSame(each, other))?.binding ?? '' }));
}

function isSame(one: Import, other: Import): boolean {
  return one.module === other.module && one.name === other.name;
}

/**
 * Refuses functions that are declared `async` where their guests run in the same thread and cannot be suspended.
 * @throws NebulaError BINDING_REFUSED
 */
export function refuseUnsuspendable({ name }: Manifest, bindings: readonly BoundFunction[], cannotWait: boolean): void {
  const later = cannotWait ? bindings.find(({ isAsync }) => isAsync) : undefined;
  if (later === undefined) return;
  const detail =
    'expected a function that answers at once, since guests in the same thread that cannot be suspended would wait for ever ' +
    '(Node 24 and code that counts units suspend them), got an async function';
  throw new NebulaError('BINDING_REFUSED', { name, binding: later.name, detail });
}

/**
 * Refuses bindings to guests in the same thread whose code does not count units: a deadline, which any call may bring, would
 * end them together with their guest, in the middle of what they do.
 * @throws NebulaError BINDING_REFUSED
 */
export function refuseUncounted({ name }: Manifest, { functions, raw }: Granted, hasBudget: boolean): void {
  const first = functions[0]?.name ?? raw[0]?.binding;
  if (hasBudget || first === undefined) return;
  const detail =
    'expected code that counts units, since a deadline in the same thread would end the binding with its guest, got "budget": false';
  throw new NebulaError('BINDING_REFUSED', { name, binding: first, detail });
}
