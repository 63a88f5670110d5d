/**
 * Checks what a component exports to be run by, and imports of WASI, before anything is made of it: by name, version and
 * type. Source: WASI 0.2, wasi:cli/run and wasi:http/incoming-handler.
 */

import { ENTRY_INTERFACES } from '../../definition/prepared-component.ts';
import { NebulaError } from '../../errors.ts';
import { isKnownVersion, isWasi03, WASI_03 } from '../../wasi/versions.ts';
import { readDefinitions } from './types/reader.ts';
import { functionOf, type Item, Scope } from './types/scope.ts';
import type { Definition, FunctionType } from './types/syntax.ts';
import { parseInterface } from './wit.ts';
import { INTERFACES } from '../world/interfaces.ts';

interface Entry {
  readonly function: string;
  /** As WIT has it. */
  readonly type: string;
  readonly isOf: (type: FunctionType, scope: Scope) => boolean;
}

/** What Nebula calls, by interface. */
const ENTRIES: ReadonlyMap<string, Entry> = new Map<string, Entry>([
  [ENTRY_INTERFACES.command, { function: 'run', type: 'func() -> result', isOf: isRun }],
  [
    ENTRY_INTERFACES.http,
    {
      function: 'handle',
      type: 'func(request: incoming-request, response-out: response-outparam)',
      isOf: isHandle,
    },
  ],
]);

function isRun({ parameters, result }: FunctionType, scope: Scope): boolean {
  const type = scope.typeOf(result);
  if (parameters.length > 0 || type.kind !== 'type' || type.type.form !== 'result') return false;
  return type.type.ok === undefined && type.type.error === undefined;
}

const HANDLED = ['incoming-request', 'response-outparam'] as const;

function isHandle({ parameters, result }: FunctionType, scope: Scope): boolean {
  if (result !== undefined || parameters.length !== HANDLED.length) return false;
  return HANDLED.every((name, at) => isOwn(scope.typeOf(parameters[at]), name));
}

/** Whether a type is a handle of a resource of wasi:http/types that the guest owns. */
function isOwn(type: Item, name: string): boolean {
  if (type.kind !== 'type' || type.type.form !== 'own') return false;
  const resource = type.scope.at({ sort: 'type', index: type.type.index });
  if (resource.kind !== 'resource') return false;
  const [owner = '', found] = resource.name.split('#');
  return found === name && parseInterface(owner)?.id === 'wasi:http/types';
}

/** Whether an import is of an interface that Nebula has. */
function isKnownImport(name: string): boolean {
  const parsed = parseInterface(name);
  return parsed !== undefined && INTERFACES.has(parsed.id) && isKnownVersion(parsed.version ?? '');
}

/** @throws NebulaError UNKNOWN_IMPORT */
export function refuseUnknownImports(imports: readonly string[]): void {
  const unknown = imports.filter((name) => !isKnownImport(name));
  if (unknown.length === 0) return;
  const note = unknown.some(isWasi03) ? ` (${WASI_03})` : '';
  throw new NebulaError('UNKNOWN_IMPORT', { count: unknown.length, imports: `${unknown.join(', ')}${note}` });
}

/**
 * Refuses interfaces of WASI that Nebula does not call, which would be deployed for nothing; a component's own are its
 * own affair.
 * @throws NebulaError UNKNOWN_EXPORT
 */
export function refuseUnknownExports(exports: readonly string[]): void {
  for (const name of exports) {
    if (!name.startsWith('wasi:')) continue;
    const { id = name, version = '' } = parseInterface(name) ?? {};
    if (ENTRIES.has(id) && isKnownVersion(version)) continue;
    const known = [...ENTRIES.keys()].map((each) => `${each}@0.2`).join(' or ');
    throw new NebulaError('UNKNOWN_EXPORT', {
      export: name,
      expected: isWasi03(name) ? `${known}: ${WASI_03}` : known,
    });
  }
}

/**
 * Refuses a component by its binary alone.
 * @throws NebulaError UNKNOWN_IMPORT, UNKNOWN_EXPORT, MODULE_INVALID; MODULE_UNSUPPORTED for what is asynchronous
 */
export function refuseUnknownWorld(bytes: Uint8Array): void {
  const definitions = readDefinitions(bytes);
  refuseUnknownExports(namesOf(definitions, 'export'));
  refuseUnknownImports(namesOf(definitions, 'import'));
  const component = new Scope(definitions);
  for (const name of namesOf(definitions, 'export')) {
    const entry = ENTRIES.get(parseInterface(name)?.id ?? '');
    if (entry !== undefined) refuseOtherType(name, entry, component.get(name));
  }
}

function namesOf(definitions: readonly Definition[], kind: 'import' | 'export'): readonly string[] {
  return definitions.flatMap((definition) => (definition.kind === kind ? [definition.name] : []));
}

function refuseOtherType(name: string, entry: Entry, instance: Item | undefined): void {
  const found = functionOf(instance?.kind === 'instance' ? instance.get(entry.function) : undefined);
  if (found !== undefined && entry.isOf(found.type, found.scope)) return;
  throw new NebulaError('UNKNOWN_EXPORT', {
    export: found === undefined ? `${name} without a function "${entry.function}"` : `${name} of another type`,
    expected: `${entry.function}: ${entry.type}`,
  });
}
