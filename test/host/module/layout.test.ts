import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TYPE } from '../../../host/module/encoding.ts';
import { readLayout, type ModuleLayout } from '../../../host/module/layout.ts';
import { assemble } from '../../wat.ts';
import { HEADER, section } from './binary-module.ts';

const binary = (...sections: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat([HEADER, ...sections]));
const layoutOf = async (wat: string): Promise<ModuleLayout> => readLayout(await assemble(wat));
const unsupported = (feature: string): object => ({ key: 'MODULE_UNSUPPORTED', fields: { feature } });

test('readLayout() tells types, imports by kind, and the indices that come first', async () => {
  const layout = await layoutOf(
    `(module (type (func (param i64 f32) (result f64)))
      (import "a" "f" (func (type 0))) (import "a" "g" (global i32)) (import "b" "m" (memory 1 3))
      (import "b" "t" (table 2 externref)) (import "b" "h" (func))
      (func (result i32) (i32.const 1)))`,
  );
  assert.deepEqual(layout.types.slice(0, 2), [
    { parameters: [TYPE.i64, TYPE.f32], results: [TYPE.f64] },
    { parameters: [], results: [] },
  ]);
  assert.deepEqual(
    layout.imports.map(({ module, name, kind }) => `${module}.${name} ${kind}`),
    ['a.f function', 'a.g global', 'b.m memory', 'b.t table', 'b.h function'],
  );
  assert.deepEqual(layout.imports[0]?.type, layout.types[0]);
  assert.equal(layout.imports[1]?.type, undefined);
  const { importedFunctions, importedGlobals, importedMemories, importedTables, functionTypes } = layout;
  assert.deepEqual([importedFunctions, importedGlobals, importedMemories, importedTables], [2, 1, 1, 1]);
  assert.deepEqual([...functionTypes], [0, 1, 2]);
});

test('readLayout() tells tables, memories, globals, exports and the start function', async () => {
  const layout = await layoutOf(
    `(module (table 2 funcref) (table 1 9 externref) (memory 1) (memory 2 5)
      (global i32 (i32.const 3)) (global $g (mut f64) (f64.const 1))
      (func $s) (start $s) (export "memory" (memory 1)) (export "g" (global $g)) (export "s" (func $s)))`,
  );
  assert.deepEqual(
    layout.tables.map(({ minimum, maximum }) => [minimum, maximum]),
    [
      [2, undefined],
      [1, 9],
    ],
  );
  assert.deepEqual(
    layout.memories.map(({ minimum, maximum }) => [minimum, maximum]),
    [
      [1, undefined],
      [2, 5],
    ],
  );
  assert.deepEqual(
    layout.globals.map(({ type, mutable }) => [type, mutable]),
    [
      [TYPE.i32, false],
      [TYPE.f64, true],
    ],
  );
  assert.deepEqual(layout.exports, [
    { name: 'memory', kind: 'memory', index: 1 },
    { name: 'g', kind: 'global', index: 1 },
    { name: 's', kind: 'function', index: 0 },
  ]);
  assert.equal(layout.start, 0);
  assert.deepEqual([layout.dataSegments, layout.elementSegments], [0, 0]);
});

test('readLayout() has the places of tables and globals in the binary, byte by byte', () => {
  // Two globals: an i32 of 5; a mutable i64 of -1.
  const globals = section(6, [2, 0x7f, 0, 0x41, 5, 0x0b, 0x7e, 1, 0x42, 0x7f, 0x0b]);
  const tables = section(4, [1, 0x70, 1, 3, 7]);
  const layout = readLayout(binary(tables, globals));
  const [first, second] = layout.globals;
  const at = HEADER.length + tables.length + 3;
  assert.deepEqual([first?.start, first?.end, second?.start, second?.end], [at, at + 5, at + 5, at + 10]);
  const table = layout.tables[0];
  const from = HEADER.length + 3;
  assert.deepEqual(
    [table?.start, table?.limitsStart, table?.limitsEnd, table?.end],
    [from, from + 1, from + 4, from + 4],
  );
});

test('readLayout() notes the functions that initial values refer to', () => {
  // A table of two elements that are all function 4; a global that is function 3; one that is null; sums of constants.
  const table = section(4, [1, 0x40, 0, 0x64, 0x70, 0, 2, 0xd2, 4, 0x0b]);
  const globals = section(
    6,
    [4, 0x70, 0, 0xd2, 3, 0x0b, 0x70, 0, 0xd0, 0x70, 0x0b],
    [0x7f, 0, 0x41, 1, 0x23, 0, 0x6a, 0x41, 0x80, 0x01, 0x6c, 0x0b],
    [0x7e, 0, 0x42, 1, 0x42, 2, 0x7c, 0x42, 3, 0x7e, 0x0b],
  );
  const layout = readLayout(binary(table, globals));
  assert.deepEqual(layout.referenced, [4, 3]);
  assert.equal(layout.globals.length, 4);
  const { start, limitsStart, limitsEnd, end } = layout.tables[0] as (typeof layout.tables)[number];
  assert.deepEqual([limitsStart - start, limitsEnd - limitsStart, end - limitsEnd], [4, 2, 3]);
});

