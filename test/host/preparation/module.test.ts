import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isNebulaError, type NebulaError } from '../../../host/errors.ts';
import { resolveLimits, type Limits } from '../../../host/limits.ts';
import { prepareModule } from '../../../host/preparation/module.ts';
import { assemble } from '../../wat.ts';
import { deploy, guestModule } from '../function.ts';

const START = '(func (export "_start"))';

async function refusalOf(
  module: Uint8Array | string,
  limits: Partial<Limits> = {},
  entry?: string,
): Promise<NebulaError> {
  const bytes = typeof module === 'string' ? await assemble(module) : module;
  try {
    await prepareModule(bytes, resolveLimits(limits), entry === undefined ? {} : { entry });
  } catch (error) {
    assert.ok(isNebulaError(error), `expected a NebulaError, got ${String(error)}`);
    assert.doesNotMatch(error.message, /\{\w+\}/, 'a placeholder is left empty');
    return error;
  }
  throw assert.fail('the module was accepted');
}

test('prepareModule() refuses what is not WebAssembly and names the magic bytes', async () => {
  const others: readonly (readonly [Uint8Array, string])[] = [
    [Buffer.from('#!/bin/sh\n'), '23 21 2f 62'],
    [new Uint8Array(64), '00 00 00 00'],
    [Buffer.from('\u007fEL'), '7f 45 4c'],
    [new Uint8Array(), 'nothing'],
  ];
  for (const [bytes, got] of others) {
    const refusal = await refusalOf(new Uint8Array(bytes));
    assert.equal(refusal.key, 'MODULE_INVALID');
    assert.ok(refusal.message.endsWith(`expected the magic bytes 00 61 73 6d, got ${got} at byte 0`), refusal.message);
  }
});

test('prepareModule() refuses a module that is truncated at any byte', async () => {
  const whole = await assemble(
    `(module (import "wasi_snapshot_preview1" "proc_exit" (func (param i32))) (memory (export "memory") 1)
      (table 2 funcref) (global $g (mut f64) (f64.const 1)) (elem (i32.const 0) $f) (data $d (i32.const 8) "text")
      (func $f (result i32) (data.drop $d) (memory.grow (i32.const 1))) ${START})`,
  );
  await prepareModule(whole, resolveLimits());
  for (let end = 0; end < whole.length; end++) {
    const refusal = await refusalOf(whole.slice(0, end));
    // Cut between two sections it may still be a module, but one without an entry.
    assert.match(refusal.key, /^(MODULE_INVALID|NO_ENTRY)$/, `cut at ${end}: ${refusal.message}`);
  }
});

test('prepareModule() refuses a component as such', async () => {
  const refusal = await refusalOf(Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0));
  assert.equal(refusal.key, 'MODULE_UNSUPPORTED');
  assert.match(refusal.message, /component/);
});

test('prepareModule() refuses another version of the binary format', async () => {
  const refusal = await refusalOf(Uint8Array.of(0, 0x61, 0x73, 0x6d, 2, 0, 0, 0));
  assert.equal(refusal.key, 'MODULE_INVALID');
  assert.match(refusal.message, /expected 1, got 2/);
});

test('prepareModule() lists every unknown import with module, name and what is wrong', async () => {
  const refusal = await refusalOf(
    `(module (import "env" "log" (func (param i32)))
      (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "fd_teleport" (func))
      (import "wasi_snapshot_preview1" "constructor" (func))
      (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))
      (import "env" "memory" (memory 1)) (import "env" "table" (table 1 funcref))
      (import "env" "base" (global i32)) (import "env" "tag" (tag)) ${START})`,
  );
  assert.equal(refusal.key, 'UNKNOWN_IMPORT');
  assert.equal(refusal.fields['count'], 8);
  assert.equal(
    refusal.fields['imports'],
    'env.log (function), wasi_snapshot_preview1.fd_write (function iii>i, expected iiii>i), ' +
      'wasi_snapshot_preview1.fd_teleport (function), wasi_snapshot_preview1.constructor (function), ' +
      'env.memory (memory), env.table (table), env.base (global), env.tag (tag)',
  );
});

