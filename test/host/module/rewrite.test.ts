/** What the rewriting adds, by name, and what of it tells that a guest changed something hidden. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { resolveLimits, type Limits } from '../../../host/limits.ts';
import { GrowthBudget } from '../../../host/module/growth-budget.ts';
import { canShadowTables, instrument } from '../../../host/module/instrument.ts';
import { readLayout } from '../../../host/module/layout.ts';
import { rewriteModule } from '../../../host/module/rewrite.ts';
import { scanCode } from '../../../host/module/scan.ts';
import { WASM_PAGE_BYTES } from '../../../host/wasm-page.ts';
import { assemble } from '../../wat.ts';
import { HEADER, section } from './binary-module.ts';

const PREFIX = 'nebula:';
const START = '(func (export "_start"))';

/** Names of what was added, without their prefix, in order of the alphabet. */
async function addedTo(fields: string): Promise<string[]> {
  const { bytes } = rewriteModule(await assemble(`(module ${START} ${fields})`), resolveLimits());
  const names = WebAssembly.Module.exports(new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>)).map(
    ({ name }) => name,
  );
  return names.flatMap((name) => (name.startsWith(PREFIX) ? [name.slice(PREFIX.length)] : [])).sort();
}

const ALWAYS = ['capture', 'dropped', 'refused', 'restore', 'tables-changed'];

const ADDED: readonly (readonly [what: string, fields: string, names: readonly string[]])[] = [
  ['nothing', '', []],
  ['a memory', '(memory 1)', ['memory']],
  ['a start function', '(func $s) (start $s)', ['start']],
  ['globals that do not change', '(global i32 (i32.const 1)) (global f32 (f32.const 1))', []],
  ['integers', '(global (mut i32) (i32.const 1)) (global (mut i64) (i64.const 1))', ['global0', 'global1']],
  [
    'floats and a vector, whose bits JavaScript would not keep',
    '(global (mut f32) (f32.const 1)) (global (mut f64) (f64.const 1)) (global (mut v128) (v128.const i64x2 1 2))',
    ['0:get0', '0:set', '1:get0', '1:set', '2:get0', '2:get1', '2:set'].map((name) => `global${name}`),
  ],
  [
    'a global reference, with the functions that it may refer to',
    '(global (mut funcref) (ref.null func)) (func $f) (func $g) (elem declare func $g)',
    ['function2', 'global0'],
  ],
  ['a table that nothing changes', '(table 1 funcref) (func $f) (elem (i32.const 0) $f)', []],
  [
    'tables that change, with the functions that are referred to',
    `(table $a 1 funcref) (table $b 1 externref) (func $f) (elem (i32.const 0) $f)
      (func (table.set $b (i32.const 0) (ref.null extern)))`,
    ['capture-tables', 'function1', 'restore-tables', 'table0', 'table1'],
  ],
  [
    'segments that are dropped, and not the others',
    '(memory 1) (data "k") (data $d "x") (elem func) (elem func) (elem $e func) (func (data.drop $d) (elem.drop $e))',
    ['drop-data1', 'drop-element2', 'dropped-data1', 'dropped-element2', 'memory'],
  ],
];

for (const [what, fields, names] of ADDED) {
  test(`rewriteModule() adds what it takes to put back ${what}, and no more`, async () => {
    assert.deepEqual(await addedTo(fields), [...ALWAYS, ...names].sort());
  });
}

type Exports = Readonly<Record<string, (...values: (number | bigint)[]) => number | bigint>>;

async function rewritten(fields: string, limits: Partial<Limits> = {}): Promise<Exports> {
  const { bytes } = rewriteModule(await assemble(`(module ${START} ${fields})`), resolveLimits(limits));
  return new WebAssembly.Instance(new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>)).exports as Exports;
}

const flagOf = (guest: Exports, name: string): number =>
  (guest[`nebula:${name}`] as unknown as { value: number }).value;

/** What is dropped or changed: 1 for a segment, 2 for a table. */
const CHANGES: readonly (readonly [instruction: string, restored: number, flags: Readonly<Record<string, number>>])[] =
  [
    ['nop', 0, {}],
    ['(data.drop $d)', 1, { 'dropped-data0': 1 }],
    ['(elem.drop $e)', 1, { 'dropped-element1': 1 }],
    ['(table.set $t (i32.const 0) (ref.null func))', 2, { 'tables-changed': 1 }],
    ['(table.fill $t (i32.const 0) (ref.null func) (i32.const 0))', 2, { 'tables-changed': 1 }],
    ['(table.copy $t $t (i32.const 0) (i32.const 0) (i32.const 0))', 2, { 'tables-changed': 1 }],
    ['(table.init $t $e (i32.const 0) (i32.const 0) (i32.const 0))', 2, { 'tables-changed': 1 }],
    ['(drop (table.grow $t (ref.null func) (i32.const 0)))', 2, { 'tables-changed': 1 }],
    ['(table.set $t (i32.const 0) (ref.null func)) (data.drop $d)', 3, { 'tables-changed': 1, 'dropped-data0': 1 }],
  ];

