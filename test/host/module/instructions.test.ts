import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BinaryReader } from '../../../host/module/binary.ts';
import type { Complexity } from '../../../host/module/complexity.ts';
import type { Arities } from '../../../host/module/arity.ts';
import { InstructionWalker } from '../../../host/module/instructions.ts';

/** By index: () -> (); (2) -> 1; 16 values in all; 17 values in all; () -> 2. */
const TYPES = [
  { parameters: 0, results: 0 },
  { parameters: 2, results: 1 },
  { parameters: 8, results: 8 },
  { parameters: 9, results: 8 },
  { parameters: 0, results: 2 },
] as const;
/** Function 0 is of type 1, and so on; the only tag is of type 1. */
const ARITIES: Arities = { types: TYPES, functions: [1, 2, 3, 4, 0], tags: [1] };

interface Walked extends Complexity {
  readonly seen: readonly string[];
}

/** What a body of these instructions and an end comes to. */
function walk(instructions: readonly number[], locals = 0, results = 0): Walked {
  const seen: string[] = [];
  const walker = new InstructionWalker(ARITIES, (instruction, start, end, immediate) =>
    seen.push(`${instruction} ${start}-${end} ${immediate}`),
  );
  const reader = new BinaryReader(Uint8Array.from([...instructions, 0x0b]));
  return { ...walker.walk(reader, locals, results), seen };
}

const CONST = [0x41, 0] as const;
const DROP = 0x1a;
const VECTOR = [0xfd, 12, ...Array.from({ length: 16 }, () => 0)];
const consts = (count: number): number[] => Array.from({ length: count }, () => CONST).flat();

const COMPLEXITIES: readonly (readonly [what: string, body: readonly number[], expected: Partial<Complexity>])[] = [
  ['nothing', [], { merges: 0, loops: 0, calls: 0, tableEntries: 0, depth: 1, operands: 0 }],
  ['operands that are left', [...consts(3), DROP, DROP, DROP], { operands: 3, merges: 0 }],
  ['a block above an operand', [...CONST, 0x02, 0x40, 0x0b, DROP], { merges: 2, depth: 2, operands: 1 }],
  ['a loop', [0x03, 0x40, 0x0b], { loops: 1, depth: 2 }],
  ['two loops, one in the other', [0x03, 0x40, 0x03, 0x40, 0x0b, 0x0b], { loops: 2, depth: 3 }],
  ['blocks one after the other', [0x02, 0x40, 0x0b, 0x02, 0x40, 0x0b], { loops: 0, depth: 2 }],
  ['a block that leaves a value', [0x02, 0x7f, ...CONST, 0x0b, DROP], { operands: 1, merges: 1 }],
  ['a block of a type', [...consts(2), 0x02, 1, 0x1a, 0x0b, DROP], { merges: 2 + 1, operands: 2 }],
  ['a block of a reference', [0x02, 0x63, 0x70, 0xd0, 0x70, 0x0b, DROP], { operands: 1, depth: 2 }],
  ['if and else', [...consts(2), 0x04, 0x40, 0x05, 0x0b, DROP], { merges: 3, operands: 2 }],
  ['if of a type', [...consts(3), 0x04, 1, DROP, 0x05, DROP, 0x0b, DROP], { merges: 2 + 1 + 1, operands: 3 }],
  ['br_if', [...consts(2), 0x0d, 0, DROP], { merges: 1 }],
  ['br, behind which nothing is', [...consts(2), 0x0c, 0], { merges: 2 }],
  ['unreachable within a block', [...CONST, 0x02, 0x40, ...consts(2), 0x00, 0x0b, DROP], { merges: 1 + 3 + 1 }],
  ['return', [...consts(2), 0x0f, ...CONST, DROP], { merges: 2 }],
  ['br_table', [...consts(2), 0x0e, 3, 0, 0, 0, 0], { tableEntries: 3, merges: 1 }],
  ['a call', [...consts(2), 0x10, 0, DROP], { calls: 1, operands: 2, merges: 0 }],
  ['a call that gives more than it takes', [0x10, 3, DROP, DROP], { calls: 1, operands: 2 }],
  ['a call with sixteen values', [...consts(8), 0x10, 1], { calls: 1, operands: 8, merges: 8 }],
  ['a call with seventeen values', [...consts(9), 0x10, 2], { merges: 17 * 64 + 8 }],
  ['an indirect call', [...consts(3), 0x11, 1, 0, DROP], { calls: 1, operands: 3, merges: 0 }],
  ['a call of a reference', [...consts(2), 0xd0, 0x70, 0x14, 1, DROP], { calls: 1, operands: 3, merges: 0 }],
  ['a tail call', [...consts(2), 0x12, 0, ...CONST, DROP], { calls: 1, operands: 2, merges: 0 }],
  ['an indirect tail call', [...consts(4), 0x13, 1, 0], { calls: 1, operands: 4, merges: 0 }],
  ['a tail call of a reference', [...consts(3), 0xd0, 0x70, 0x15, 1], { calls: 1, operands: 4, merges: 0 }],
  ['a catch of a tag', [0x06, 0x40, 0x07, 0, DROP, DROP, 0x0b], { merges: 0, operands: 2, depth: 2 }],
  ['a catch of all', [0x06, 0x40, ...CONST, 0x19, 0x0b], { merges: 1, operands: 1 }],
  [
    'a block behind a catch of all',
    [...CONST, 0x06, 0x40, 0x19, 0x02, 0x40, 0x0b, 0x0b, DROP],
    { depth: 3, operands: 1 },
  ],
  ['a value of a body and of its catch of all', [0x06, 0x7f, ...CONST, 0x19, ...CONST, 0x0b, DROP], { operands: 1 }],
  ['a delegate', [0x06, 0x40, 0x18, 0], { depth: 2, merges: 0 }],
  ['try_table', [0x1f, 0x40, 2, 0, 0, 1, 2, 0, 0x0b], { depth: 2, merges: 0 }],
  ['memory.copy', [...consts(3), 0xfc, 10, 0, 0], { operands: 3, merges: 0 }],
  ['table.grow and table.size', [...consts(2), 0xfc, 15, 0, 0xfc, 16, 0, DROP, DROP], { operands: 2 }],
  ['a conversion that does not trap', [...CONST, 0xfc, 7, DROP], { operands: 1 }],
  ['a vector', [...VECTOR, DROP], { operands: 1 }],
  ['a sum of vectors', [...VECTOR, ...VECTOR, 0xfd, 0x6e, ...CONST, ...CONST, DROP, DROP, DROP], { operands: 3 }],
  ['a lane', [...VECTOR, 0xfd, 0x15, 0, ...CONST, DROP, DROP], { operands: 2 }],
  ['a lane put in', [...VECTOR, ...CONST, 0xfd, 0x17, 0, ...CONST, DROP, DROP], { operands: 2 }],
  ['a choice of bits', [...VECTOR, ...VECTOR, ...VECTOR, 0xfd, 0x52, ...consts(3)], { operands: 4 }],
  ['a relaxed product and sum', [...VECTOR, ...VECTOR, ...VECTOR, 0xfd, 0x93, 0x02, ...consts(3)], { operands: 4 }],
  ['a store of a vector', [...CONST, ...VECTOR, 0xfd, 11, 0, 0, ...consts(3)], { operands: 3 }],
  ['select with a type', [...consts(3), 0x1c, 1, 0x7f, DROP], { operands: 3, merges: 0 }],
];