test('prepareModule() links missing functions alone, and only where it is allowed', async () => {
  const bytes = await assemble(
    `(module (import "env" "log" (func (param i32)))
      (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "constructor" (func))
      (import "env" "vector" (func (param v128)))
      (import "env" "memory" (memory 1)) (import "env" "table" (table 1 funcref))
      (import "env" "base" (global i32)) (import "env" "tag" (tag)) ${START})`,
  );
  await assert.rejects(prepareModule(bytes, resolveLimits(), { missingImports: 'trap' }), {
    key: 'UNKNOWN_IMPORT',
    fields: {
      count: 6,
      imports:
        'wasi_snapshot_preview1.fd_write (function iii>i, expected iiii>i), env.vector (function), ' +
        'env.memory (memory), env.table (table), env.base (global), env.tag (tag)',
    },
  });
  const functions = await assemble(
    `(module (import "env" "log" (func (param i32))) (import "wasi_snapshot_preview1" "constructor" (func))
      (import "wasi_snapshot_preview1" "proc_exit" (func (param i32))) ${START})`,
  );
  const { info } = await prepareModule(functions, resolveLimits(), { missingImports: 'trap' });
  assert.deepEqual(info.missingImports, [
    { module: 'env', name: 'log' },
    { module: 'wasi_snapshot_preview1', name: 'constructor' },
  ]);
  assert.equal(info.imports.length, 3);
  assert.deepEqual(
    (await prepareModule(guestModule('noop'), resolveLimits(), { missingImports: 'trap' })).info.missingImports,
    [],
  );
});

test('prepareModule() accepts every preview1 function under both namespaces', async () => {
  const prepared = await prepareModule(
    await assemble(
      `(module (import "wasi_unstable" "fd_seek" (func (param i32 i64 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "sched_yield" (func (result i32))) ${START})`,
    ),
    resolveLimits(),
  );
  assert.equal(prepared.info.imports.length, 2);
});

test('prepareModule() refuses a module without an entry and says what it exports', async () => {
  const none = await refusalOf('(module (func (export "_initialize")) (func (export "_start") (param i32)))');
  assert.equal(none.key, 'NO_ENTRY');
  assert.match(none.message, /"_start" or "handle".*got "_initialize", "_start"/);
  const named = await refusalOf('(module (func (export "main")))', {}, 'answer');
  assert.match(named.message, /"answer".*got "main"/);
  const empty = await refusalOf('(module)');
  assert.match(empty.message, /got no function/);
});

test('prepareModule() refuses an entry of another type, and a reserved export as entry', async () => {
  for (const [type, entry] of [
    ['(param i32)', undefined],
    ['(result i64)', 'handle'],
    ['(result i32 i32)', 'handle'],
    ['(param f64) (result i32)', 'handle'],
  ] as const) {
    const body = type.includes('result') ? 'unreachable' : '';
    const refusal = await refusalOf(`(module (func (export "${entry ?? '_start'}") ${type} ${body}))`, {}, entry);
    assert.equal(refusal.key, 'NO_ENTRY', type);
  }
  assert.equal((await refusalOf(`(module ${START})`, {}, 'nebula:capture')).key, 'NO_ENTRY');
});

test('prepareModule() refuses a memory minimum above the limit, in bytes', async () => {
  const refusal = await refusalOf(`(module (memory 17) ${START})`, { memoryBytes: 16 * 65_536 + 65_535 });
  assert.equal(refusal.key, 'MEMORY_MINIMUM');
  assert.deepEqual(refusal.fields, { minimumBytes: 17 * 65_536, limitBytes: 16 * 65_536 + 65_535 });
  await prepareModule(await assemble(`(module (memory 16) ${START})`), resolveLimits({ memoryBytes: 16 * 65_536 }));
});

test('prepareModule() refuses a table minimum above the limit', async () => {
  const refusal = await refusalOf(`(module (table 11 funcref) ${START})`, { tableElements: 10 });
  assert.equal(refusal.key, 'TABLE_MINIMUM');
  assert.deepEqual(refusal.fields, { minimum: 11, limit: 10 });
});

test('prepareModule() refuses memory64, shared memory and atomic instructions by name', async () => {
  const wide = await refusalOf(`(module (memory i64 1) ${START})`);
  assert.equal(wide.key, 'MODULE_UNSUPPORTED');
  assert.match(wide.message, /memory64/);
  const shared = await refusalOf(`(module (memory 1 1 shared) ${START})`);
  assert.match(shared.message, /threads/);
  const atomic = await refusalOf('(module (memory 1) (func (export "_start") (drop (i32.atomic.load (i32.const 0)))))');
  assert.match(atomic.message, /threads/);
  const imported = await refusalOf(`(module (import "env" "memory" (memory 1 1 shared)) ${START})`);
  assert.match(imported.message, /threads/);
});

test('prepareModule() refuses exports under the reserved prefix', async () => {
  const refusal = await refusalOf(`(module (memory (export "nebula:memory") 1) ${START})`);
  assert.equal(refusal.key, 'MODULE_UNSUPPORTED');
  assert.match(refusal.message, /"nebula:memory".*reserved/);
});

test('prepareModule() refuses a module larger than its limit before reading it', async () => {
  const refusal = await refusalOf(new Uint8Array(101), { moduleBytes: 100 });
  assert.equal(refusal.key, 'MODULE_TOO_LARGE');
});

