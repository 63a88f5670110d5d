/** What a module is and needs, and the refusal of what cannot run. Nothing of the guest runs here. */

import { NebulaError } from '../errors.ts';
import type { ExportType } from '../export-call.ts';
import type { Limits } from '../limits.ts';
import type { MissingImport } from '../preview1/missing-imports.ts';
import { BINDING_SIGNATURES, isBindingImport } from '../bindings/abi.ts';
import { NAMESPACES, SIGNATURES } from '../preview1/signatures.ts';
import { TYPE, type ExternalKind } from './encoding.ts';
import type { ExportEntry, FunctionType, ImportEntry, ModuleLayout } from './layout.ts';
import { mostPages, needsOf, type Needs } from './growth.ts';
import { canShadowTables } from './instrument.ts';
import { RESERVED_PREFIX } from './state-names.ts';
import { TABLE_CHANGES, type CodeScan } from './scan.ts';
import { WASM_PAGE_BYTES } from '../wasm-page.ts';

/**
 * A command runs from `_start` to its end; a reactor is initialised once and then called: both per WASI preview1. A library has
 * neither entry, and its exports are called by name.
 */
export type ModuleKind = 'command' | 'reactor' | 'library' | 'component';

/** An export; of a function with its type. */
export interface ExportInfo {
  readonly name: string;
  readonly kind: ExternalKind;
  readonly type?: ExportType;
}

/** What `nebula inspect` shows. Plain data. */
export interface ModuleInfo {
  readonly kind: ModuleKind;
  /** Export an invocation calls; empty of a library. */
  readonly entry: string;
  readonly sizeBytes: number;
  readonly imports: readonly { readonly module: string; readonly name: string; readonly kind: ExternalKind }[];
  /** Functions among the imports that nobody has: the manifest allows to link each of them to a trap. */
  readonly missingImports: readonly MissingImport[];
  /** Functions of raw bindings among the imports, each with the letter of its result's type, or none. */
  readonly rawImports?: readonly { readonly module: string; readonly name: string; readonly result: string }[];
  readonly exports: readonly ExportInfo[];
  /** The memory the module asks for, in pages, and the most it may have under its limits. */
  readonly memory: {
    readonly minimumPages: number;
    readonly maximumPages: number | null;
    readonly limitPages: number;
  } | null;
  /** Memories it has of its own; of a component, those of all its core modules, each counted once. */
  readonly memories: number;
  readonly functions: number;
  readonly globals: { readonly total: number; readonly mutable: number };
  readonly tables: number;
  readonly dataSegments: number;
  /** Export to call once before the snapshot, besides `_initialize`. */
  readonly hasInitialize: boolean;
  readonly hasStartFunction: boolean;
  /** What the code does to hidden state. */
  readonly growsMemory: boolean;
  readonly changesTables: boolean;
  readonly dropsSegments: boolean;
  /** Whether it counts units. */
  readonly hasBudget: boolean;
  /** Proposals the code uses that not every engine has. */
  readonly proposals: readonly string[];
  /** Whether a run's changes can be put back in place; if not, why. */
  readonly restorable: boolean;
  readonly restorableReason: string;
}

/** What the manifest says of a module. */
export interface ModuleOptions {
  /** Export an invocation calls; default `_start`, else `handle`. */
  readonly entry?: string;
  /** Link functions that nobody has to a trap; without it they are refused. */
  readonly missingImports?: 'trap';
  /** Whether it may call bindings: it is granted some. */
  readonly hasBindings?: boolean;
  /** Functions of raw bindings that it may import. */
  readonly rawImports?: readonly { readonly module: string; readonly name: string }[];
  /** Rewrite it so that it counts units: it exports STATE.units and STATE.refill. */
  readonly hasBudget?: boolean;
}

/**
 * Describes a module and refuses it when it cannot run under these limits.
 * @throws NebulaError UNKNOWN_IMPORT, NO_ENTRY, MEMORY_MINIMUM, TABLE_MINIMUM, MODULE_UNSUPPORTED
 */
