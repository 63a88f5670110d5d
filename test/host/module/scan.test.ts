import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readLayout } from '../../../host/module/layout.ts';
import { scanCode, scanValid, type CodeScan } from '../../../host/module/scan.ts';
import { assemble } from '../../wat.ts';
import { bodyOf, HEADER, leb, moduleOf, section } from './binary-module.ts';

const scanOf = async (wat: string): Promise<CodeScan> => scanCode(readLayout(await assemble(wat)));

test('scanCode() finds what grows, what drops and what is referred to, by index', async () => {
  const scan = await scanOf(
    `(module (memory 1) (memory 1) (table $a 1 funcref) (table $b 1 funcref) (data $x "x") (data $y "y") (elem $e func $f)
      (func $f) (func $g) (func $h) (elem declare func $g)
      (func (drop (memory.grow 1 (i32.const 1))) (drop (table.grow $b (ref.func $g) (i32.const 1)))
        (data.drop $y) (elem.drop $e)))`,
  );
  assert.deepEqual(scan.grownMemories, [1]);
  assert.deepEqual(scan.grownTables, [1]);
  assert.deepEqual(scan.droppedData, [1]);
  assert.deepEqual(scan.droppedElements, [0]);
  assert.deepEqual(scan.referenced, [0, 1]);
  assert.deepEqual([...scan.found].sort(), ['data.drop', 'elem.drop', 'memory.grow', 'ref.func', 'table.grow']);
});

test('scanCode() has each edit at its bytes, and no body without one', () => {
  // Function 1 grows the memory, then fills it.
  const layout = readLayout(
    moduleOf({
      bodies: [
        bodyOf(0, [], 0),
        [0, 0x41, 1, 0x40, 0, 0x1a, 0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 11, 0, 0x0b],
        bodyOf(1, [0x01], 3),
      ],
    }),
  );
  const scan = scanCode(layout);
  assert.equal(scan.bodies.length, 1);
  const [body] = scan.bodies;
  assert.ok(body !== undefined);
  assert.deepEqual([body.firstEdit, body.endEdit, scan.edits.count], [0, 2, 2]);
  assert.deepEqual([body.contentStart - body.start, body.end - body.contentStart], [1, 16]);
  const edits = [0, 1].map((number) => scan.edits.at(number));
  assert.deepEqual(
    edits.map(({ instruction, start, end, immediate }) => [
      instruction,
      start - body.contentStart,
      end - body.contentStart,
      immediate,
    ]),
    [
      ['memory.grow', 3, 5, 0],
      ['memory.fill', 12, 15, 0],
    ],
  );
});

/** What is rewritten: whatever grows, drops, changes a table, or may take long; and a tail call. */
const EDITED: readonly (readonly [instruction: string, bytes: readonly number[]])[] = [
  ['memory.grow', [0x40, 0]],
  ['memory.init', [0xfc, 8, 0, 0]],
  ['data.drop', [0xfc, 9, 0]],
  ['memory.copy', [0xfc, 10, 0, 0]],
  ['memory.fill', [0xfc, 11, 0]],
  ['table.init', [0xfc, 12, 0, 0]],
  ['elem.drop', [0xfc, 13, 0]],
  ['table.copy', [0xfc, 14, 0, 0]],
  ['table.grow', [0xfc, 15, 0]],
  ['table.fill', [0xfc, 17, 0]],
  ['table.set', [0x26, 0]],
  ['tail-call', [0x12, 0]],
];

test('scanCode() has an edit for each instruction that is rewritten, and for no other, however many there are', () => {
  const others = [0xd2, 0, 0xfd, 77, 0xfc, 16, 0, 0x10, 0];
  const content = [0, ...others, ...EDITED.flatMap(([, bytes]) => bytes), ...others, 0x0b];
  const bodies = Array.from({ length: 40 }, () => content);
  const { edits } = scanCode(readLayout(moduleOf({ bodies })));
  assert.equal(edits.count, bodies.length * EDITED.length);
  for (let number = 0; number < edits.count; number++) {
    const [instruction, bytes] = EDITED[number % EDITED.length] as (typeof EDITED)[number];
    const edit = edits.at(number);
    assert.deepEqual([edit.instruction, edit.end - edit.start], [instruction, bytes.length]);
  }
});

/** Functions that the element section of these bytes refers to. */
function referredBy(...segment: readonly number[]): readonly number[] {
  return scanCode(readLayout(new Uint8Array(Buffer.concat([HEADER, section(9, [1, ...segment])])))).referenced;
}

const AT_ZERO = [0x41, 0, 0x0b];
const REF_2 = [0xd2, 2, 0x0b];
const REF_7 = [0xd2, 7, 0x0b];

/** The eight forms of an element segment. Source: core spec, section 5.5.12. */
const FORMS: readonly (readonly [form: number, bytes: readonly number[]])[] = [
  [0, [0, ...AT_ZERO, 2, 7, 2]],
  [1, [1, 0, 2, 7, 2]],
  [2, [2, 0, ...AT_ZERO, 0, 2, 7, 2]],
  [3, [3, 0, 2, 7, 2]],
  [4, [4, ...AT_ZERO, 2, ...REF_7, ...REF_2]],
  [5, [5, 0x70, 2, ...REF_7, ...REF_2]],
  [6, [6, 0, ...AT_ZERO, 0x70, 2, ...REF_7, ...REF_2]],
  [7, [7, 0x64, 0x70, 2, ...REF_7, ...REF_2]],
];

for (const [form, bytes] of FORMS) {
  test(`scanCode() finds the functions of an element segment of form ${form}, in order`, () => {
    assert.deepEqual(referredBy(...bytes), [2, 7]);
  });
}

test('scanCode() takes typed references among locals', () => {
  const scan = scanCode(readLayout(moduleOf({ bodies: [[1, 2, 0x63, 0x70, 0x40, 0, 0x0b].toSpliced(4, 0, 0x41, 0)] })));
  assert.deepEqual(scan.grownMemories, [0]);
});

test('scanCode() refuses a body that is cut off', () => {
  const code = section(10, [1, ...leb(9), 0, 0x0b]);
  const bytes = new Uint8Array(Buffer.concat([HEADER, section(1, [1, 0x60, 0, 0]), section(3, [1, 0]), code]));
  assert.throws(() => scanCode(readLayout(bytes)), {
    key: 'MODULE_INVALID',
    fields: { detail: 'a function body is cut off', offset: bytes.length - 3 },
  });
});

test('scanValid() has V8 say what is wrong, where it is not too complex to ask', async () => {
  const wrong = await assemble('(module (func (result i32) (i32.const 1)))');
  // Of i32.const 1 the type is left as f32.const would need it.
  wrong[wrong.indexOf(0x41, 20)] = 0x42;
  const layout = readLayout(wrong);
  assert.throws(() => scanValid(layout, { name: 'core module 3' }), /core module 3: .*type error/);
  assert.throws(() => scanValid(layout), /type error/);
  const right = readLayout(await assemble('(module (func (result i32) (i32.const 1)))'));
  assert.deepEqual(scanValid(right).bodies, []);
});
