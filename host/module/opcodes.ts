/** What follows each opcode, and what it does to the height of the operand stack. Core spec, sections 5.4 and 7.6. */

/** Instructions that are read or written by name. */
export const OP = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  try: 0x06,
  catch: 0x07,
  throw: 0x08,
  rethrow: 0x09,
  throwRef: 0x0a,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  returnCall: 0x12,
  returnCallIndirect: 0x13,
  callRef: 0x14,
  returnCallRef: 0x15,
  delegate: 0x18,
  catchAll: 0x19,
  drop: 0x1a,
  select: 0x1b,
  tryTable: 0x1f,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  tableSet: 0x26,
  i32Load: 0x28,
  memorySize: 0x3f,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i64Const: 0x42,
  f32Const: 0x43,
  f64Const: 0x44,
  i32Eqz: 0x45,
  i32Eq: 0x46,
  i32Ne: 0x47,
  i32LtS: 0x48,
  i32LtU: 0x49,
  i32GtS: 0x4a,
  i32GtU: 0x4b,
  i32LeS: 0x4c,
  i32LeU: 0x4d,
  i32GeS: 0x4e,
  i64GtU: 0x56,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32Mul: 0x6c,
  i32And: 0x71,
  i32Or: 0x72,
  i32Shl: 0x74,
  i32ShrU: 0x76,
  i64Add: 0x7c,
  i64Mul: 0x7e,
  i64Shl: 0x86,
  i64ExtendI32U: 0xad,
  i32ReinterpretF32: 0xbc,
  i64ReinterpretF64: 0xbd,
  f32ReinterpretI32: 0xbe,
  f64ReinterpretI64: 0xbf,
  refNull: 0xd0,
  refFunc: 0xd2,
  brOnNull: 0xd5,
  brOnNonNull: 0xd6,
  /** Prefixes, behind which a number says which instruction it is. */
  garbageCollection: 0xfb,
  miscellaneous: 0xfc,
  vector: 0xfd,
  threads: 0xfe,
} as const;

/** Instructions behind the prefix 0xfc. */
export const MISCELLANEOUS = {
  memoryInit: 8,
  dataDrop: 9,
  memoryCopy: 10,
  memoryFill: 11,
  tableInit: 12,
  elemDrop: 13,
  tableCopy: 14,
  tableGrow: 15,
  tableSize: 16,
  tableFill: 17,
} as const;

/** Instructions behind the prefix 0xfd. */
export const VECTOR = { const: 0x0c, shuffle: 0x0d, i64x2Splat: 0x12, i64x2Extract: 0x1d, i64x2Replace: 0x1e } as const;

/** What follows an opcode byte. */
export const KIND = {
  plain: 0,
  unknown: 1,
  index: 2,
  memory: 3,
  i32: 4,
  i64: 5,
  four: 6,
  eight: 7,
  heapType: 8,
  types: 9,
  control: 10,
  call: 11,
  misc: 12,
  vector: 13,
} as const;

export const KINDS: Uint8Array = buildKinds();

function buildKinds(): Uint8Array {
  const table = new Uint8Array(256).fill(KIND.unknown);
  const fill = (from: number, to: number, kind: number): void => void table.fill(kind, from, to + 1);
  fill(0x01, 0x01, KIND.plain);
  // unreachable, block, loop, if, else, try, catch, throw, rethrow, throw_ref, end, br, br_if, br_table, return
  for (const opcode of [0x00, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f]) {
    table[opcode] = KIND.control;
  }
  fill(0x10, 0x15, KIND.call);
  // delegate, catch_all, try_table
  for (const opcode of [0x18, 0x19, 0x1f]) table[opcode] = KIND.control;
  fill(0x1a, 0x1b, KIND.plain);
  fill(0x1c, 0x1c, KIND.types);
  fill(0x20, 0x26, KIND.index);
  fill(0x28, 0x3e, KIND.memory);
  fill(0x3f, 0x40, KIND.index);
  fill(0x41, 0x41, KIND.i32);
  fill(0x42, 0x42, KIND.i64);
  fill(0x43, 0x43, KIND.four);
  fill(0x44, 0x44, KIND.eight);
  fill(0x45, 0xc4, KIND.plain);
  fill(0xd0, 0xd0, KIND.heapType);
  fill(0xd1, 0xd1, KIND.plain);
  fill(0xd2, 0xd2, KIND.index);
  fill(0xd3, 0xd4, KIND.plain);
  fill(0xd5, 0xd6, KIND.control);
  fill(0xfc, 0xfc, KIND.misc);
  fill(0xfd, 0xfd, KIND.vector);
  return table;
}

