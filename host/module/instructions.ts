/** Walks the instructions of a function body, telling a visitor of those that change hidden state. Core spec, 5.4. */

import { NebulaError } from '../errors.ts';
import type { BinaryReader } from './binary.ts';

/** Instructions a rewriting or an analysis cares for. */
export const NOTABLE = [
  'memory.grow',
  'memory.init',
  'memory.copy',
  'memory.fill',
  'data.drop',
  'elem.drop',
  'table.set',
  'table.init',
  'table.copy',
  'table.grow',
  'table.fill',
  'ref.func',
  'simd',
  'exceptions',
  'tail-call',
] as const;

export type Notable = (typeof NOTABLE)[number];

/** Told the instruction, where it starts and ends, and its first immediate. */
export type InstructionVisitor = (instruction: Notable, start: number, end: number, immediate: number) => void;

/** What follows an opcode byte, one letter an opcode: see `skipImmediates`. */
const IMMEDIATES = buildImmediates();

function buildImmediates(): string[] {
  const table = Array.from({ length: 256 }, () => '?');
  const fill = (from: number, to: number, kind: string): void => void table.fill(kind, from, to + 1);
  fill(0x00, 0x01, '-');
  fill(0x02, 0x04, 'b');
  fill(0x05, 0x05, '-');
  fill(0x06, 0x06, 'b');
  fill(0x07, 0x09, 'u');
  fill(0x0a, 0x0b, '-');
  fill(0x0c, 0x0d, 'u');
  fill(0x0e, 0x0e, 't');
  fill(0x0f, 0x0f, '-');
  fill(0x10, 0x10, 'u');
  fill(0x11, 0x11, 'U');
  fill(0x12, 0x12, 'u');
  fill(0x13, 0x13, 'U');
  fill(0x14, 0x15, 'u');
  fill(0x18, 0x18, 'u');
  fill(0x19, 0x1b, '-');
  fill(0x1c, 0x1c, 'v');
  fill(0x1f, 0x1f, 'y');
  fill(0x20, 0x26, 'u');
  fill(0x28, 0x3e, 'm');
  fill(0x3f, 0x40, 'u');
  fill(0x41, 0x41, '5');
  fill(0x42, 0x42, 'a');
  fill(0x43, 0x43, '4');
  fill(0x44, 0x44, '8');
  fill(0x45, 0xc4, '-');
  fill(0xd0, 0xd0, 'b');
  fill(0xd1, 0xd1, '-');
  fill(0xd2, 0xd2, 'u');
  fill(0xd3, 0xd4, '-');
  fill(0xd5, 0xd6, 'u');
  fill(0xfc, 0xfc, 'F');
  fill(0xfd, 0xfd, 'S');
  return table;
}

const NOTABLE_BY_OPCODE: Readonly<Record<number, Notable>> = {
  0x06: 'exceptions',
  0x08: 'exceptions',
  0x0a: 'exceptions',
  0x12: 'tail-call',
  0x13: 'tail-call',
  0x15: 'tail-call',
  0x1f: 'exceptions',
  0x26: 'table.set',
  0x40: 'memory.grow',
  0xd2: 'ref.func',
};

/** Which of the plain opcodes are notable, for a check that costs one load. */
const IS_NOTABLE = Uint8Array.from({ length: 256 }, (_, opcode) => (opcode in NOTABLE_BY_OPCODE ? 1 : 0));

/** Walks a body's instructions up to the reader's end. */
export function walkInstructions(reader: BinaryReader, visit: InstructionVisitor): void {
  while (!reader.atEnd) {
    const start = reader.offset;
    const opcode = reader.u8();
    const kind = IMMEDIATES[opcode] as string;
    if (kind === '-') continue;
    if (kind === 'F') walkMiscellaneous(reader, start, visit);
    else if (kind === 'S') walkVector(reader, start, visit);
    else {
      const immediate = skipImmediates(reader, kind, opcode, start);
      if (IS_NOTABLE[opcode] === 1) visit(NOTABLE_BY_OPCODE[opcode] as Notable, start, reader.offset, immediate);
    }
  }
}

function skipImmediates(reader: BinaryReader, kind: string, opcode: number, start: number): number {
  switch (kind) {
    case 'u':
      return reader.u32();
    case 'U':
      reader.u32();
      return reader.u32();
    case 'b':
      return reader.s33();
    case 'm':
      skipMemoryArgument(reader);
      return 0;
    case '5':
      reader.skipLeb(5);
      return 0;
    case 'a':
      reader.skipLeb(10);
      return 0;
    case '4':
      reader.skip(4);
      return 0;
    case '8':
      reader.skip(8);
      return 0;
    case 't':
      for (let left = reader.u32() + 1; left > 0; left--) reader.u32();
      return 0;
    case 'v':
      for (let left = reader.u32(); left > 0; left--) reader.s33();
      return 0;
    case 'y':
      return skipTryTable(reader);
    default:
      if (opcode === 0xfe) throw new NebulaError('MODULE_UNSUPPORTED', { feature: 'threads (atomic instructions)' });
      if (opcode === 0xfb) throw new NebulaError('MODULE_UNSUPPORTED', { feature: 'garbage-collected types' });
      return reader.fail(`an unknown instruction 0x${opcode.toString(16)}`, start);
  }
}

function skipTryTable(reader: BinaryReader): number {
  reader.s33();
  for (let left = reader.u32(); left > 0; left--) {
    if (reader.u8() < 2) reader.u32();
    reader.u32();
  }
  return 0;
}

/** Alignment, then a memory's index if bit 6 says so, then the offset. */
function skipMemoryArgument(reader: BinaryReader): void {
  if (reader.u32() & 0x40) reader.u32();
  reader.skipLeb(10);
}

function walkMiscellaneous(reader: BinaryReader, start: number, visit: InstructionVisitor): void {
  const opcode = reader.u32();
  if (opcode < 8) return;
  const first = opcode <= 17 ? reader.u32() : reader.fail(`an unknown instruction 0xfc ${opcode}`, start);
  if (opcode === 8 || opcode === 10 || opcode === 12 || opcode === 14) reader.u32();
  const notable = MISCELLANEOUS[opcode];
  if (notable !== undefined) visit(notable, start, reader.offset, first);
}

const MISCELLANEOUS: Readonly<Record<number, Notable>> = {
  8: 'memory.init',
  9: 'data.drop',
  10: 'memory.copy',
  11: 'memory.fill',
  12: 'table.init',
  13: 'elem.drop',
  14: 'table.copy',
  15: 'table.grow',
  17: 'table.fill',
};

function walkVector(reader: BinaryReader, start: number, visit: InstructionVisitor): void {
  const opcode = reader.u32();
  if (opcode <= 11 || opcode === 0x5c || opcode === 0x5d) skipMemoryArgument(reader);
  else if (opcode === 12 || opcode === 13) reader.skip(16);
  else if (opcode >= 0x15 && opcode <= 0x22) reader.skip(1);
  else if (opcode >= 0x54 && opcode <= 0x5b) {
    skipMemoryArgument(reader);
    reader.skip(1);
  } else if (opcode > 0x113) reader.fail(`an unknown vector instruction ${opcode}`, start);
  visit('simd', start, reader.offset, opcode);
}
