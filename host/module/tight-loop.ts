/**
 * The check of a loop without loops and calls in it, put around the loop in place of into it, so that V8 unrolls and peels
 * the loop as before and keeps what it computes with in registers:
 *
 *   block $exit (loop $again (block $below (loop $original (units -= cost) (br_if $below (units < 0)) body) (br $exit))
 *     units = refill(units) + cost, br $again))
 */

import { BinaryReader, type BinaryWriter } from './binary.ts';
import { VOID_BLOCK } from './encoding.ts';
import type { FunctionType } from './layout.ts';
import { OP } from './opcodes.ts';
import type { Charging } from './unit-code.ts';

/** Labels that are put around a loop. */
const LABELS = 3;

interface Surroundings {
  /** The module's. */
  readonly bytes: Uint8Array;
  readonly charging: Charging;
}

/** How such a loop can be written; none for one that takes values, which it would need anew each time. */
export function tightLoopOf(
  types: readonly FunctionType[],
  type: Uint8Array,
  cost: number,
  surroundings: Surroundings,
): TightLoop | undefined {
  const index = new BinaryReader(type).s33();
  if (index >= 0 && types[index]?.parameters.length !== 0) return undefined;
  return new TightLoop(type, cost, surroundings);
}

/** Writes the code around one loop, and its branches. */
export class TightLoop {
  readonly labels: number = LABELS;
  readonly #type: Uint8Array;
  readonly #surroundings: Surroundings;
  readonly #cost: number;

  constructor(type: Uint8Array, cost: number, surroundings: Surroundings) {
    this.#type = type;
    this.#cost = cost;
    this.#surroundings = surroundings;
  }

  /** What stands before the loop. */
  begin(writer: BinaryWriter): void {
    writer.u8(OP.block).bytes(this.#type).raw(OP.loop, VOID_BLOCK, OP.block, VOID_BLOCK);
  }

  /** What stands at its head; answers where the branch is. */
  charge(writer: BinaryWriter): number {
    const { local } = this.#surroundings.charging;
    writer.u8(OP.localGet).u32(local).u8(OP.i32Const).s32(this.#cost).raw(OP.i32Sub, OP.localTee).u32(local);
    writer.raw(OP.i32Const, 0, OP.i32LtS);
    const at = writer.sizeBytes;
    writer.raw(OP.brIf, 1);
    return at;
  }

  /** A branch at `start`; labels above `inside`, that of the loop, are farther out than they were. */
  branch(writer: BinaryWriter, start: number, inside: number): void {
    const reader = new BinaryReader(this.#surroundings.bytes, start);
    const opcode = reader.u8();
    writer.u8(opcode);
    let labels = 1;
    if (opcode === OP.brTable) {
      const count = reader.u32();
      writer.u32(count);
      labels = count + 1;
    }
    for (let left = labels; left > 0; left--) {
      const label = reader.u32();
      writer.u32(label > inside ? label + LABELS : label);
    }
  }

  /** What stands behind the loop. */
  end(writer: BinaryWriter): void {
    const { local, refill } = this.#surroundings.charging;
    writer.raw(OP.br, 2, OP.end, OP.localGet).u32(local).u8(OP.call).u32(refill);
    // The loop's head charges once more.
    writer.u8(OP.i32Const).s32(this.#cost).raw(OP.i32Add, OP.localSet).u32(local);
    writer.raw(OP.br, 0, OP.end, OP.unreachable, OP.end);
  }
}
