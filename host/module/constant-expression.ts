/** Expressions that give globals, tables and segments their first values. Core spec, section 3.3.13. */

import { NebulaError } from '../errors.ts';
import type { BinaryReader } from './binary.ts';
import { OP, VECTOR } from './opcodes.ts';

/** @throws NebulaError MODULE_UNSUPPORTED */
export function unsupported(feature: string): never {
  throw new NebulaError('MODULE_UNSUPPORTED', { feature });
}

/** Passes over a constant expression with its `end`, noting the functions it refers to. */
export function readConstantExpression(reader: BinaryReader, refer: (index: number) => void): void {
  for (;;) {
    const opcode = reader.u8();
    if (opcode === OP.end) return;
    if (opcode === OP.globalGet) reader.u32();
    else if (opcode === OP.refFunc) refer(reader.u32());
    else if (opcode === OP.i32Const) reader.skipLeb(5);
    else if (opcode === OP.i64Const) reader.skipLeb(10);
    else if (opcode === OP.f32Const) reader.skip(4);
    else if (opcode === OP.f64Const) reader.skip(8);
    else if (opcode === OP.refNull) reader.s33();
    else if (opcode === OP.vector) {
      if (reader.u32() !== VECTOR.const) unsupported('a vector instruction in a constant expression');
      reader.skip(16);
    } else if (opcode === OP.garbageCollection) unsupported('garbage-collected types');
    else if (!isExtendedConstant(opcode)) {
      reader.fail(`instruction 0x${opcode.toString(16)} in a constant expression`, reader.offset - 1);
    }
  }
}

/** Sums and products of both integers, which the proposal of extended constant expressions added. */
function isExtendedConstant(opcode: number): boolean {
  return (opcode >= OP.i32Add && opcode <= OP.i32Mul) || (opcode >= OP.i64Add && opcode <= OP.i64Mul);
}
