/** Hands a module with a budget the function that it asks for more units. */

import { suspending } from '../waiting/jspi.ts';
import { BinaryWriter } from './binary.ts';
import { EXTERNAL, FUNCTION_FORM, MINUS_ONE, MODULE_PREAMBLE, SECTION, TYPE } from './encoding.ts';
import { OP } from './opcodes.ts';
import { PASSED, passingModule } from './passing-module.ts';
import { STATE } from './state-names.ts';

/** Answers how many units are granted, an i32; the guest traps for 0 and less. */
export type Refill = () => number;

/**
 * A module that exports a function which asks its first import, and `turn` where that says so, with nothing of JavaScript's between that and the guest. To call
 * what suspends costs twenty times what any other function does, which so only those pay who are suspended.
 */
function slicedRefillModule(): Uint8Array<ArrayBuffer> {
  const imports = new BinaryWriter().u32(2).raw(...imported(NAME), ...imported(TURN));
  const body = new BinaryWriter().raw(1, 1, TYPE.i32);
  body.raw(OP.call, 0, OP.localTee, 0, OP.i32Const, MINUS_ONE, OP.i32Eq);
  body.raw(OP.if, TYPE.i32, OP.call, 1, OP.else, OP.localGet, 0, OP.end, OP.end);
  const module = new BinaryWriter().raw(...MODULE_PREAMBLE, SECTION.type, 5, 1, FUNCTION_FORM, 0, 1, TYPE.i32);
  module.u8(SECTION.import).sized(imports);
  const exported = new BinaryWriter().u32(1).name(NAME).raw(EXTERNAL.function, 2);
  module.raw(SECTION.function, 2, 1, 0).u8(SECTION.export).sized(exported);
  return module.u8(SECTION.code).sized(new BinaryWriter().u32(1).sized(body)).toBytes();
}

const NAME = 'refill';
const TURN = 'turn';

let compiled: WebAssembly.Module | undefined;
let compiledSliced: WebAssembly.Module | undefined;

/**
 * The function as WebAssembly's, for any number of instances.
 * @param turn answers like `refill` once the guest has its turn again; asked where `refill` says -1, which it may do
 * only for a guest that was entered by `promising`, with nothing of JavaScript's between
 */
export function asWasmFunction(refill: Refill, turn?: () => Promise<number>): Refill {
  if (turn === undefined) {
    compiled ??= new WebAssembly.Module(passingModule([]));
    return new WebAssembly.Instance(compiled, { '': { [PASSED]: refill } }).exports[PASSED] as Refill;
  }
  compiledSliced ??= new WebAssembly.Module(slicedRefillModule());
  const imports = { '': { [NAME]: refill, [TURN]: suspending(turn) } };
  return new WebAssembly.Instance(compiledSliced, imports).exports[NAME] as Refill;
}

function imported(name: string): readonly number[] {
  return [0, name.length, ...Buffer.from(name), EXTERNAL.function, 0];
}

/** The units that an instance has left, and where it asks for more; none where its module has no budget. */
export interface UnitSlots {
  readonly units: WebAssembly.Global<'i32'>;
  readonly refill: WebAssembly.Table;
}

export function unitSlotsOf({ exports }: WebAssembly.Instance): UnitSlots | undefined {
  const units = exports[STATE.units] as WebAssembly.Global<'i32'> | undefined;
  return units === undefined ? undefined : { units, refill: exports[STATE.refill] as WebAssembly.Table };
}