test('prepareModule() refuses what V8 refuses, at the byte of the author’s file', async () => {
  const bytes = await assemble(`(module (func (export "_start") i32.const 1 drop))`);
  bytes[bytes.length - 2] = 0x6a;
  const refusal = await refusalOf(bytes);
  assert.equal(refusal.key, 'MODULE_INVALID');
  assert.match(refusal.message, /not enough arguments on the stack for i32.add.* at byte \d+$/);
});

/** Grows page by page until refused; answers 0 when that came to `grown` pages more and `pages` in all. */
const growing = (memory: string, grown: number, pages: number): string => `(module (memory (export "memory") ${memory})
  (func (export "handle") (result i32) (local $n i32)
    (loop $again (if (i32.ne (memory.grow (i32.const 1)) (i32.const -1))
      (then (local.set $n (i32.add (local.get $n) (i32.const 1))) (br $again))))
    (i32.or (i32.ne (local.get $n) (i32.const ${grown})) (i32.ne (memory.size) (i32.const ${pages})))))`;

test('memory.grow works up to the limit and answers -1 there', async () => {
  for (const [memory, memoryBytes, grown, pages] of [
    ['1', 5 * 65_536, 4, 5],
    ['1 1000', 5 * 65_536, 4, 5],
    ['2 3', 5 * 65_536, 1, 3],
    ['5', 5 * 65_536 + 100, 0, 5],
    ['0', 65_536, 1, 1],
  ] as const) {
    const guest = await deploy(growing(memory, grown, pages), { limits: { memoryBytes } });
    assert.deepEqual(guest.run(), { kind: 'ok' }, `memory ${memory}`);
    assert.equal(guest.vm.usage().memoryBytes, pages * 65_536);
    assert.equal(guest.definition.prepared.info.growsMemory, true);
  }
});

test('a guest that fails after a refused memory.grow ran out of memory', async () => {
  const memoryBytes = 3 * 65_536;
  const guest = await deploy(growing('1', 99, 99), { limits: { memoryBytes } });
  assert.deepEqual(guest.run(), { kind: 'limit', limit: 'memoryBytes', allowed: memoryBytes });
});

test('a guest that copes with a refused memory.grow ends as it says itself', async () => {
  const guest = await deploy(
    `(module (memory (export "memory") 1) (func (export "_start") (drop (memory.grow (i32.const 99)))))`,
    { limits: { memoryBytes: 65_536 } },
  );
  assert.deepEqual(guest.run(), { kind: 'ok' });
  assert.equal(guest.settle(), true);
  assert.equal(guest.vm.state.growRefused, false);
});

test('table.grow works up to the limit and answers -1 there', async () => {
  const guest = await deploy(
    `(module (table $t 2 funcref) (func (export "handle") (result i32)
      (if (i32.ne (table.grow $t (ref.null func) (i32.const 8)) (i32.const 2)) (then (return (i32.const 1))))
      (if (i32.ne (table.grow $t (ref.null func) (i32.const 1)) (i32.const -1)) (then (return (i32.const 2))))
      (i32.sub (table.size $t) (i32.const 10))))`,
    { limits: { tableElements: 10 } },
  );
  assert.deepEqual(guest.run(), { kind: 'ok' });
});

test('inspectModule() tells kind, memory, globals, proposals and what the code does to hidden state', async () => {
  const { info } = await prepareModule(
    await assemble(
      `(module (memory (export "memory") 1 9) (table 3 externref) (global (mut i32) (i32.const 0)) (global i64 (i64.const 1))
        (data $d "x") (tag $e)
        (func (export "_initialize")) (func $t (result i32) (return_call $t))
        (func (export "handle") (result i32)
          (data.drop $d) (table.set 0 (i32.const 0) (ref.null extern)) (drop (v128.const i64x2 1 2))
          try (throw $e) catch_all end (memory.size)))`,
    ),
    resolveLimits({ memoryBytes: 4 * 65_536 }),
  );
  assert.equal(info.kind, 'reactor');
  assert.equal(info.entry, 'handle');
  assert.deepEqual(info.memory, { minimumPages: 1, maximumPages: 9, limitPages: 4 });
  assert.deepEqual(info.globals, { total: 2, mutable: 1 });
  assert.deepEqual(info.proposals, ['simd', 'exceptions', 'tail-call']);
  assert.deepEqual([info.hasInitialize, info.hasStartFunction], [true, false]);
  assert.deepEqual([info.growsMemory, info.changesTables, info.dropsSegments], [false, true, true]);
  assert.equal(info.restorable, true);
});

test('inspectModule() calls a committed guest a command without a start function', async () => {
  const { info } = await prepareModule(guestModule('fibonacci'), resolveLimits());
  assert.deepEqual([info.kind, info.entry, info.hasStartFunction, info.restorable], ['command', '_start', false, true]);
});