/** Comparisons and arithmetic of two operands. */
const BINARY: readonly (readonly [number, number])[] = [
  [0x46, 0x4f],
  [0x51, 0x66],
  [0x6a, 0x78],
  [0x7c, 0x8a],
  [0x92, 0x98],
  [0xa0, 0xa6],
];

/** Operands an instruction leaves less those it takes; blocks and calls have their types besides. */
export const EFFECTS: Int8Array = buildEffects();

function buildEffects(): Int8Array {
  const table = new Int8Array(256);
  const fill = (from: number, to: number, effect: number): void => void table.fill(effect, from, to + 1);
  // if, br_if, br_table, call_indirect, return_call_indirect, call_ref, return_call_ref
  for (const opcode of [0x04, 0x0d, 0x0e, 0x11, 0x13, 0x14, 0x15]) table[opcode] = -1;
  table[0x1a] = -1;
  fill(0x1b, 0x1c, -2);
  table[0x20] = 1;
  table[0x21] = -1;
  table[0x23] = 1;
  table[0x24] = -1;
  table[0x26] = -2;
  fill(0x36, 0x3e, -2);
  table[0x3f] = 1;
  fill(0x41, 0x44, 1);
  for (const [from, to] of BINARY) fill(from, to, -1);
  table[0xd0] = 1;
  table[0xd2] = 1;
  table[0xd3] = -1;
  table[0xd6] = -1;
  return table;
}

/** By what follows 0xfc. */
export const MISCELLANEOUS_EFFECTS: Int8Array = Int8Array.of(
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  -3,
  0,
  -3,
  -3,
  -3,
  0,
  -3,
  -1,
  1,
  -3,
);

const VECTOR_UNARY: readonly (readonly [number, number])[] = [
  [0x5c, 0x64],
  [0x67, 0x6a],
  [0x74, 0x75],
  [0x7a, 0x7a],
  [0x7c, 0x81],
  [0x83, 0x84],
  [0x87, 0x8a],
  [0x94, 0x94],
  [0xa0, 0xa1],
  [0xa3, 0xa4],
  [0xa7, 0xaa],
  [0xc0, 0xc1],
  [0xc3, 0xc4],
  [0xc7, 0xca],
  [0xe0, 0xe1],
  [0xe3, 0xe3],
  [0xec, 0xed],
  [0xef, 0xef],
];

/** By what follows 0xfd; most take two vectors and leave one. */
export const VECTOR_EFFECTS: Int8Array = buildVectorEffects();

function buildVectorEffects(): Int8Array {
  const table = new Int8Array(0x114).fill(-1);
  const fill = (from: number, to: number, effect: number): void => void table.fill(effect, from, to + 1);
  fill(0x00, 0x0a, 0);
  table[0x0b] = -2;
  table[0x0c] = 1;
  fill(0x0f, 0x14, 0);
  for (const opcode of [0x15, 0x16, 0x18, 0x19, 0x1b, 0x1d, 0x1f, 0x21, 0x4d, 0x53]) table[opcode] = 0;
  table[0x52] = -2;
  fill(0x58, 0x5b, -2);
  for (const [from, to] of VECTOR_UNARY) fill(from, to, 0);
  fill(0xf8, 0xff, 0);
  fill(0x101, 0x104, 0);
  fill(0x105, 0x10c, -2);
  table[0x113] = -2;
  return table;
}
