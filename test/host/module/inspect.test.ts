import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveLimits, type Limits } from '../../../host/limits.ts';
import { inspectModule, refuseOversize, type ModuleInfo, type ModuleOptions } from '../../../host/module/inspect.ts';
import { readLayout } from '../../../host/module/layout.ts';
import { scanCode } from '../../../host/module/scan.ts';
import { WASM_PAGE_BYTES } from '../../../host/wasm-page.ts';
import { assemble } from '../../wat.ts';
import { HEADER, section } from './binary-module.ts';

async function inspect(wat: string, limits: Partial<Limits> = {}, options?: ModuleOptions): Promise<ModuleInfo> {
  const layout = readLayout(await assemble(wat));
  return inspectModule(layout, scanCode(layout), resolveLimits(limits), options);
}

const START = '(func (export "_start"))';

test('inspectModule() counts what a module has of its own', async () => {
  const info = await inspect(
    `(module (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))
      (memory (export "memory") 2 5) (table 1 funcref) (table 3 externref)
      (global i32 (i32.const 1)) (global (mut i32) (i32.const 1)) (global (mut f32) (f32.const 1))
      (data "x") (data (i32.const 0) "y") (func) (func $s) (start $s) ${START})`,
    { memoryBytes: 4 * WASM_PAGE_BYTES + 1 },
  );
  assert.deepEqual(info.imports, [{ module: 'wasi_snapshot_preview1', name: 'proc_exit', kind: 'function' }]);
  assert.deepEqual(info.exports, [
    { name: 'memory', kind: 'memory' },
    { name: '_start', kind: 'function', type: { parameters: [], results: [] } },
  ]);
  assert.deepEqual(info.memory, { minimumPages: 2, maximumPages: 5, limitPages: 4 });
  assert.deepEqual([info.memories, info.functions, info.tables, info.dataSegments], [1, 3, 2, 2]);
  assert.deepEqual(info.globals, { total: 3, mutable: 2 });
  assert.deepEqual([info.hasInitialize, info.hasStartFunction], [false, true]);
  assert.deepEqual([info.growsMemory, info.changesTables, info.dropsSegments], [false, false, false]);
  assert.deepEqual(info.missingImports, []);
  assert.deepEqual(info.proposals, []);
  assert.equal(info.restorable, true);
  assert.equal(info.restorableReason, 'memory, globals and tables can all be put back');
});

/** Whether code grows the memory, changes a table, drops a segment. */
async function changesOf(code: string): Promise<boolean[]> {
  const info = await inspect(
    `(module (memory 1) (table 1 funcref) (data $d "x") (elem $e func) ${START} (func ${code}))`,
  );
  return [info.growsMemory, info.changesTables, info.dropsSegments];
}

test('inspectModule() tells what the code does to hidden state', async () => {
  assert.deepEqual(await changesOf('(drop (memory.grow (i32.const 1)))'), [true, false, false]);
  assert.deepEqual(await changesOf('(table.set (i32.const 0) (ref.null func))'), [false, true, false]);
  assert.deepEqual(await changesOf('(data.drop $d)'), [false, false, true]);
  assert.deepEqual(await changesOf('(elem.drop $e)'), [false, false, true]);
});

test('inspectModule() names the proposals that the code uses', async () => {
  assert.deepEqual((await inspect(`(module ${START} (func (drop (v128.const i32x4 0 0 0 0))))`)).proposals, ['simd']);
  assert.deepEqual((await inspect(`(module ${START} (func $f return_call $f))`)).proposals, ['tail-call']);
  assert.deepEqual((await inspect(`(module (tag $t) ${START} (func (throw $t)))`)).proposals, ['exceptions']);
});

test('inspectModule() says why a module cannot be put back in place', async () => {
  const two = await inspect(`(module (memory 1) (memory 1) ${START})`);
  assert.deepEqual([two.restorable, two.restorableReason], [false, 'it has more than one memory']);
  assert.equal(two.memories, 2);
  assert.equal((await inspect(`(module ${START})`)).memory, null);
  assert.equal((await inspect(`(module (memory 1) ${START})`)).memory?.maximumPages, null);
});

test('inspectModule() says that a table of typed references cannot be put back', () => {
  // A table of (ref null 0), the type of a function, which function 0 sets; it is exported as "_start".
  const layout = readLayout(
    new Uint8Array(
      Buffer.concat([
        HEADER,
        section(1, [1, 0x60, 0, 0]),
        section(3, [1, 0]),
        section(4, [1, 0x63, 0, 0, 1]),
        section(7, [1, 6, ...Buffer.from('_start'), 0, 0]),
        section(10, [1, 8, 0, 0x41, 0, 0xd0, 0, 0x26, 0, 0x0b]),
      ]),
    ),
  );
  const { restorable, restorableReason } = inspectModule(layout, scanCode(layout), resolveLimits({}));
  assert.deepEqual([restorable, restorableReason], [false, 'it changes a table of typed references']);
});

test('inspectModule() gives no memory more pages than 32-bit addresses reach', async () => {
  const info = await inspect(`(module (memory 1) ${START})`, { memoryBytes: 2 ** 33 });
  assert.equal(info.memory?.limitPages, 65_536);
});

