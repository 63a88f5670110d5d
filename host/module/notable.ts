/** The instructions that change hidden state, or that not every engine and rewriting takes. Core spec, section 5.4. */

import { MISCELLANEOUS, OP } from './opcodes.ts';

/** Instructions a rewriting or an analysis cares for. */
export const NOTABLE = [
  'memory.size',
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
  // Where units are charged, or where a local that holds them has to be written back.
  'loop',
  'call',
  'indirect-call',
  'return',
  'throw',
  'unreachable',
  'branch',
  'loop-end',
] as const;

export type Notable = (typeof NOTABLE)[number];

/** By opcode. */
export const NOTABLE_BY_OPCODE: Readonly<Record<number, Notable>> = {
  [OP.try]: 'exceptions',
  [OP.throw]: 'exceptions',
  [OP.throwRef]: 'exceptions',
  [OP.returnCall]: 'tail-call',
  [OP.returnCallIndirect]: 'tail-call',
  [OP.returnCallRef]: 'tail-call',
  [OP.tryTable]: 'exceptions',
  [OP.tableSet]: 'table.set',
  [OP.memorySize]: 'memory.size',
  [OP.memoryGrow]: 'memory.grow',
  [OP.refFunc]: 'ref.func',
};

/** By opcode, in a module with a budget. */
export const NOTABLE_WITH_BUDGET: Readonly<Record<number, Notable>> = {
  ...NOTABLE_BY_OPCODE,
  [OP.loop]: 'loop',
  [OP.call]: 'call',
  [OP.callIndirect]: 'indirect-call',
  [OP.callRef]: 'indirect-call',
  [OP.return]: 'return',
  [OP.throw]: 'throw',
  [OP.rethrow]: 'throw',
  [OP.throwRef]: 'throw',
  [OP.unreachable]: 'unreachable',
  [OP.br]: 'branch',
  [OP.brIf]: 'branch',
  [OP.brTable]: 'branch',
  [OP.brOnNull]: 'branch',
  [OP.brOnNonNull]: 'branch',
};

/** Which of the plain opcodes are notable, for a check that costs one load. */
export function flagsOf(notable: Readonly<Record<number, Notable>>): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, opcode) => (opcode in notable ? 1 : 0));
}

/** By the number behind the opcode 0xfc. */
export const NOTABLE_BY_MISCELLANEOUS: Readonly<Record<number, Notable>> = {
  [MISCELLANEOUS.memoryInit]: 'memory.init',
  [MISCELLANEOUS.dataDrop]: 'data.drop',
  [MISCELLANEOUS.memoryCopy]: 'memory.copy',
  [MISCELLANEOUS.memoryFill]: 'memory.fill',
  [MISCELLANEOUS.tableInit]: 'table.init',
  [MISCELLANEOUS.elemDrop]: 'elem.drop',
  [MISCELLANEOUS.tableCopy]: 'table.copy',
  [MISCELLANEOUS.tableGrow]: 'table.grow',
  [MISCELLANEOUS.tableFill]: 'table.fill',
};
