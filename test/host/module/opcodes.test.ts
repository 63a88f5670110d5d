import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EFFECTS, MISCELLANEOUS_EFFECTS, VECTOR_EFFECTS } from '../../../host/module/opcodes.ts';
import { HEADER, leb, section } from './binary-module.ts';

/** A constant of each type. */
const CONSTANTS: readonly (readonly number[])[] = [
  [0x41, 0],
  [0x42, 0],
  [0x43, 0, 0, 0, 0],
  [0x44, 0, 0, 0, 0, 0, 0, 0, 0],
  [0xfd, 12, ...Array<number>(16).fill(0)],
  [0xd0, 0x70],
];

const PREFIX = Buffer.concat([
  HEADER,
  section(1, [1, 0x60, 0, 0]),
  section(3, [1, 0]),
  section(4, [1, 0x70, 0, 1]),
  section(5, [1, 0, 1]),
  section(6, [1, 0x7f, 1, 0x41, 0, 0x0b]),
  section(9, [1, 1, 0, 1, 0]),
  section(12, [1]),
]);
const SUFFIX = section(11, [1, 1, 0]);

/** Whether V8 takes a function of one i32 local with this code. */
function isValid(code: readonly number[]): boolean {
  const body = [1, 1, 0x7f, ...code, 0x0b];
  const whole = Buffer.concat([PREFIX, section(10, [1, ...leb(body.length), ...body]), SUFFIX]);
  return WebAssembly.validate(whole);
}

function* operandsOf(count: number): Generator<number[]> {
  if (count === 0) yield [];
  else for (const rest of operandsOf(count - 1)) for (const constant of CONSTANTS) yield [...constant, ...rest];
}

/** Behind each instruction, so that it does not take what follows for an immediate of its own. */
const NOPS = Array<number>(16).fill(0x01);

/** What V8 says an instruction leaves less what it takes; undefined for one that it does not know, or not without a block. */
function effectOf(instruction: readonly number[]): number | undefined {
  for (const taken of [0, 1, 2, 3]) {
    for (const operands of operandsOf(taken)) {
      if (isValid([...operands, ...instruction, ...NOPS])) return 0 - taken;
      if (isValid([...operands, ...instruction, ...NOPS, 0x1a])) return 1 - taken;
    }
  }
  return undefined;
}

/** Nothing, an index, a memory argument, a memory argument and a lane, two indices, sixteen lanes. */
const IMMEDIATES = [[], [0], [0, 0], [0, 0, 0], [0, 0, 0, 0], Array<number>(8).fill(0), Array<number>(16).fill(0)];

function check(
  name: string,
  opcodes: Iterable<number>,
  encode: (opcode: number) => readonly number[],
  table: Int8Array,
): number {
  let known = 0;
  for (const opcode of opcodes) {
    for (const immediates of IMMEDIATES) {
      const effect = effectOf([...encode(opcode), ...immediates]);
      if (effect === undefined) continue;
      assert.equal(table[opcode], effect, `${name} 0x${opcode.toString(16)} with ${immediates.length} immediates`);
      known++;
      break;
    }
  }
  return known;
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

test('EFFECTS are what V8 makes of each plain instruction', () => {
  // Locals, globals and tables, memory, constants, numeric; references.
  const plain = [0x1a, 0x1b, ...range(0x20, 0x26), ...range(0x28, 0x40), ...range(0x41, 0xc4), 0xd1, 0xd2];
  assert.ok(check('instruction', plain, (opcode) => [opcode], EFFECTS) > 160);
});

test('MISCELLANEOUS_EFFECTS are what V8 makes of each instruction behind 0xfc', () => {
  assert.equal(
    check('0xfc', range(0, 17), (opcode) => [0xfc, ...leb(opcode)], MISCELLANEOUS_EFFECTS),
    18,
  );
});

test('VECTOR_EFFECTS are what V8 makes of each instruction behind 0xfd', () => {
  assert.ok(check('0xfd', range(0, 0x113), (opcode) => [0xfd, ...leb(opcode)], VECTOR_EFFECTS) >= 236);
});
