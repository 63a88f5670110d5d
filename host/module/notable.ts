/** The instructions that change hidden state, or that not every engine and rewriting takes. Core spec, section 5.4. */

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
export const IS_NOTABLE: Uint8Array = Uint8Array.from({ length: 256 }, (_, opcode) =>
  opcode in NOTABLE_BY_OPCODE ? 1 : 0,
);

/** By the number behind the opcode 0xfc. */
export const NOTABLE_BY_MISCELLANEOUS: Readonly<Record<number, Notable>> = {
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