test('readLayout() passes over constants of every type', () => {
  const globals = section(
    6,
    [3, 0x7d, 0, 0x43, 0, 0, 0x80, 0x3f, 0x0b, 0x7c, 0, 0x44, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x0b],
    [0x7b, 0, 0xfd, 12, ...Array.from({ length: 16 }, () => 0x0b), 0x0b],
  );
  assert.deepEqual(
    readLayout(binary(globals)).globals.map(({ type, start, end }) => [type, end - start]),
    [
      [TYPE.f32, 8],
      [TYPE.f64, 12],
      [TYPE.v128, 21],
    ],
  );
});

test('readLayout() tells custom sections by their names, and counts segments', () => {
  const layout = readLayout(
    binary(section(0, [4, ...Buffer.from('name'), 1, 2]), section(9, [3]), section(11, [2]), section(13, [1, 0, 6])),
  );
  assert.deepEqual(
    layout.sections.map(({ id, name }) => [id, name]),
    [
      [0, 'name'],
      [9, undefined],
      [11, undefined],
      [13, undefined],
    ],
  );
  const [custom] = layout.sections;
  assert.deepEqual([custom?.start, custom?.end], [10, 17]);
  assert.deepEqual([layout.elementSegments, layout.dataSegments, layout.tags], [3, 2, [6]]);
});

const REFUSED: readonly (readonly [what: string, sections: readonly Uint8Array[], expected: object])[] = [
  ['a struct type', [section(1, [1, 0x5f, 0])], unsupported('garbage-collected types')],
  ['a memory of 64-bit addresses', [section(5, [1, 4, 1])], unsupported('memory64')],
  ['a shared memory', [section(5, [1, 3, 1, 1])], unsupported('threads (a shared memory)')],
  [
    'a vector instruction that is no constant',
    [section(6, [1, 0x7b, 0, 0xfd, 13, 0x0b])],
    unsupported('a vector instruction in a constant expression'),
  ],
  ['a struct as an initial value', [section(6, [1, 0x6e, 0, 0xfb, 0, 0x0b])], unsupported('garbage-collected types')],
  [
    'a call as an initial value',
    [section(6, [1, 0x7f, 0, 0x10, 0, 0x0b])],
    { key: 'MODULE_INVALID', fields: { detail: 'instruction 0x10 in a constant expression', offset: 13 } },
  ],
  [
    'an i32.div in an initial value',
    [section(6, [1, 0x7f, 0, 0x6d, 0x0b])],
    { key: 'MODULE_INVALID', fields: { detail: 'instruction 0x6d in a constant expression', offset: 13 } },
  ],
  [
    'an export of a kind that is none',
    [section(7, [1, 1, 0x61, 5, 0])],
    { key: 'MODULE_INVALID', fields: { detail: 'an unknown external kind 5', offset: 13 } },
  ],
  [
    'a section that is cut off',
    [section(1, [0]).subarray(0, 1), Buffer.from([9])],
    { key: 'MODULE_INVALID', fields: { detail: 'section 1 of 9 bytes is cut off', offset: 8 } },
  ],
];

for (const [what, sections, expected] of REFUSED) {
  test(`readLayout() refuses ${what}`, () => {
    assert.throws(() => readLayout(binary(...sections)), expected);
  });
}

const HEADERS: readonly (readonly [bytes: readonly number[], detail: string, offset: number])[] = [
  [[], 'this is not WebAssembly: expected the magic bytes 00 61 73 6d, got nothing', 0],
  [[0, 0x61, 0x73], 'this is not WebAssembly: expected the magic bytes 00 61 73 6d, got 00 61 73', 0],
  [[0, 0x61, 0x73, 0x6e], 'this is not WebAssembly: expected the magic bytes 00 61 73 6d, got 00 61 73 6e', 0],
  [[1, 0x61, 0x73, 0x6d], 'this is not WebAssembly: expected the magic bytes 00 61 73 6d, got 01 61 73 6d', 0],
  [[0, 0x61, 0x73, 0x6d, 1, 0, 0], 'the module ends inside its header', 7],
  [[0, 0x61, 0x73, 0x6d, 0, 1, 0, 0], 'an unknown binary version: expected 1, got 256', 4],
  [[0, 0x61, 0x73, 0x6d, 1, 0, 2, 0], 'an unknown binary version: expected 1, got 1', 4],
];

for (const [bytes, detail, offset] of HEADERS) {
  test(`readLayout() refuses a header of ${bytes.join(' ') || 'no bytes'}`, () => {
    assert.throws(() => readLayout(Uint8Array.from(bytes)), { key: 'MODULE_INVALID', fields: { detail, offset } });
  });
}

test('readLayout() refuses a component by name', () => {
  assert.throws(
    () => readLayout(Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0)),
    unsupported('the component model (this is a component, not a core module)'),
  );
});
