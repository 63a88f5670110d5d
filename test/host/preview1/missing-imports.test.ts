import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NebulaError } from '../../../host/errors.ts';
import { initialise } from '../../../host/micro-vm/initialise.ts';
import { createNebula } from '../../../lib/nebula.ts';
import { assemble } from '../../wat.ts';
import { define, Deployed } from '../function.ts';

/** Reads a byte, and does with it: `a` to `d` call a missing import, `e` through the table, all else is written back. */
const PROGRAM = `(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "env" "many" (func $many (param i32 i64 f32 f64 externref) (result i64 f64)))
  (import "env" "plain" (func $plain))
  (import "wasi_snapshot_preview1" "sock_teleport" (func $teleport (param i32) (result i32)))
  (import "__proto__" "constructor" (func $odd))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (table 2 funcref) (elem (i32.const 0) $plain $odd)
  (data (i32.const 0) "\\10\\00\\00\\00\\01\\00\\00\\00")
  (func (export "_start") (local $byte i32)
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (local.set $byte (i32.load8_u (i32.const 16)))
    (if (i32.eq (local.get $byte) (i32.const 97)) (then
      (call $many (i32.const 1) (i64.const 2) (f32.const 3) (f64.const 4) (ref.null extern)) (drop) (drop)))
    (if (i32.eq (local.get $byte) (i32.const 98)) (then (call $plain)))
    (if (i32.eq (local.get $byte) (i32.const 99)) (then (drop (call $teleport (i32.const 1)))))
    (if (i32.eq (local.get $byte) (i32.const 100)) (then (call $odd)))
    (if (i32.eq (local.get $byte) (i32.const 101)) (then (call_indirect (i32.const 0))))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))`;

const CALLED = {
  a: 'env.many',
  b: 'env.plain',
  c: 'wasi_snapshot_preview1.sock_teleport',
  d: '__proto__.constructor',
  e: 'env.plain',
} as const;

const trapOf = (name: string): unknown => ({
  kind: 'trap',
  reason: 'missing-import',
  message: `the missing import ${name} was called`,
});

for (const strategy of ['fresh', 'copy', 'cow'] as const) {
  test(`withMissingImports() runs what calls none and traps what calls one, put back by ${strategy}`, async () => {
    const guest = new Deployed(await define(PROGRAM, { missingImports: 'trap', strategy }));
    for (const input of ['x', 'a', 'y', 'b', 'c', 'd', 'z', 'e', 'x']) {
      const ending = guest.run(input);
      const name = CALLED[input as keyof typeof CALLED] as string | undefined;
      assert.deepEqual(ending, name === undefined ? { kind: 'ok' } : trapOf(name), input);
      assert.equal(guest.text, name === undefined ? input : '');
      guest.settle();
    }
  });
}

test('withMissingImports() ends a guest that catches what it is thrown', async () => {
  const guest = new Deployed(
    await define(
      `(module (import "env" "missing" (func $missing))
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1) (data (i32.const 0) "\\10\\00\\00\\00\\01\\00\\00\\00")
        (func (export "_start")
          (try (do (call $missing)) (catch_all))
          (try (do (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))) (catch_all))
          (try (do (call $missing)) (catch_all))))`,
      { missingImports: 'trap' },
    ),
  );
  assert.deepEqual(guest.run(), trapOf('env.missing'));
  assert.equal(guest.text, '');
  assert.equal(guest.settle(), false, 'what trapped is discarded');
});

test('initialise() fails where the initialisation calls a missing import, and names it', async () => {
  const definition = await define(
    `(module (import "env" "missing" (func $missing)) (memory (export "memory") 1)
      (func (export "_initialize") (call $missing)) (func (export "handle")))`,
    { missingImports: 'trap' },
  );
  assert.throws(
    () => initialise(definition),
    (error) =>
      error instanceof NebulaError &&
      error.key === 'INIT_FAILED' &&
      error.message.includes(
        '_initialize ended with a trap (missing-import): the missing import env.missing was called',
      ),
  );
});

test('deploy() with allow.missingImports runs in the pool and in this thread; without it the module is refused', async (context) => {
  const module = await assemble(PROGRAM);
  for (const executor of ['in-thread', 'worker'] as const) {
    const nebula = await createNebula({ executor, ...(executor === 'worker' ? { threads: 1 } : {}) });
    context.after(() => nebula.close());
    await assert.rejects(nebula.deploy(module, { name: 'f' }), {
      code: 'ERR_NEBULA_UNKNOWN_IMPORT',
      message:
        /unknown imports \(4\): env.many \(function\), env.plain \(function\), wasi_snapshot_preview1.sock_teleport \(function\), __proto__.constructor/,
    });
    await nebula.deploy(module, { name: 'f', allow: { missingImports: 'trap' } });
    for (const input of ['x', 'a', 'y', 'd', 'z']) {
      const outcome = await nebula.invoke('f', input);
      const name = CALLED[input as keyof typeof CALLED] as string | undefined;
      const { kind } = outcome;
      const { reason, message } = outcome as { readonly reason?: string; readonly message?: string };
      assert.deepEqual(
        kind === 'trap' ? { kind, reason, message } : { kind },
        name === undefined ? { kind: 'ok' } : trapOf(name),
      );
      const { stdout } = outcome;
      assert.equal(Buffer.from(stdout).toString(), name === undefined ? input : '');
    }
  }
});

test('deploy() refuses allow.missingImports for a component', async (context) => {
  const nebula = await createNebula({ executor: 'in-thread' });
  context.after(() => nebula.close());
  const component = Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0);
  await assert.rejects(nebula.deploy(component, { name: 'c', allow: { missingImports: 'trap' } }), {
    code: 'ERR_NEBULA_MANIFEST_INVALID',
    message: /field "allow" must be left out: the module is a component/,
  });
});