export function inspectModule(
  layout: ModuleLayout,
  scan: CodeScan,
  limits: Limits,
  options: ModuleOptions = {},
): ModuleInfo {
  refuseReservedExports(layout);
  const hasBindings = options.hasBindings === true;
  const raw = layout.imports.filter((entry) => isRaw(entry, options.rawImports ?? []));
  const missing = layout.imports.filter(
    (entry) => options.missingImports === 'trap' && !raw.includes(entry) && isMissing(entry, hasBindings),
  );
  refuseUnknownImports(layout, [...missing, ...raw], hasBindings);
  const chosen = chooseEntry(layout, options.entry);
  const limitPages = mostPages(limits);
  refuseOversize(needsOf(layout), limits);
  const memory = layout.memories[0];
  const changesTables = TABLE_CHANGES.some((instruction) => scan.found.has(instruction));
  const restorableReason = reasonNotRestorable(layout, changesTables);
  return {
    ...chosen,
    sizeBytes: layout.bytes.length,
    missingImports: missing.map(({ module, name }) => ({ module, name })),
    ...(raw.length === 0 ? {} : { rawImports: raw.map(rawImportOf) }),
    imports: layout.imports.map(({ module, name, kind }) => ({ module, name, kind })),
    exports: layout.exports.map((each) => exportInfo(layout, each)),
    memory:
      memory === undefined ? null : { minimumPages: memory.minimum, maximumPages: memory.maximum ?? null, limitPages },
    memories: layout.memories.length,
    functions: layout.functionTypes.length - layout.importedFunctions,
    globals: { total: layout.globals.length, mutable: layout.globals.filter(({ mutable }) => mutable).length },
    tables: layout.tables.length,
    dataSegments: layout.dataSegments,
    hasInitialize: hasFunction(layout, '_initialize'),
    hasStartFunction: layout.start !== undefined,
    growsMemory: scan.found.has('memory.grow'),
    changesTables,
    dropsSegments: scan.droppedData.length + scan.droppedElements.length > 0,
    hasBudget: scan.units !== undefined,
    proposals: (['simd', 'exceptions', 'tail-call'] as const).filter((proposal) => scan.found.has(proposal)),
    restorable: restorableReason === '',
    restorableReason: restorableReason === '' ? 'memory, globals and tables can all be put back' : restorableReason,
  };
}

function reasonNotRestorable(layout: ModuleLayout, changesTables: boolean): string {
  if (layout.memories.length > 1) return 'it has more than one memory';
  if (changesTables && !canShadowTables(layout)) return 'it changes a table of typed references';
  return '';
}

function refuseReservedExports(layout: ModuleLayout): void {
  const reserved = layout.exports.find(({ name }) => name.startsWith(RESERVED_PREFIX));
  if (reserved === undefined) return;
  const feature = `the export "${reserved.name}", whose prefix "${RESERVED_PREFIX}" is reserved`;
  throw new NebulaError('MODULE_UNSUPPORTED', { feature });
}

function refuseUnknownImports(layout: ModuleLayout, linked: readonly ImportEntry[], hasBindings: boolean): void {
  const others = layout.imports.filter((entry) => !linked.includes(entry));
  const unknown = others.filter((entry) => !isKnown(entry));
  const bindings = others.filter(isBindingImport);
  if (unknown.length === 0 && (hasBindings || bindings.length === 0)) return;
  if (unknown.length === 0) {
    const names = [...new Set(bindings.map(({ module, name }) => `${module}.${name}`))].join(', ');
    throw new NebulaError('BINDING_NOT_GRANTED', { imports: names });
  }
  const imports = unknown.map((entry) => `${entry.module}.${entry.name} (${describeImport(entry)})`).join(', ');
  throw new NebulaError('UNKNOWN_IMPORT', { count: unknown.length, imports });
}

/** A function of a raw binding, of numbers alone. */
function isRaw(entry: ImportEntry, granted: readonly { readonly module: string; readonly name: string }[]): boolean {
  if (entry.kind !== 'function' || entry.type === undefined || isHostFunction(entry)) return false;
  const { parameters, results } = entry.type;
  if (results.length > 1 || ![...parameters, ...results].every((code) => NUMBERS.has(code))) return false;
  return granted.some(({ module, name }) => module === entry.module && name === entry.name);
}

function rawImportOf({ module, name, type }: ImportEntry): { module: string; name: string; result: string } {
  return { module, name, result: lettersOf(type?.results ?? []) };
}

function isKnown(entry: ImportEntry): boolean {
  if (entry.kind !== 'function' || entry.type === undefined) return false;
  return expectedOf(entry) === signatureOf(entry.type);
}

/** Types of numbers that JavaScript has. */
const NUMBERS: ReadonlySet<number> = new Set([TYPE.i32, TYPE.i64, TYPE.f32, TYPE.f64]);

/** Types of values that JavaScript can be handed: a call with another fails before it reaches the trap. */
const LINKABLE: ReadonlySet<number> = new Set([TYPE.i32, TYPE.i64, TYPE.f32, TYPE.f64, TYPE.funcref, TYPE.externref]);

