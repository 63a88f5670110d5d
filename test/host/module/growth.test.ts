/** All memories of a micro-VM have one budget, and all its tables another: exactly, whoever grows what in which order. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { GrowthBudget } from '../../../host/module/growth-budget.ts';
import { GROWTH_BUDGET } from '../../../host/module/growth.ts';
import { prepareModule } from '../../../host/preparation/module.ts';
import { resolveLimits } from '../../../host/limits.ts';
import { assemble } from '../../wat.ts';
import { define, deploy } from '../function.ts';
import { WASM_PAGE_BYTES } from '../../../host/wasm-page.ts';

const KINDS = [
  { kind: 'table', minimum: 2, maximum: Infinity, type: 'funcref', nothing: '(ref.null func)' },
  { kind: 'table', minimum: 3, maximum: 9, type: 'externref', nothing: '(ref.null extern)' },
  { kind: 'table', minimum: 0, maximum: Infinity, type: 'externref', nothing: '(ref.null extern)' },
] as const;
const BUDGETED = 20;

/** A module with an export that grows each of its tables. */
const GROWING = `(module (func (export "_start"))
  ${KINDS.map(({ minimum, maximum, type }, at) => `(table $t${at} ${minimum} ${maximum === Infinity ? '' : maximum} ${type})`).join('\n')}
  ${KINDS.map(({ nothing }, at) => `(func (export "grow${at}") (param i32) (result i32) (table.grow $t${at} ${nothing} (local.get 0)))`).join('\n')})`;

interface Model {
  readonly sizes: number[];
  readonly maxima: readonly number[];
  readonly cap: number;
}

/** What `table.grow` and `memory.grow` answer where all sizes together have one budget. */
function grow({ sizes, maxima, cap }: Model, at: number, by: number): number {
  const size = sizes[at] as number;
  const total = sizes.reduce((sum, each) => sum + each, 0);
  if (size + by > (maxima[at] as number) || total + by > cap) return -1;
  sizes[at] = size + by;
  return size;
}

const DELTAS = fc.oneof(fc.nat(4), fc.constantFrom(0, 11, 12, 20, 21, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1));
const STEPS = fc.array(fc.tuple(fc.nat(KINDS.length - 1), DELTAS), { maxLength: 25 });

test('instrument() keeps all tables of a module within one budget, exactly', async () => {
  const limits = resolveLimits({ tableElements: BUDGETED });
  const { compiled } = await prepareModule(await assemble(GROWING), limits);
  let refused = 0;
  fc.assert(
    fc.property(STEPS, (steps) => {
      const { exports } = new WebAssembly.Instance(compiled);
      const model = {
        sizes: KINDS.map(({ minimum }) => minimum),
        maxima: KINDS.map(({ maximum }) => maximum),
        cap: BUDGETED,
      };
      for (const [at, by] of steps) {
        const expected = grow(model, at, by);
        if (expected === -1) refused++;
        assert.equal((exports[`grow${at}`] as (by: number) => number)(by), expected, `grow${at}(${by})`);
      }
    }),
  );
  assert.ok(refused > 50, `${refused} refusals`);
});

/** Memories of one module: V8 12 and newer. */
const SEVERAL =
  '(module (memory $a (export "memory") 1) (memory $b 2 5) (memory $c 0) (func (export "_start"))' +
  ['$a', '$b', '$c']
    .map((name, at) => `(func (export "grow${at}") (param i32) (result i32) (memory.grow ${name} (local.get 0)))`)
    .join('') +
  ')';
const severalMemories = await assemble(SEVERAL);
const skip = WebAssembly.validate(severalMemories) ? false : 'V8 takes one memory a module';