for (const [what, body, expected] of COMPLEXITIES) {
  test(`InstructionWalker.walk() adds up ${what}`, () => {
    const walked: Readonly<Record<string, unknown>> = { ...walk(body) };
    for (const [name, value] of Object.entries(expected)) assert.equal(walked[name], value, name);
  });
}

test('InstructionWalker.walk() counts locals wherever control flow meets', () => {
  assert.equal(walk([], 3).merges, 3);
  assert.equal(walk([0x02, 0x40, 0x0b], 5).merges, 15);
  assert.equal(walk([...CONST], 5, 1).merges, 6);
});

test('InstructionWalker.walk() follows blocks deeper than it has room for at first', () => {
  const depth = 600;
  const body = [
    ...Array.from({ length: depth }, () => [...CONST, 0x02, 0x40]).flat(),
    ...Array.from({ length: depth }, () => [0x0b, DROP]).flat(),
  ];
  const { depth: found, merges, operands } = walk(body);
  assert.deepEqual([found, operands], [depth + 1, depth]);
  assert.equal(merges, depth * (depth + 1));
});

test('InstructionWalker.walk() begins each body anew', () => {
  const walker = new InstructionWalker(ARITIES, () => undefined);
  const body = Uint8Array.of(...consts(2), 0x03, 0x40, 0x0b, 0x0b);
  const first = walker.walk(new BinaryReader(body), 1, 0);
  assert.deepEqual(walker.walk(new BinaryReader(body), 1, 0), first);
});

