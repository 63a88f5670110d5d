/**
 * Gives a memory a size of its own, as its guest sees it, in a global: V8's never shrinks, so that a restore could not put it back.
 * What the guest grows by is grown in V8 where there is not enough, and kept; a restore closes the pages beyond the size
 * (snapshot/sized-memory.ts), where a load or store then traps. Bulk instructions run in V8's own code, which must not meet a
 * closed page: they are checked against the size here. docs/adr/0019 says why so.
 */

import { I32_TO_I32, type Additions } from './additions.ts';
import { BinaryWriter } from './binary.ts';
import { EXTERNAL, MINUS_ONE, TYPE, VOID_BLOCK } from './encoding.ts';
import type { ModuleLayout } from './layout.ts';
import type { Notable } from './notable.ts';
import { MISCELLANEOUS, OP } from './opcodes.ts';
import type { CodeScan } from './scan.ts';
import { STATE } from './state-names.ts';

const BULK_OF_MEMORY = { parameters: [TYPE.i32, TYPE.i32, TYPE.i32], results: [] } as const;
const VOID_TO_I32 = { parameters: [], results: [TYPE.i32] } as const;

/** Where a module uses another's memory: the slots of `STATE.owner`. */
export const OWNER_SLOTS = { readSize: 0, grow: 1 } as const;

/** Shift from pages to bytes. */
const PAGE_SHIFT = 16;

/** What stands for the instructions that read, change or keep to a memory's size. */
export interface MemorySize {
  /** Leaves the size, in pages. */
  readonly read: BinaryWriter;
  /** A function for `memory.grow`: (i32) -> i32 */
  readonly grow: number;
  /** Functions for the bulk instructions that the code has: (i32, i32, i32) -> (). Those of `memory.init` by segment. */
  readonly fill: number;
  readonly copy: number;
  readonly init: ReadonlyMap<number, number>;
  /** The global and the one it is kept aside in; undefined where the memory is another module's. */
  readonly kept: readonly [from: number, to: number] | undefined;
}

/** Whether the one memory that a module uses, its own or another's, can have a size of its own. */
export function canBeSized({ memories, importedMemories }: ModuleLayout): boolean {
  return memories.length + importedMemories === 1;
}

/** Adds what a size needs. The module must use one memory alone. `isShared`: others use it too. */
export function addMemorySize(
  layout: ModuleLayout,
  scan: CodeScan,
  additions: Additions,
  isShared: boolean,
): MemorySize {
  const own = layout.memories[0];
  const size = own === undefined ? borrow(additions) : addOwn(additions, own.minimum, isShared);
  const bulk = (instruction: Notable, write: (code: BinaryWriter) => void, sources: readonly number[]): number =>
    scan.found.has(instruction) ? addBulk(additions, size.read, sources, write) : -1;
  const init = new Map<number, number>();
  for (const segment of initialisedSegments(scan)) {
    const write = (code: BinaryWriter): void =>
      void code.raw(OP.miscellaneous, MISCELLANEOUS.memoryInit).u32(segment).u8(0);
    init.set(segment, bulk('memory.init', write, []));
  }
  return {
    ...size,
    fill: bulk('memory.fill', (code) => code.raw(OP.miscellaneous, MISCELLANEOUS.memoryFill, 0), []),
    copy: bulk('memory.copy', (code) => code.raw(OP.miscellaneous, MISCELLANEOUS.memoryCopy, 0, 0), [1]),
    init,
  };
}

/** The function that stands for a bulk instruction, or undefined where it is none of memory. */
export function bulkOf(size: MemorySize, instruction: Notable, immediate: number): number | undefined {
  if (instruction === 'memory.fill') return size.fill;
  if (instruction === 'memory.copy') return size.copy;
  return instruction === 'memory.init' ? size.init.get(immediate) : undefined;
}

function initialisedSegments({ edits }: CodeScan): Set<number> {
  const segments = new Set<number>();
  for (let at = 0; at < edits.count; at++) {
    const { instruction, immediate } = edits.at(at);
    if (instruction === 'memory.init') segments.add(immediate);
  }
  return segments;
}

type Size = Pick<MemorySize, 'read' | 'grow' | 'kept'>;

