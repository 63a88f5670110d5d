/** The code by which a module counts its units, as WebAssembly. Where it stands: meter.ts. */

import { I32_TO_I32, type Additions } from './additions.ts';
import { BinaryWriter } from './binary.ts';
import { TYPE, VOID_BLOCK } from './encoding.ts';
import { OP } from './opcodes.ts';

const REFILL = { parameters: [], results: [TYPE.i32] } as const;

/** Units of an instruction that is charged by a length: `flat`, and 2 to the `shift` for each unit of length. */
export interface LengthCharge {
  readonly flat: number;
  readonly shift: number;
}

/** What instructions cost that may take long: estimates of how many others take as long (docs/adr/0018). */
export const LENGTH_CHARGES = {
  /** 32 bytes are one unit. */
  bytes: { flat: 16, shift: -5 },
  /** Each element of a table is 16. */
  elements: { flat: 16, shift: 4 },
  growth: { flat: 1000, shift: -5 },
} as const satisfies Readonly<Record<string, LengthCharge>>;

/** Units of an exception that is thrown. */
export const THROW_UNITS = 1000;

/** A length above which no table and no memory has anything: the instruction traps. */
const MOST_LENGTH = 2 ** 23;

/**
 * A function that gets the units left, below zero, asks for more until they are not, and answers what is left then: it
 * traps when it gets none. (i32) -> i32
 */
export function addRefill(additions: Additions, units: number, table: number): number {
  const code = new BinaryWriter().raw(OP.localGet, 0, OP.globalSet).u32(units).raw(OP.loop, VOID_BLOCK);
  code.raw(OP.i32Const, 0, OP.callIndirect).u32(additions.typeIndex(REFILL)).u32(table);
  code.raw(OP.localTee, 1, OP.i32Const, 0, OP.i32LeS, OP.if, VOID_BLOCK, OP.unreachable, OP.end);
  code.u8(OP.globalGet).u32(units).raw(OP.localGet, 1, OP.i32Add, OP.localTee, 0, OP.globalSet).u32(units);
  code.raw(OP.localGet, 0, OP.i32Const, 0, OP.i32LtS, OP.brIf, 0, OP.end, OP.localGet, 0);
  return additions.function(I32_TO_I32, [TYPE.i32], code);
}

/** What becomes of the units left once more were granted: a local holds them, or the global alone. */
type Holder = 'local' | 'global';

/**
 * Asks for more units where those in a local are below zero; answers where the `if` is, which is never taken but for
 * once in a million units.
 */
function check(code: BinaryWriter, refill: number, local: number, holder: Holder): number {
  code.u8(OP.localGet).u32(local).raw(OP.i32Const, 0, OP.i32LtS);
  const at = code.sizeBytes;
  code.raw(OP.if, VOID_BLOCK, OP.localGet).u32(local).u8(OP.call).u32(refill);
  if (holder === 'global') code.u8(OP.drop);
  else code.u8(OP.localSet).u32(local);
  code.u8(OP.end);
  return at;
}

/** What a charge needs: the global of the units, the function that asks for more, and a local to compute in. */
export interface Charging {
  readonly units: number;
  readonly refill: number;
  readonly local: number;
}

/** Charges units to the global, and answers where the `if` is. */
export function charge(code: BinaryWriter, { units, refill, local }: Charging, cost: number): number {
  code.u8(OP.globalGet).u32(units).u8(OP.i32Const).s32(cost).u8(OP.i32Sub);
  code.u8(OP.localTee).u32(local).u8(OP.globalSet).u32(units);
  return check(code, refill, local, 'global');
}

/** Charges units to a local, and answers where the `if` is. */
export function chargeLocal(code: BinaryWriter, { refill, local }: Charging, cost: number): number {
  code.u8(OP.localGet).u32(local).u8(OP.i32Const).s32(cost).raw(OP.i32Sub, OP.localSet).u32(local);
  return check(code, refill, local, 'local');
}

/** A function that charges always the same: () -> () */
export function addFixedCharge(additions: Additions, units: number, refill: number, cost: number): number {
  const code = new BinaryWriter();
  charge(code, { units, refill, local: 0 }, cost);
  return additions.function({ parameters: [], results: [] }, [TYPE.i32], code);
}

/** A function that charges by a length and answers it: (i32) -> i32 */
export function addLengthCharge(additions: Additions, units: number, refill: number, cost: LengthCharge): number {
  const code = new BinaryWriter().u8(OP.globalGet).u32(units);
  if (cost.shift < 0) code.raw(OP.localGet, 0, OP.i32Const, -cost.shift, OP.i32ShrU);
  else {
    code.raw(OP.localGet, 0, OP.i32Const).s32(MOST_LENGTH).raw(OP.localGet, 0, OP.i32Const).s32(MOST_LENGTH);
    code.raw(OP.i32LtU, OP.select, OP.i32Const, cost.shift, OP.i32Shl);
  }
  code.u8(OP.i32Const).s32(cost.flat).raw(OP.i32Add, OP.i32Sub, OP.localTee, 1, OP.globalSet).u32(units);
  check(code, refill, 1, 'global');
  return additions.function(I32_TO_I32, [TYPE.i32], code.raw(OP.localGet, 0));
}
