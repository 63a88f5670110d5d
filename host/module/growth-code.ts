/** The code by which growth stays within a budget, as WebAssembly. Which module gets which: growth.ts. */

import { I32_TO_I32, setFlag, type Additions } from './additions.ts';
import { BinaryWriter } from './binary.ts';
import { EXTERNAL, FUNCTION_FORM, MINUS_ONE, MODULE_PREAMBLE, SECTION, TYPE, VOID_BLOCK } from './encoding.ts';
import { OP } from './opcodes.ts';

/**
 * Functions called around an instruction that grows a memory or table, both (i32) -> i32: `before` takes the number asked for
 * and answers it, or what no memory or table can grow by; `after` passes the instruction's own answer on.
 */
export interface Admission {
  readonly before: number;
  readonly after: number;
}

/** Where growth is counted that other instances count as well. */
export interface Counted {
  /** Global that holds what was taken and not yet used, and the table of the functions that take; -1 without such. */
  readonly pending: number;
  readonly slots: number;
  readonly slot: number;
  /** Function at whose beginning V8 looks for interrupts. */
  readonly check: number;
}

/** A growth that notes a refusal: (i32) -> i32. */
export function addGrow(additions: Additions, growth: BinaryWriter, refusedFlag: number, check: number): number {
  const code = new BinaryWriter().raw(OP.localGet, 0).append(growth).raw(OP.localTee, 1);
  code
    .append(ifMinusOne(setFlag(refusedFlag)))
    .u8(OP.call)
    .u32(check)
    .raw(OP.localGet, 1);
  return additions.function(I32_TO_I32, [TYPE.i32], code);
}

/** Admits what the sizes, all that the budget is for, leave of it. */
export function addSummedAdmission(additions: Additions, sizes: readonly BinaryWriter[], cap: number): number {
  const code = new BinaryWriter().raw(OP.localGet, 0, OP.i32Const, MINUS_ONE, OP.i32Const).s32(cap);
  for (const size of sizes) code.append(size).u8(OP.i32Sub);
  code.raw(OP.localTee, 1, OP.i32Const, 0, OP.i32GeS);
  code.raw(OP.localGet, 0, OP.localGet, 1, OP.i32LeU, OP.i32And, OP.select);
  return additions.function(I32_TO_I32, [TYPE.i32], code);
}

/** Admits what a counter gives that all instances of a micro-VM take from. */
export function addCountedAdmission(additions: Additions, counted: Counted): number {
  const { pending } = counted;
  const code = new BinaryWriter().raw(OP.localGet, 0, OP.i32Const, 0, OP.i32LtS, OP.if, VOID_BLOCK);
  code.raw(OP.i32Const, MINUS_ONE, OP.return, OP.end);
  code.raw(OP.localGet, 0).append(take(additions, counted)).raw(OP.i32Eqz, OP.if, VOID_BLOCK);
  code.raw(OP.i32Const, MINUS_ONE, OP.return, OP.end);
  code.raw(OP.localGet, 0, OP.globalSet).u32(pending).raw(OP.localGet, 0);
  return additions.function(I32_TO_I32, [], code);
}

/** Gives back what could not be used, notes a refusal and looks for interrupts. */
export function addSettlement(additions: Additions, counted: Counted, refusedFlag: number | undefined): number {
  const { pending, slots, check } = counted;
  const refused = refusedFlag === undefined ? new BinaryWriter() : setFlag(refusedFlag);
  if (slots >= 0) {
    refused.raw(OP.i32Const, 0, OP.globalGet).u32(pending).u8(OP.i32Sub).append(take(additions, counted)).u8(OP.drop);
  }
  const code = new BinaryWriter().raw(OP.localGet, 0).append(ifMinusOne(refused));
  if (slots >= 0) code.raw(OP.i32Const, 0, OP.globalSet).u32(pending);
  code.u8(OP.call).u32(check).raw(OP.localGet, 0);
  return additions.function(I32_TO_I32, [], code);
}

function take(additions: Additions, { slots, slot }: Counted): BinaryWriter {
  const code = new BinaryWriter().raw(OP.i32Const, slot, OP.callIndirect).u32(additions.typeIndex(I32_TO_I32));
  return code.u32(slots);
}

function ifMinusOne(then: BinaryWriter): BinaryWriter {
  const code = new BinaryWriter().raw(OP.i32Const, MINUS_ONE, OP.i32Eq, OP.if, VOID_BLOCK);
  return code.append(then).u8(OP.end);
}

/**
 * A module of a counter: "take" takes a number from what is left and answers 1, or 0 where there is not as much; a negative
 * one is given back. "left" is what is left.
 */
export function counterModule(): Uint8Array<ArrayBuffer> {
  const body = new BinaryWriter().raw(0, OP.localGet, 0, OP.globalGet, 0, OP.i32GtS, OP.if, VOID_BLOCK);
  body.raw(OP.i32Const, 0, OP.return, OP.end);
  body.raw(OP.globalGet, 0, OP.localGet, 0, OP.i32Sub, OP.globalSet, 0, OP.i32Const, 1, OP.end);
  const module = new BinaryWriter().raw(...MODULE_PREAMBLE);
  module.raw(SECTION.type, 6, 1, FUNCTION_FORM, 1, TYPE.i32, 1, TYPE.i32).raw(SECTION.function, 2, 1, 0);
  module.raw(SECTION.global, 6, 1, TYPE.i32, 1, OP.i32Const, 0, OP.end);
  const names = new BinaryWriter().u32(2).name('take').raw(EXTERNAL.function, 0).name('left').raw(EXTERNAL.global, 0);
  module.u8(SECTION.export).sized(names);
  return module.u8(SECTION.code).sized(new BinaryWriter().u32(1).sized(body)).toBytes();
}
