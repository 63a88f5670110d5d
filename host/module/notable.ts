/** The instructions that change hidden state, or that not every engine and rewriting takes. Core spec, section 5.4. */

import { MISCELLANEOUS, OP } from './opcodes.ts';

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
  [OP.memoryGrow]: 'memory.grow',
  [OP.refFunc]: 'ref.func',
};

/** Which of the plain opcodes are notable, for a check that costs one load. */
export const IS_NOTABLE: Uint8Array = Uint8Array.from({ length: 256 }, (_, opcode) =>
  opcode in NOTABLE_BY_OPCODE ? 1 : 0,
);

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
