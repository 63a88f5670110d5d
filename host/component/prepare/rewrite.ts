/** Checks a transpiled component and rewrites its core modules, their memories and tables capped at the limits. */

import { mayComponentWait, type CountingWish } from '../../definition/budget.ts';
import { NebulaError } from '../../errors.ts';
import type { Limits } from '../../limits.ts';
import { mostPages, needsOf } from '../../module/growth.ts';
import { refuseOversize, type ModuleInfo } from '../../module/inspect.ts';
import { canShadowTables, instrument } from '../../module/instrument.ts';
import { readLayout, type ModuleLayout } from '../../module/layout.ts';
import type { StepListener } from '../../module/rewrite.ts';
import { type CodeScan, scanValid, TABLE_CHANGES } from '../../module/scan.ts';
import { checkGlue } from './glue/check.ts';
import {
  ENTRY_INTERFACES,
  type ComponentCore,
  type ComponentKind,
  type PreparedComponent,
  type TranspiledComponent,
} from '../../definition/prepared-component.ts';
import { refuseUnknownExports, refuseUnknownImports } from './entries.ts';
import { parseInterface, readWorld } from './wit.ts';

/** A component checked and rewritten, before anything of it is compiled. Plain data, without the glue. */
export interface RewrittenComponent {
  readonly kind: ComponentKind;
  readonly imports: readonly string[];
  readonly exports: readonly string[];
  readonly cores: readonly (Omit<ComponentCore, 'compiled'> & { readonly bytes: Uint8Array })[];
  readonly info: ModuleInfo;
}

/** How it is done. */
interface RewriteOptions {
  /** Whether its core modules are to count units; they are not by default. */
  readonly wish?: CountingWish | undefined;
  readonly tell?: StepListener;
}

/** A core module, read. */
interface ReadCore {
  readonly file: string;
  readonly layout: ModuleLayout;
  readonly scan: CodeScan;
}

/**
 * @throws NebulaError GLUE_REFUSED, UNKNOWN_IMPORT, UNKNOWN_EXPORT, NO_ENTRY, MODULE_UNSUPPORTED, MODULE_INVALID, MEMORY_MINIMUM, TABLE_MINIMUM
 */
export function rewriteComponent(
  transpiled: TranspiledComponent,
  limits: Limits,
  { wish = 'never', tell = () => undefined }: RewriteOptions = {},
): RewrittenComponent {
  tell('reading');
  const world = readWorld(transpiled.wit);
  refuseUnknownImports(world.imports);
  refuseUnknownExports(world.exports);
  checkGlue(transpiled.glue);
  const hasBudget = wish === 'always' || (wish === 'if-it-waits' && mayComponentWait(world.imports));
  const cores = transpiled.cores.map(({ file, bytes }) => {
    const layout = readLayout(bytes);
    return { file, layout, scan: scanValid(layout, { name: file, hasBudget }) };
  });
  if (cores.length === 0) throw new NebulaError('MODULE_UNSUPPORTED', { feature: 'a component without core modules' });
  const memoryPages = mostPages(limits);
  for (const { layout } of cores) refuseOversize(needsOf(layout), limits);
  tell('rewriting');
  const caps = { memoryPages, tableElements: limits.tableElements, isShared: true, isSized: canBePutBack(cores) };
  const kind = kindOf(world.exports);
  return {
    kind,
    ...world,
    cores: cores.map(({ file, layout, scan }) => ({
      file,
      needs: needsOf(layout),
      bytes: instrument(layout, scan, caps),
    })),
    info: describe(transpiled, { kind, ...world }, cores, memoryPages),
  };
}

/** Whether the one memory that there is can be put back though any of the core modules grows it. */
function canBePutBack(cores: readonly ReadCore[]): boolean {
  const memories = cores.reduce((sum, { layout }) => sum + layout.memories.length, 0);
  const areSingle = cores.every(({ layout }) => layout.memories.length + layout.importedMemories <= 1);
  return memories === 1 && areSingle && cores.some(({ scan }) => scan.found.has('memory.grow'));
}

function kindOf(exports: readonly string[]): ComponentKind {
  const ids = new Set(exports.map((name) => parseInterface(name)?.id));
  if (ids.has(ENTRY_INTERFACES.http)) return 'http';
  if (ids.has(ENTRY_INTERFACES.command)) return 'command';
  if (exports.length > 0) return 'library';
  throw new NebulaError('NO_ENTRY', { expected: 'of any kind from the component', exports: 'none' });
}

function describe(
  transpiled: TranspiledComponent,
  component: Pick<PreparedComponent, 'kind' | 'imports' | 'exports'>,
  cores: readonly ReadCore[],
  limitPages: number,
): ModuleInfo {
  const sum = (count: (layout: ModuleLayout) => number): number =>
    cores.reduce((total, { layout }) => total + count(layout), 0);
  const finds = (found: (scan: CodeScan) => boolean): boolean => cores.some(({ scan }) => found(scan));
  const memory = cores.flatMap(({ layout }) => layout.memories)[0];
  const restorableReason = reasonNotRestorable(cores);
  return {
    kind: 'component',
    entry: component.kind === 'library' ? '' : ENTRY_INTERFACES[component.kind],
    sizeBytes: transpiled.sizeBytes,
    imports: component.imports.map((name) => ({ module: name, name: '*', kind: 'function' })),
    missingImports: [],
    exports: component.exports.map((name) => ({ name, kind: 'function' })),
    memory:
      memory === undefined ? null : { minimumPages: memory.minimum, maximumPages: memory.maximum ?? null, limitPages },
    memories: sum(({ memories }) => memories.length),
    functions: sum((layout) => layout.functionTypes.length - layout.importedFunctions),
    globals: {
      total: sum(({ globals }) => globals.length),
      mutable: sum(({ globals }) => globals.filter(({ mutable }) => mutable).length),
    },
    tables: sum(({ tables }) => tables.length),
    dataSegments: sum(({ dataSegments }) => dataSegments),
    hasInitialize: false,
    hasStartFunction: cores.some(({ layout }) => layout.start !== undefined),
    growsMemory: finds(({ found }) => found.has('memory.grow')),
    changesTables: finds(changesTables),
    dropsSegments: finds(({ droppedData, droppedElements }) => droppedData.length + droppedElements.length > 0),
    hasBudget: cores.some(({ scan }) => scan.units !== undefined),
    proposals: [],
    restorable: restorableReason === '',
    restorableReason:
      restorableReason === '' ? 'its core instances can be put back, and the glue be made anew' : restorableReason,
  };
}

function changesTables({ found }: CodeScan): boolean {
  return TABLE_CHANGES.some((instruction) => found.has(instruction));
}

/** What of the core modules' state has no shadow, so that it could not be put back (snapshot/state.ts). */
function reasonNotRestorable(cores: readonly ReadCore[]): string {
  const memories = cores.reduce((total, { layout }) => total + layout.memories.length, 0);
  if (memories > 1) return 'it has more than one memory';
  for (const { layout, scan } of cores) {
    if (!changesTables(scan)) continue;
    if (!canShadowTables(layout)) return 'it changes a table of typed references';
    if (layout.importedTables > 0) return "a core module changes another's table";
  }
  return '';
}
