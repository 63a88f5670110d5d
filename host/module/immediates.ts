/** What follows instructions, passed over. Core spec, sections 5.4.6 and 5.4.8. */

import type { BinaryReader } from './binary.ts';
import { VECTOR } from './opcodes.ts';

/** Alignment, then a memory's index if bit 6 says so, then the offset. */
export function skipMemoryArgument(reader: BinaryReader): void {
  if (reader.u32() & 0x40) reader.u32();
  reader.skipLeb(10);
}

/** What follows a vector instruction, whose number has been read; it began at `start`. */
export function skipVectorImmediates(reader: BinaryReader, opcode: number, start: number): void {
  if (opcode <= 11 || opcode === 0x5c || opcode === 0x5d) skipMemoryArgument(reader);
  else if (opcode === VECTOR.const || opcode === VECTOR.shuffle) reader.skip(16);
  else if (opcode >= 0x15 && opcode <= 0x22) reader.skip(1);
  else if (opcode >= 0x54 && opcode <= 0x5b) {
    skipMemoryArgument(reader);
    reader.skip(1);
  } else if (opcode > 0x113) reader.fail(`an unknown vector instruction ${opcode}`, start);
}