const ENTRIES: readonly (readonly [module: string, entry: string | undefined, kind: string, chosen: string])[] = [
  ['(func (export "_start"))', undefined, 'command', '_start'],
  ['(func (export "handle"))', undefined, 'reactor', 'handle'],
  ['(func (export "handle") (result i32) (i32.const 0))', undefined, 'reactor', 'handle'],
  ['(func (export "_start")) (func (export "handle"))', undefined, 'command', '_start'],
  ['(func (export "_start")) (func (export "other"))', 'other', 'reactor', 'other'],
  ['(func (export "add") (param i32))', undefined, 'library', ''],
  ['(func (export "_initialize")) (func (export "run"))', undefined, 'library', ''],
  ['(func (export "other")) (func (export "handle"))', '_start', '', ''],
];

for (const [module, entry, kind, chosen] of ENTRIES) {
  test(`inspectModule() takes ${chosen || 'nothing'} of ${module}, asked for ${entry ?? 'none'}`, async () => {
    const inspected = inspect(`(module ${module})`, {}, entry === undefined ? {} : { entry });
    if (kind === '') {
      await assert.rejects(inspected, {
        key: 'NO_ENTRY',
        fields: { expected: '"_start" of type () -> () or () -> i32', exports: '"other", "handle"' },
      });
    } else {
      const info = await inspected;
      assert.deepEqual([info.kind, info.entry], [kind, chosen]);
    }
  });
}

const NO_ENTRIES: readonly (readonly [module: string, exports: string])[] = [
  ['', 'no function'],
  ['(memory (export "handle") 1)', 'no function'],
  ['(func (export "_initialize"))', '"_initialize"'],
  ['(func (export "add")) (func (export "handle") (param i32))', '"add", "handle"'],
  ['(func (export "_start") (result i32) (i32.const 0))', '"_start"'],
  ['(func (export "handle") (param i32))', '"handle"'],
  ['(func (export "handle") (result i64) (i64.const 0))', '"handle"'],
  ['(func (export "handle") (result i32 i32) (i32.const 0) (i32.const 0))', '"handle"'],
];

for (const [module, exports] of NO_ENTRIES) {
  test(`inspectModule() finds no entry in (module ${module})`, async () => {
    await assert.rejects(inspect(`(module ${module})`), {
      key: 'NO_ENTRY',
      fields: { expected: '"_start" or "handle" of type () -> () or () -> i32', exports },
    });
  });
}

test('inspectModule() tells the types of exported functions, and which values are none that a caller could give', async () => {
  const { exports } = await inspect(
    `(module (func (export "f") (param i32 i64 f32 f64 v128) (result funcref externref) unreachable))`,
  );
  const parameters = ['i32', 'i64', 'f32', 'f64', 'v128'];
  assert.deepEqual(exports, [{ name: 'f', kind: 'function', type: { parameters, results: ['funcref', 'externref'] } }]);
});

test('inspectModule() tells a reactor that is to be initialised', async () => {
  const info = await inspect('(module (func (export "_initialize")) (func (export "handle")))');
  assert.deepEqual([info.kind, info.hasInitialize, info.hasStartFunction], ['reactor', true, false]);
  assert.equal((await inspect(`(module (memory (export "_initialize") 1) ${START})`)).hasInitialize, false);
});

test('inspectModule() refuses imports that nobody has, with what they are and should be', async () => {
  const wat = `(module (import "env" "f" (func (param i32 i64 f32 f64 v128 funcref) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func (param i64))) (import "wasi_unstable" "proc_exit" (func (param i32)))
    (import "env" "m" (memory 1)) ${START})`;
  await assert.rejects(inspect(wat), {
    key: 'UNKNOWN_IMPORT',
    fields: {
      count: 3,
      imports: 'env.f (function), wasi_snapshot_preview1.proc_exit (function I>, expected i>), env.m (memory)',
    },
  });
});

const missing = (type: string): string => `(module (import "env" "f" (func ${type})) ${START})`;

test('inspectModule() links functions to a trap where it may, all but those that JavaScript cannot call', async () => {
  for (const type of ['', '(param i32 i64 f32 f64 funcref externref) (result f64)']) {
    const info = await inspect(missing(type), {}, { missingImports: 'trap' });
    assert.deepEqual(info.missingImports, [{ module: 'env', name: 'f' }], type);
  }
  for (const type of ['(param v128)', '(result v128)']) {
    await assert.rejects(inspect(missing(type), {}, { missingImports: 'trap' }), { key: 'UNKNOWN_IMPORT' });
  }
  await assert.rejects(inspect(missing('')), {
    key: 'UNKNOWN_IMPORT',
    fields: { count: 1, imports: 'env.f (function)' },
  });
});

test('inspectModule() refuses exports under the prefix of what the rewriting adds', async () => {
  await assert.rejects(inspect(`(module ${START} (func (export "nebula:x")))`), {
    key: 'MODULE_UNSUPPORTED',
    fields: { feature: 'the export "nebula:x", whose prefix "nebula:" is reserved' },
  });
  assert.equal((await inspect(`(module ${START} (func (export "a-nebula:x")))`)).exports.length, 2);
});

test('refuseOversize() refuses more than the limits, and not the limits', () => {
  const limits = resolveLimits({ memoryBytes: 3 * WASM_PAGE_BYTES, tableElements: 10 });
  refuseOversize({ memoryPages: 3, tableElements: 10 }, limits);
  assert.throws(() => refuseOversize({ memoryPages: 4, tableElements: 10 }, limits), {
    key: 'MEMORY_MINIMUM',
    fields: { minimumBytes: 4 * WASM_PAGE_BYTES, limitBytes: 3 * WASM_PAGE_BYTES },
  });
  assert.throws(() => refuseOversize({ memoryPages: 3, tableElements: 11 }, limits), {
    key: 'TABLE_MINIMUM',
    fields: { minimum: 11, limit: 10 },
  });
});