// All of the instructions are in each of the modules, so that each has all of the flags.
const ALL = CHANGES.map(([instruction], at) => `(func (export "change${at}") ${instruction})`).join(' ');

test('rewriteModule() tells of each run which segments it dropped and whether it changed a table', async () => {
  for (const [at, [instruction, restored, flags]] of CHANGES.entries()) {
    const guest = await rewritten(
      `(memory 1) (table $t 1 4 funcref) (data $d "x") (func $f) (elem (i32.const 0) $f) (elem $e func $f) ${ALL}`,
    );
    guest['nebula:capture']?.();
    guest['nebula:capture-tables']?.();
    guest[`change${at}`]?.();
    for (const name of ['dropped-data0', 'dropped-element1', 'tables-changed']) {
      assert.equal(flagOf(guest, name), flags[name] ?? 0, `${name} after ${instruction}`);
    }
    assert.equal(flagOf(guest, 'dropped'), restored & 1);
    assert.equal(guest['nebula:restore']?.(), restored, instruction);
    guest['nebula:restore-tables']?.();
    assert.equal(guest['nebula:restore']?.(), restored & 1, 'a table that was put back is changed no more');
  }
});

test('rewriteModule() tells of a memory that was refused more, until the next capture', async () => {
  const guest = await rewritten('(memory 1) (func (export "grow") (result i32) (memory.grow (i32.const 1)))', {
    memoryBytes: 2 * WASM_PAGE_BYTES,
  });
  assert.deepEqual([guest['grow']?.(), flagOf(guest, 'refused')], [1, 0]);
  assert.deepEqual([guest['grow']?.(), flagOf(guest, 'refused')], [-1, 1]);
  guest['nebula:capture']?.();
  assert.equal(flagOf(guest, 'refused'), 0);
});

test('rewriteModule() names its steps, and the module by the bytes that it was given', async () => {
  const bytes = await assemble(`(module ${START})`);
  const steps: string[] = [];
  const { digest, info } = rewriteModule(bytes, resolveLimits(), { tell: (step) => steps.push(step) });
  assert.deepEqual(steps, ['reading', 'scanning', 'rewriting']);
  assert.equal(digest, createHash('sha256').update(bytes).digest('hex'));
  assert.equal(info.entry, '_start');
});

// The table of functions that take from the budget is the first where a module has none.
test('instrument() has the only memory of an instance without tables take from the budget it shares', async () => {
  const layout = readLayout(
    await assemble('(module (memory 1) (func (export "grow") (result i32) (memory.grow (i32.const 1))))'),
  );
  const bytes = instrument(layout, scanCode(layout), {
    memoryPages: 100,
    tableElements: 100,
    isShared: true,
    isSized: false,
  });
  const budget = new GrowthBudget(3, 0);
  const make = (): Exports => {
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes));
    budget.connect(instance);
    return instance.exports as Exports;
  };
  const [one, other] = [make(), make()];
  assert.deepEqual([one['grow']?.(), other['grow']?.(), one['grow']?.()], [1, 1, 2]);
  assert.deepEqual([one['grow']?.(), other['grow']?.(), budget.pagesLeft], [-1, -1, 0]);
});

const canShadow = (...tables: readonly number[][]): boolean => {
  const sections = [section(1, [1, 0x60, 0, 0]), section(4, [tables.length, ...tables.flat()])];
  return canShadowTables(readLayout(new Uint8Array(Buffer.concat([HEADER, ...sections]))));
};

test('canShadowTables() is false once one table is neither of functions nor of external references', () => {
  const funcref = [0x70, 0, 1];
  const externref = [0x6f, 0, 1];
  // (ref null 0)
  const typed = [0x63, 0, 0, 1];
  assert.deepEqual([canShadow(), canShadow(funcref, externref)], [true, true]);
  assert.deepEqual([canShadow(typed), canShadow(funcref, typed), canShadow(typed, externref)], [false, false, false]);
});