test('instrument() keeps all memories of a module within one budget, exactly', { skip }, async () => {
  const { compiled, info } = await prepareModule(
    severalMemories,
    resolveLimits({ memoryBytes: BUDGETED * WASM_PAGE_BYTES }),
  );
  assert.equal(info.memories, 3);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(2), DELTAS), { maxLength: 20 }), (steps) => {
      const { exports } = new WebAssembly.Instance(compiled);
      const model = { sizes: [1, 2, 0], maxima: [Infinity, 5, Infinity], cap: BUDGETED };
      for (const [at, by] of steps) {
        assert.equal((exports[`grow${at}`] as (by: number) => number)(by), grow(model, at, by), `grow${at}(${by})`);
      }
    }),
    { numRuns: 30 },
  );
});

test('MicroVm.usage() counts all memories of a module', { skip }, async () => {
  const guest = await deploy(severalMemories);
  guest.run();
  assert.equal(guest.vm.usage().memoryBytes, 3 * WASM_PAGE_BYTES);
  assert.equal(guest.vm.memories.length, 3);
});

test('instrument() stops a table that alone can grow at what the others leave, by its maximum', async () => {
  const wat = `(module (table $a 3 funcref) (table $b 2 funcref) (func (export "_start"))
    (func (export "grow") (param i32) (result i32) (table.grow $b (ref.null func) (local.get 0))))`;
  const { compiled } = await prepareModule(await assemble(wat), resolveLimits({ tableElements: 10 }));
  const { grow: byCode } = new WebAssembly.Instance(compiled).exports as { grow: (by: number) => number };
  assert.deepEqual([byCode(6), byCode(5), byCode(1)], [-1, 2, -1]);
});

test('prepareModule() refuses tables and memories that together begin with more than their limits', async () => {
  const tables = '(module (table 400 funcref) (table 400 externref) (table 201 funcref) (func (export "_start")))';
  await assert.rejects(define(tables, { limits: { tableElements: 1000 } }), {
    code: 'ERR_NEBULA_TABLE_MINIMUM',
    fields: { minimum: 1001, limit: 1000 },
  });
  await define(tables, { limits: { tableElements: 1001 } });
});

test('prepareModule() refuses memories that together begin with more than the limit', { skip }, async () => {
  await assert.rejects(define(severalMemories, { limits: { memoryBytes: 2 * WASM_PAGE_BYTES } }), {
    code: 'ERR_NEBULA_MEMORY_MINIMUM',
    fields: { minimumBytes: 3 * WASM_PAGE_BYTES, limitBytes: 2 * WASM_PAGE_BYTES },
  });
});

test('GrowthBudget takes what an instance begins with as a whole, or nothing', () => {
  const budget = new GrowthBudget(10, 20);
  assert.equal(budget.take(4, 21), false);
  assert.equal(budget.take(11, 0), false);
  assert.deepEqual([budget.pagesLeft, budget.elementsLeft], [10, 20]);
  assert.equal(budget.take(4, 20), true);
  assert.deepEqual([budget.pagesLeft, budget.elementsLeft], [6, 0]);
});

test('MicroVm.run() counts what a snapshot brought along: the budget of tables goes on from there', async () => {
  const wat = `(module (memory (export "memory") 1) (table $a 1 funcref) (table $b 1 externref)
    (func (export "_initialize") (drop (table.grow $a (ref.null func) (i32.const 5))))
    (func (export "handle") (result i32)
      (i32.add (i32.mul (i32.const 100) (table.grow $b (ref.null extern) (i32.const 4)))
        (table.grow $b (ref.null extern) (i32.const 3)))))`;
  const guest = await deploy(wat, { limits: { tableElements: 10 } });
  // -1 of the first, then 1: three are left.
  assert.deepEqual(guest.run(), { kind: 'exit', exitCode: -99 });
  guest.vm.close();
});

test('GrowthBudget.connect() leaves an instance alone that cannot grow', async () => {
  const { compiled } = await prepareModule(await assemble('(module (func (export "_start")))'), resolveLimits());
  const instance = new WebAssembly.Instance(compiled);
  assert.equal(instance.exports[GROWTH_BUDGET], undefined);
  new GrowthBudget(1, 1).connect(instance);
});