function addOwn(additions: Additions, minimum: number, isShared: boolean): Size {
  const size = additions.number(minimum, STATE.size);
  const kept = [size, additions.number(minimum)] as const;
  const closes = additions.flag(STATE.closes);
  const read = new BinaryWriter().u8(OP.globalGet).u32(size);
  const grow = addGrow(additions, { size, closes, resize: additions.functionTable(1, STATE.resize) });
  if (isShared) {
    additions.export(STATE.grow, EXTERNAL.function, grow);
    additions.function(VOID_TO_I32, [], read, STATE.readSize);
  }
  return { read, grow, kept };
}

/**
 * Locals: pages to grow by, the size before, and how many pages V8 has. All of those are opened before V8's memory grows: it
 * copies them where it cannot grow in its place.
 */
function addGrow(additions: Additions, own: { size: number; closes: number; resize: number }): number {
  const missing = [OP.localGet, 2, OP.localGet, 1, OP.i32Sub];
  const refuse = [OP.i32Const, MINUS_ONE, OP.return];
  const orRefuse = [OP.i32Eqz, OP.if, VOID_BLOCK, ...refuse, OP.end];
  const resize = (pages: readonly number[], andThen: readonly number[]): BinaryWriter => {
    const call = new BinaryWriter()
      .u8(OP.globalGet)
      .u32(own.closes)
      .raw(OP.if, VOID_BLOCK, ...pages, OP.i32Const, 0);
    call.u8(OP.callIndirect).u32(additions.typeIndex(I32_TO_I32)).u32(own.resize);
    return call.raw(...andThen, OP.end);
  };
  const code = new BinaryWriter().u8(OP.globalGet).u32(own.size).raw(OP.localSet, 1);
  code.raw(OP.memorySize, 0, OP.localSet, 2);
  code.raw(OP.localGet, 0, ...missing, OP.i32GtU, OP.if, VOID_BLOCK);
  code.append(resize([OP.localGet, 2], orRefuse));
  code.raw(OP.localGet, 0, ...missing, OP.i32Sub, OP.memoryGrow, 0);
  code.raw(OP.i32Const, MINUS_ONE, OP.i32Eq, OP.if, VOID_BLOCK);
  code.append(resize([OP.localGet, 1], [OP.drop])).raw(...refuse, OP.end, OP.end);
  code.append(resize([OP.localGet, 1, OP.localGet, 0, OP.i32Add], orRefuse));
  code.raw(OP.localGet, 1, OP.localGet, 0, OP.i32Add, OP.globalSet).u32(own.size).raw(OP.localGet, 1);
  return additions.function(I32_TO_I32, [TYPE.i32, TYPE.i32], code);
}

function borrow(additions: Additions): Size {
  const owner = additions.functionTable(Object.keys(OWNER_SLOTS).length, STATE.owner);
  const read = new BinaryWriter().raw(OP.i32Const, OWNER_SLOTS.readSize, OP.callIndirect);
  read.u32(additions.typeIndex(VOID_TO_I32)).u32(owner);
  const code = new BinaryWriter().raw(OP.localGet, 0, OP.i32Const, OWNER_SLOTS.grow, OP.callIndirect);
  code.u32(additions.typeIndex(I32_TO_I32)).u32(owner);
  return { read, grow: additions.function(I32_TO_I32, [], code), kept: undefined };
}

/** A bulk instruction behind a check of each local in which a range of local 2's length begins: the first, and `others`. */
function addBulk(
  additions: Additions,
  size: BinaryWriter,
  others: readonly number[],
  write: (code: BinaryWriter) => void,
): number {
  const code = new BinaryWriter();
  for (const start of [0, ...others]) {
    code.raw(OP.localGet, start, OP.i64ExtendI32U, OP.localGet, 2, OP.i64ExtendI32U, OP.i64Add);
    code.append(size).raw(OP.i64ExtendI32U, OP.i64Const, PAGE_SHIFT, OP.i64Shl, OP.i64GtU, OP.if, VOID_BLOCK);
    // The last byte that an address can name, and three behind it: no memory has them.
    code.raw(OP.i32Const, MINUS_ONE, OP.i32Load, 0).u32(0xffff_ffff).raw(OP.drop, OP.end);
  }
  code.raw(OP.localGet, 0, OP.localGet, 1, OP.localGet, 2);
  write(code);
  return additions.function(BULK_OF_MEMORY, [], code);
}
