import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools';
import { ComponentError, createNebula, type Nebula } from '../../../lib/index.ts';

/** `sums` with a function of numbers, of 64 bits, with a result, one that traps and one that never ends; and a counter. */
const TEXT = `(component
  (core module $m
    (memory (export "memory") 1)
    (global $calls (mut i32) (i32.const 0))
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "double") (param i64) (result i64) (i64.mul (local.get 0) (i64.const 2)))
    (func (export "half") (param i32) (result i32)
      (i32.store8 (i32.const 0) (i32.and (local.get 0) (i32.const 1)))
      (i32.store (i32.const 4) (i32.div_u (local.get 0) (i32.const 2)))
      (i32.const 0))
    (func (export "count") (result i32)
      (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
      (global.get $calls))
    (func (export "trap") unreachable)
    (func (export "spin") (loop (br 0))))
  (core instance $i (instantiate $m))
  (func $add (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add")))
  (func $double (param "a" u64) (result u64) (canon lift (core func $i "double")))
  (func $half (param "a" u32) (result (result u32 (error u32)))
    (canon lift (core func $i "half") (memory (core memory $i "memory"))))
  (func $count (result u32) (canon lift (core func $i "count")))
  (func $trap (canon lift (core func $i "trap")))
  (func $spin (canon lift (core func $i "spin")))
  (instance $sums
    (export "add" (func $add)) (export "double" (func $double)) (export "half" (func $half))
    (export "trap-now" (func $trap)) (export "spin" (func $spin)))
  (export "test:math/sums@1.2.3" (instance $sums))
  (export "count" (func $count)))`;

let nebula: Nebula;

before(async () => {
  nebula = await createNebula({ threads: 1 });
  await nebula.deploy(await parse(TEXT), { name: 'math', limits: { timeoutMs: 1000 } });
});

after(() => nebula.close());

test('FunctionHandle.call() lifts and lowers values, with or without the version', async () => {
  const math = nebula.fn('math');
  assert.deepEqual(nebula.get('math').component, { kind: 'library', exports: ['test:math/sums@1.2.3', 'count'] });
  assert.equal(await math.call('test:math/sums#add', 2, 40), 42);
  assert.equal(await math.call('test:math/sums@1.2.3#double', 2n ** 40n), 2n ** 41n);
});

test('FunctionHandle.call() has a fresh state for each call', async () => {
  for (let round = 0; round < 2; round++) assert.equal(await nebula.fn('math').call('count'), 1);
});

test('FunctionHandle.call() throws the err of a result, with its value', async () => {
  assert.equal(await nebula.fn('math').call('test:math/sums#half', 10), 5);
  await assert.rejects(nebula.fn('math').call('test:math/sums#half', 11), (error) => {
    assert.ok(error instanceof ComponentError);
    assert.equal(error.payload, 5);
    return true;
  });
});

test('FunctionHandle.call() tells a trap and a deadline', async () => {
  await assert.rejects(nebula.fn('math').call('test:math/sums#trap-now'), { code: 'ERR_NEBULA_GUEST_FAILED' });
  await assert.rejects(nebula.fn('math').call('test:math/sums#spin'), { code: 'ERR_NEBULA_DEADLINE' });
});

test('FunctionHandle.call() refuses other types, numbers of arguments and names', async () => {
  const math = nebula.fn('math');
  const mistake = { name: 'TypeError', code: 'ERR_NEBULA_ARGUMENT' };
  await assert.rejects(math.call('test:math/sums#add', 1), mistake);
  await assert.rejects(math.call('test:math/sums#double', 'text'), mistake);
  await assert.rejects(math.call('test:math/sums#constructor'), mistake);
  const mismatch = { code: 'ERR_NEBULA_ENTRY_MISMATCH' };
  for (const path of [
    'test:math/products#add',
    'add',
    'constructor',
    '#add',
    'test:math/sums#',
    'test:math/sums@2.0.0#add',
  ]) {
    await assert.rejects(math.call(path), mismatch, path);
  }
  await assert.rejects(math.fetch(new Request('http://localhost/')), mismatch);
});

test("FunctionHandle.call() answers in the caller's own thread as well", async () => {
  await using here = await createNebula({ executor: 'in-thread' });
  await here.deploy(await parse(TEXT), { name: 'math' });
  assert.equal(await here.fn('math').call('test:math/sums#add', 2, 40), 42);
});

/** `run` answers later, and then fails. */
const LATER = `(component
  (core module $m (func (export "f") (result i32) unreachable))
  (core instance $i (instantiate $m))
  (func $f async (result (result)) (canon lift (core func $i "f")))
  (instance $e (export "run" (func $f)))
  (export "wasi:cli/run@VERSION" (instance $e)))`;

test('Nebula.deploy() refuses an asynchronous component, in a thread and on workers', async () => {
  const here = await createNebula({ executor: 'in-thread' });
  for (const each of [here, nebula]) {
    for (const version of ['0.3.0', '0.2.0']) {
      const bytes = await parse(LATER.replace('VERSION', version));
      await assert.rejects(each.deploy(bytes, { name: 'later' }), {
        code: 'ERR_NEBULA_MODULE_UNSUPPORTED',
        message: /WASI 0\.3.*Node 24/,
      });
    }
  }
  await here.close();
});

/** Answers thirteen million empty lists. */
const LISTS = `(component
  (core module $m (memory (export "memory") 1600)
    (func (export "f") (result i32)
      (i32.store (i32.const 0) (i32.const 8)) (i32.store (i32.const 4) (i32.const 13000000)) (i32.const 0)))
  (core instance $i (instantiate $m))
  (func (export "f") (result (list (list u8)))
    (canon lift (core func $i "f") (memory (core memory $i "memory")))))`;

test('FunctionHandle.call() ends a guest whose result is too large, and its thread goes on', async () => {
  await nebula.deploy(await parse(LISTS), { name: 'lists', limits: { timeoutMs: 5000 } });
  for (let round = 0; round < 2; round++) {
    await assert.rejects(nebula.fn('lists').call('f'), {
      code: 'ERR_NEBULA_GUEST_LIMIT',
      message: /outputBytes of 33554432/,
    });
  }
  assert.equal(await nebula.fn('math').call('test:math/sums#add', 2, 40), 42);
  await nebula.undeploy('lists');
});

/** Answers how long its argument is. */
const LENGTH = `(component
  (core module $m (memory (export "memory") 100)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8))
    (func (export "f") (param i32 i32) (result i32) (local.get 1)))
  (core instance $i (instantiate $m))
  (func (export "f") (param "s" string) (result u32)
    (canon lift (core func $i "f") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))`;

test('FunctionHandle.call() holds its arguments to inputBytes, and takes only values', async () => {
  await nebula.deploy(await parse(LENGTH), { name: 'length', limits: { inputBytes: 1000 } });
  const { call } = { call: (value: unknown) => nebula.fn('length').call('f', value) };
  assert.equal(await call('a'.repeat(900)), 900);
  await assert.rejects(call('a'.repeat(1001)), { code: 'ERR_NEBULA_INPUT_TOO_LARGE' });
  const endless: unknown[] = [];
  endless.push(endless);
  for (const value of [endless, () => 1, Promise.resolve('a'), new Date(0)]) {
    await assert.rejects(call(value), { name: 'TypeError', code: 'ERR_NEBULA_ARGUMENT' });
  }
  await nebula.undeploy('length');
});