const VISITS: readonly (readonly [body: readonly number[], seen: readonly string[]])[] = [
  [[0x01, 0x40, 0], ['memory.grow 1-3 0']],
  [[0x40, 0x83, 0x01], ['memory.grow 0-3 131']],
  [[0x26, 4], ['table.set 0-2 4']],
  [[0xd2, 5], ['ref.func 0-2 5']],
  [[0x12, 4], ['tail-call 0-2 4']],
  [[0x13, 0, 6], ['tail-call 0-3 6']],
  [[0x15, 0], ['tail-call 0-2 0']],
  [[0x08, 0], ['exceptions 0-2 0']],
  [[0x0a], ['exceptions 0-1 0']],
  [[0x06, 0x40, 0x0b], ['exceptions 0-2 -64']],
  [[0x1f, 0x40, 0, 0x0b], ['exceptions 0-3 0']],
  [[0xfc, 8, 3, 0], ['memory.init 0-4 3']],
  [[0xfc, 9, 2], ['data.drop 0-3 2']],
  [[0xfc, 10, 1, 0], ['memory.copy 0-4 1']],
  [[0xfc, 11, 1], ['memory.fill 0-3 1']],
  [[0xfc, 12, 3, 1], ['table.init 0-4 3']],
  [[0xfc, 13, 2], ['elem.drop 0-3 2']],
  [[0xfc, 14, 1, 2], ['table.copy 0-4 1']],
  [[0xfc, 15, 1], ['table.grow 0-3 1']],
  [[0xfc, 16, 1], []],
  [[0xfc, 17, 1], ['table.fill 0-3 1']],
  [[0xfc, 0], []],
  [[0xfd, 77, 0xfd, 77], ['simd 0-2 0']],
];

for (const [body, seen] of VISITS) {
  test(`InstructionWalker.walk() tells ${seen.join() || 'nothing'} of ${body.join(' ')}`, () => {
    assert.deepEqual(walk(body).seen, seen);
  });
}

/** Bytes that were instructions, were they not passed over, of which the last takes what follows as its own immediate. */
const passed = (count: number): number[] => [...Array.from({ length: count - 1 }, () => 0x01), 0x41];

const IMMEDIATES: readonly (readonly [what: string, body: readonly number[]])[] = [
  ['i32.const', [0x41, 0xc1, 0x41]],
  ['i64.const', [0x42, 0xc1, 0xc1, 0xc1, 0xc1, 0xc1, 0x41]],
  ['f32.const', [0x43, ...passed(4)]],
  ['f64.const', [0x44, ...passed(8)]],
  ['i32.load', [0x28, 2, 0x41]],
  ['i32.load of another memory', [0x28, 0x42, 0x01, 0x41]],
  ['v128.const', [0xfd, 12, ...passed(16)]],
  ['i8x16.shuffle', [0xfd, 13, ...passed(16)]],
  ['v128.load', [0xfd, 0, 4, 0x41]],
  ['v128.store', [0xfd, 11, 4, 0x41]],
  ['i8x16.splat', [0xfd, 0x0f]],
  ['i8x16.extract_lane_s', [0xfd, 0x15, 0x41]],
  ['f64x2.replace_lane', [0xfd, 0x22, 0x41]],
  ['i8x16.eq', [0xfd, 0x23]],
  ['v128.any_true', [0xfd, 0x53]],
  ['v128.load8_lane', [0xfd, 0x54, 0, 0x01, 0x41]],
  ['v128.store64_lane', [0xfd, 0x5b, 0, 0x01, 0x41]],
  ['v128.load32_zero', [0xfd, 0x5c, 2, 0x41]],
  ['v128.load64_zero', [0xfd, 0x5d, 2, 0x41]],
  ['f32x4.demote_f64x2_zero', [0xfd, 0x5e]],
  ['i8x16.add', [0xfd, 0x6e]],
  ['i32x4.relaxed_dot_i8x16_i7x16_add_s', [0xfd, 0x93, 0x02]],
  ['ref.null', [0xd0, 0x41]],
  ['br_on_null', [0xd5, 0x41]],
];

for (const [what, body] of IMMEDIATES) {
  test(`InstructionWalker.walk() passes over what follows ${what}`, () => {
    assert.deepEqual(walk([...body, 0x40, 7]).seen.at(-1), `memory.grow ${body.length}-${body.length + 2} 7`);
  });
}

const unsupported = (feature: string): object => ({ key: 'MODULE_UNSUPPORTED', fields: { feature } });

test('InstructionWalker.walk() refuses what it does not know, and what Nebula does not have, by name', () => {
  assert.throws(() => walk([0x01, 0xfe, 0]), unsupported('threads (atomic instructions)'));
  assert.throws(() => walk([0xfb, 0]), unsupported('garbage-collected types'));
  assert.throws(() => walk([0x01, 0xff]), {
    key: 'MODULE_INVALID',
    fields: { detail: 'an unknown instruction 0xff', offset: 1 },
  });
  assert.throws(() => walk([0x01, 0xfc, 18]), {
    key: 'MODULE_INVALID',
    fields: { detail: 'an unknown instruction 0xfc 18', offset: 1 },
  });
});
