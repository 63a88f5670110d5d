/**
 * Keeps all memories of a micro-VM within one budget, and all its tables within another. What alone can grow is stopped by
 * its maximum, which V8 checks; where several can, each growth is admitted by code that the rewriting adds.
 */

import type { Limits } from '../limits.ts';
import { MOST_WASM_PAGES, WASM_PAGE_BYTES } from '../wasm-page.ts';
import { tableSize, type Additions } from './additions.ts';
import { BinaryWriter } from './binary.ts';
import type { ModuleLayout } from './layout.ts';
import { OP } from './opcodes.ts';
import type { MemorySize } from './memory-size.ts';
import type { CodeScan } from './scan.ts';
import { addCountedAdmission, addGrow, addSettlement, addSummedAdmission, type Admission } from './growth-code.ts';

/** Export of the table for the functions that take from a budget (growth-budget.ts): pages, elements. */
export const GROWTH_BUDGET = 'nebula:growth';

/** Pages that all memories of a micro-VM together may have under its limits: where `memory.grow` is capped. */
export function mostPages({ memoryBytes }: Pick<Limits, 'memoryBytes'>): number {
  return Math.min(Math.floor(memoryBytes / WASM_PAGE_BYTES), MOST_WASM_PAGES);
}

/** What a micro-VM may have: of a module all of it, of a component's core module a share that is counted as it is taken. */
export interface Caps {
  readonly memoryPages: number;
  readonly tableElements: number;
  /** Whether other instances take of the same budget (growth-budget.ts). */
  readonly isShared: boolean;
  /** Whether a memory that grew is to be put back: it then has a size of its own (memory-size.ts). */
  readonly isSized: boolean;
}

/** How one kind, memories or tables, is kept within its budget. */
export interface Growth {
  /** The most each may have, in the order of the module's own. */
  readonly maxima: readonly number[];
  /** Code before and after each instruction that grows one; none where the maxima do. */
  readonly admission: Admission | undefined;
}

export interface GrowthPlan {
  readonly memories: Growth;
  readonly tables: Growth;
  /** Functions that stand for `memory.grow`, by memory, where no admission does. */
  readonly grow: ReadonlyMap<number, number>;
}

/** What a module has from the beginning. */
export interface Needs {
  readonly memories: number;
  readonly memoryPages: number;
  readonly tables: number;
  readonly tableElements: number;
}

export function needsOf({ memories, tables }: ModuleLayout): Needs {
  return {
    memories: memories.length,
    memoryPages: minimumOf(memories),
    tables: tables.length,
    tableElements: minimumOf(tables),
  };
}

function minimumOf(entries: readonly { readonly minimum: number }[]): number {
  return entries.reduce((sum, { minimum }) => sum + minimum, 0);
}

/** Adds what growth needs and says where. `refusedFlag` is set when a memory may not grow; `check` looks for interrupts. */
export function planGrowth(
  layout: ModuleLayout,
  scan: CodeScan,
  caps: Caps,
  {
    additions,
    refusedFlag,
    check,
    size,
  }: { additions: Additions; refusedFlag: number; check: number; size: MemorySize | undefined },
): GrowthPlan {
  const { grownMemories, grownTables } = scan;
  const needs = needsOf(layout);
  const slots =
    caps.isShared && grownMemories.length + grownTables.length > 0 ? additions.functionTable(2, GROWTH_BUDGET) : -1;
  const pending = slots < 0 ? -1 : additions.flag();
  const admit = (grown: readonly number[], kind: 'memory' | 'table', cap: number): Admission | undefined => {
    if (grown.length === 0 || (grown.length === 1 && slots < 0)) return undefined;
    const settled = { pending, slots, slot: kind === 'memory' ? 0 : 1, check };
    const flag = kind === 'memory' ? refusedFlag : undefined;
    const after = addSettlement(additions, settled, flag);
    if (slots >= 0) return { before: addCountedAdmission(additions, settled), after };
    const first = kind === 'memory' ? layout.importedMemories : layout.importedTables;
    const count = kind === 'memory' ? layout.memories.length : layout.tables.length;
    const sizes = Array.from({ length: count }, (_, at) => sizeOf(kind, first + at));
    return { before: addSummedAdmission(additions, sizes, cap), after };
  };
  const memories = admit(grownMemories, 'memory', caps.memoryPages);
  const tables = admit(grownTables, 'table', caps.tableElements);
  const grow = new Map<number, number>();
  if (memories === undefined)
    for (const index of grownMemories) grow.set(index, addGrow(additions, growthOf(size, index), refusedFlag, check));
  return {
    memories: { maxima: maximaOf(layout.memories, caps.memoryPages, needs.memoryPages), admission: memories },
    tables: { maxima: maximaOf(layout.tables, caps.tableElements, needs.tableElements), admission: tables },
    grow,
  };
}

/** What grows a memory by what is on the stack. */
function growthOf(size: MemorySize | undefined, index: number): BinaryWriter {
  return size === undefined
    ? new BinaryWriter().u8(OP.memoryGrow).u32(index)
    : new BinaryWriter().u8(OP.call).u32(size.grow);
}

function sizeOf(kind: 'memory' | 'table', index: number): BinaryWriter {
  return kind === 'memory' ? new BinaryWriter().u8(OP.memorySize).u32(index) : tableSize(index);
}

/** The budget less what the others begin with. */
function maximaOf(entries: readonly { readonly minimum: number }[], cap: number, neededOfAll: number): number[] {
  return entries.map(({ minimum }) => cap - (neededOfAll - minimum));
}