/** A function nobody has. One that is there with another signature is a mistake, which no trap mends. */
function isMissing(entry: ImportEntry, hasBindings: boolean): boolean {
  if (entry.kind !== 'function' || entry.type === undefined || isHostFunction(entry)) return false;
  // Without a grant nobody has those either.
  if (hasBindings && isBindingImport(entry)) return false;
  const { parameters, results } = entry.type;
  return [...parameters, ...results].every((code) => LINKABLE.has(code));
}

function isHostFunction(entry: ImportEntry): boolean {
  return (NAMESPACES as readonly string[]).includes(entry.module) && Object.hasOwn(SIGNATURES, entry.name);
}

/** The signature of a function that the host has. */
function expectedOf(entry: ImportEntry): string | undefined {
  if (isBindingImport(entry)) return BINDING_SIGNATURES[entry.name];
  return isHostFunction(entry) ? SIGNATURES[entry.name] : undefined;
}

const LETTERS: Readonly<Record<number, string>> = {
  [TYPE.i32]: 'i',
  [TYPE.i64]: 'I',
  [TYPE.f32]: 'f',
  [TYPE.f64]: 'F',
  [TYPE.v128]: 'v',
};

const lettersOf = (types: readonly number[]): string => types.map((code) => LETTERS[code] ?? 'r').join('');

function signatureOf(type: FunctionType): string {
  return `${lettersOf(type.parameters)}>${lettersOf(type.results)}`;
}

function describeImport(entry: ImportEntry): string {
  if (entry.kind !== 'function' || entry.type === undefined) return entry.kind;
  const expected = expectedOf(entry);
  return expected === undefined ? 'function' : `function ${signatureOf(entry.type)}, expected ${expected}`;
}

function hasFunction(layout: ModuleLayout, wanted: string): boolean {
  return layout.exports.some(({ name, kind }) => kind === 'function' && name === wanted);
}

const TYPE_NAMES: ReadonlyMap<number, string> = new Map(Object.entries(TYPE).map(([name, code]) => [code, name]));

const namesOf = (types: readonly number[]): string[] => types.map((code) => TYPE_NAMES.get(code) ?? 'reference');

function exportInfo(layout: ModuleLayout, { name, kind, index }: ExportEntry): ExportInfo {
  const type = kind === 'function' ? layout.types[layout.functionTypes[index] ?? -1] : undefined;
  if (type === undefined) return { name, kind };
  return { name, kind, type: { parameters: namesOf(type.parameters), results: namesOf(type.results) } };
}

function typeOfExport(layout: ModuleLayout, wanted: string): FunctionType | undefined {
  const found = layout.exports.find(({ name, kind }) => kind === 'function' && name === wanted);
  return found === undefined ? undefined : layout.types[layout.functionTypes[found.index] ?? -1];
}

/** `_start` makes a command; a reactor's handler is the export the manifest names, or `handle`; a library has other functions. */
function chooseEntry(layout: ModuleLayout, entry: string | undefined): { kind: ModuleKind; entry: string } {
  const wanted = entry ?? (hasFunction(layout, '_start') ? '_start' : 'handle');
  const type = typeOfExport(layout, wanted);
  const shape = type === undefined ? '' : signatureOf(type);
  if (shape === '>' || (shape === '>i' && wanted !== '_start')) {
    return { kind: wanted === '_start' ? 'command' : 'reactor', entry: wanted };
  }
  const functions = layout.exports.filter(({ kind }) => kind === 'function').map(({ name }) => name);
  const isLibrary = entry === undefined && type === undefined && functions.some((name) => name !== '_initialize');
  if (isLibrary) return { kind: 'library', entry: '' };
  const expected = entry === undefined ? '"_start" or "handle"' : JSON.stringify(entry);
  throw new NebulaError('NO_ENTRY', {
    expected: `${expected} of type () -> () or () -> i32`,
    exports: functions.length === 0 ? 'no function' : functions.map((name) => JSON.stringify(name)).join(', '),
  });
}

/**
 * Refuses what begins with more than its limits, all its memories and all its tables taken together.
 * @throws NebulaError MEMORY_MINIMUM, TABLE_MINIMUM
 */
export function refuseOversize(
  { memoryPages, tableElements }: Pick<Needs, 'memoryPages' | 'tableElements'>,
  limits: Limits,
): void {
  const { memoryBytes: limitBytes, tableElements: limit } = limits;
  const minimumBytes = memoryPages * WASM_PAGE_BYTES;
  if (minimumBytes > limitBytes) throw new NebulaError('MEMORY_MINIMUM', { minimumBytes, limitBytes });
  if (tableElements > limit) throw new NebulaError('TABLE_MINIMUM', { minimum: tableElements, limit });
}
