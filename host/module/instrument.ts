/**
 * Rewrites a module so that all of its state can be read and put back from outside, and so that its memory and tables
 * stop growing at the function's limits. The guest cannot tell: exports are invisible to it and the added code runs
 * only when the host calls it. docs/adr/0003 says why each part is there.
 */

import * as added from './additions.ts';
import { Additions } from './additions.ts';
import { EXTERNAL, TYPE } from './encoding.ts';
import { planGrowth, type Caps } from './growth.ts';
import { addMemorySize, canBeSized, type MemorySize } from './memory-size.ts';
import type { ModuleLayout } from './layout.ts';
import { BULK, TABLE_CHANGES, type CodeScan } from './scan.ts';
import { Meter } from './meter.ts';
import type { Flags } from './rewriting.ts';
import { writeModule } from './sections.ts';
import { STATE, stateOf } from './state-names.ts';

/** Whether every table's shadow can be made: of funcref or externref. */
export function canShadowTables(layout: ModuleLayout): boolean {
  return layout.tables.every((table) => tableType(layout, table.limitsStart) !== undefined);
}

function tableType(layout: ModuleLayout, limitsStart: number): number | undefined {
  const type = layout.bytes[limitsStart - 1];
  return type === TYPE.funcref || type === TYPE.externref ? type : undefined;
}

/** The rewritten binary. `layout` must be of a module that V8 has validated. */
export function instrument(layout: ModuleLayout, scan: CodeScan, caps: Caps): Uint8Array<ArrayBuffer> {
  const additions = new Additions(layout);
  const changesTables = TABLE_CHANGES.some((instruction) => scan.found.has(instruction));
  addMemories(layout, additions);
  if (layout.start !== undefined) additions.export(STATE.start, EXTERNAL.function, layout.start);
  const flags = addFlags(scan, additions);
  const size = caps.isSized && canBeSized(layout) ? addMemorySize(layout, scan, additions, caps.isShared) : undefined;
  addGlobals(layout, additions, flags, size);
  if (changesTables && canShadowTables(layout)) addTables(layout, additions, flags.tablesChanged);
  const funcrefGlobals = layout.globals.some((global) => global.mutable && global.type === TYPE.funcref);
  if (changesTables || funcrefGlobals) {
    for (const index of scan.referenced) additions.export(stateOf.function(index), EXTERNAL.function, index);
  }
  const { refused: refusedFlag, check } = flags;
  const growth = planGrowth(layout, scan, caps, { additions, refusedFlag, check, size });
  const { units, bodies } = scan;
  const meter = units === undefined ? undefined : new Meter(layout, bodies, units, additions);
  return writeModule({ layout, scan, additions, flags, growth, size, meter });
}

function addMemories(layout: ModuleLayout, additions: Additions): void {
  if (layout.memories.length === 0) return;
  // WASI's functions work on the memory of this name, should there be several.
  const named = layout.exports.find(({ name, kind }) => kind === 'memory' && name === 'memory');
  additions.export(STATE.memory, EXTERNAL.memory, named?.index ?? 0);
  const { importedMemories: first } = layout;
  if (first + layout.memories.length === 1) return;
  layout.memories.forEach((_, at) => additions.export(stateOf.memory(first + at), EXTERNAL.memory, first + at));
}

function addGlobals(layout: ModuleLayout, additions: Additions, flags: Flags, size: MemorySize | undefined): void {
  const pairs: [number, number][] = [];
  layout.globals.forEach((global, position) => {
    if (!global.mutable) return;
    const index = layout.importedGlobals + position;
    pairs.push([index, additions.shadowGlobal(index)]);
    if (added.needsBits(global.type)) added.addBitAccess(additions, global.type, index, stateOf.global(index));
    else additions.export(stateOf.global(index), EXTERNAL.global, index);
  });
  const all = size?.kept === undefined ? pairs : [...pairs, size.kept];
  added.addGlobalCapture(additions, all, [flags.refused, flags.dropped], STATE.capture);
  const back = all.map(([from, to]) => [to, from] as const);
  const told = { bits: [flags.dropped, flags.tablesChanged], size: size?.kept } as const;
  added.addGlobalRestore(additions, back, flags.refused, told, STATE.restore);
}

function addFlags(scan: CodeScan, additions: Additions): Flags {
  const refused = additions.flag(STATE.refused);
  const tablesChanged = additions.flag(STATE.tablesChanged);
  const dropped = additions.flag(STATE.dropped);
  const segments = new Map<string, number>();
  for (const kind of ['data', 'element'] as const) {
    for (const segment of kind === 'data' ? scan.droppedData : scan.droppedElements) {
      segments.set(`${kind}${segment}`, additions.flag(stateOf.droppedFlag(kind, segment)));
      added.addDrop(additions, kind, segment, stateOf.drop(kind, segment));
    }
  }
  const isChecked = ['tail-call' as const, 'memory.grow' as const, ...BULK].some((instruction) =>
    scan.found.has(instruction),
  );
  const check = isChecked ? added.addCheck(additions) : -1;
  return { refused, tablesChanged, dropped, segments, check };
}

function addTables(layout: ModuleLayout, additions: Additions, changedFlag: number): void {
  const pairs = layout.tables.map((table, position) => {
    const index = layout.importedTables + position;
    additions.export(stateOf.table(index), EXTERNAL.table, index);
    return [index, additions.shadowTable(index), tableType(layout, table.limitsStart) ?? 0] as const;
  });
  added.addTableCopy(additions, pairs, [changedFlag], STATE.captureTables);
  const back = pairs.map(([from, to, type]) => [to, from, type] as const);
  added.addTableCopy(additions, back, [changedFlag], STATE.restoreTables);
}
