/** What is refused before a call, and what hostile guests get. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createNebula } from '../../../lib/nebula.ts';
import { temporaryDirectory } from '../tiny-module.ts';
import { modulePath } from '../../definition.ts';
import { assemble } from '../../wat.ts';
import { ask, deployCaller, EXECUTORS, open } from './bindings.ts';

const echo = (bytes: Uint8Array): Uint8Array => bytes;
const GRANT = { capabilities: { bindings: ['orders'] } };

/** A module that calls `orders.echo` with what `body` gives; its exit code is what that leaves. */
const calling = (body: string, exports: string = '(export "_start")'): string => `(module
  (import "nebula" "call" (func $call (param i32 i32 i32 i32) (result i32)))
  (import "nebula" "read" (func $read (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "orders.echo")
  (func ${exports} ${body}))`;

/** Whether a call with these numbers is an error, as code. */
const called = (...given: readonly number[]): string =>
  `(i32.lt_s (call $call ${given.map((each) => `(i32.const ${each})`).join(' ')}) (i32.const 0))`;

test('deploy refuses a binding that the embedder does not have, and one that is not granted', async (context) => {
  const nebula = await open(context, 'worker', { orders: { echo } });
  await assert.rejects(deployCaller(nebula, { capabilities: { bindings: ['orders', 'users'] } }), {
    code: 'ERR_NEBULA_BINDING_REFUSED',
    message: 'Cannot give function "caller" the binding "users": expected one of orders, got users',
  });
  await assert.rejects(deployCaller(nebula, { capabilities: { bindings: [] } }), {
    code: 'ERR_NEBULA_BINDING_NOT_GRANTED',
    message:
      'Cannot link the module: it imports nebula.call, nebula.read, expected the names of bindings in capabilities.bindings, got none',
  });
  await assert.rejects(deployCaller(nebula, { capabilities: { bindings: ['Orders'] } }), /MANIFEST|name of a binding/);
  await assert.rejects(deployCaller(nebula, { capabilities: { bindings: ['orders', 'orders'] } }), /list of names/);
  const none = await createNebula({ threads: 1 });
  context.after(() => none.close());
  await assert.rejects(deployCaller(none), /expected no binding: createNebula was given none, got orders/);
});

test('deploy refuses the functions for bindings by another signature', async (context) => {
  const nebula = await open(context, 'worker', { orders: { echo } });
  const wat = `(module (import "nebula" "call" (func (param i32))) (import "nebula" "cast" (func)) (func (export "_start")))`;
  await assert.rejects(nebula.deploy(await assemble(wat), { name: 'odd', ...GRANT }), {
    code: 'ERR_NEBULA_UNKNOWN_IMPORT',
    message: /nebula\.call \(function i>, expected iiii>i\), nebula\.cast \(function\)/,
  });
});

test('deploy links what is not granted to a trap where missing imports are allowed', async (context) => {
  const nebula = await open(context, 'worker', { orders: { echo } });
  const module = await assemble(
    calling('(drop (call $call (i32.const 16) (i32.const 11) (i32.const 0) (i32.const 0)))'),
  );
  await nebula.deploy(module, { name: 'without', allow: { missingImports: 'trap' } });
  const outcome = await nebula.invoke('without');
  assert.equal(outcome.kind === 'trap' && outcome.message, 'the missing import nebula.call was called');
});

for (const executor of EXECUTORS) {
  test(`deploy refuses a call before the snapshot, which must not hold an answer, ${executor}`, async (context) => {
    let calls = 0;
    const nebula = await open(context, executor, { orders: { echo: () => void calls++ } });
    const call = '(drop (call $call (i32.const 16) (i32.const 11) (i32.const 0) (i32.const 0)))';
    const module = await assemble(calling(call, '(export "_initialize") (export "handle")'));
    await assert.rejects(nebula.deploy(module, { name: 'early', ...GRANT }), {
      code: 'ERR_NEBULA_INIT_FAILED',
      message: /orders\.echo was called before the snapshot, which must not hold an answer/,
    });
    const warm = await assemble(calling(call, '(export "handle")'));
    await assert.rejects(
      nebula.deploy(warm, { name: 'warm', ...GRANT, init: { warmUp: ['x'] } }),
      /before the snapshot/,
    );
    assert.equal(calls, 0);
  });

  test(`nebula.call and nebula.read take no pointer out of the memory, ${executor}`, async (context) => {
    const nebula = await open(context, executor, { orders: { echo } });
    const deploy = async (body: string): Promise<number> => {
      await nebula.deploy(await assemble(calling(`(call $exit ${body})`)), { name: 'hostile', ...GRANT });
      const outcome = await nebula.invoke('hostile');
      return outcome.kind === 'exit' ? outcome.exitCode : outcome.kind === 'ok' ? 0 : assert.fail(outcome.kind);
    };
    assert.equal(await deploy(called(16, 11, 0, 4)), 0);
    for (const given of [
      [65_530, 11, 0, 4],
      [16, -1, 0, 4],
      [-1, -1, -1, -1],
      [16, 11, 65_535, 2],
      [16, 11, 0, -1],
      [16, 11, -16, 4],
      [16, 0, 0, 0],
    ])
      assert.equal(await deploy(called(...given)), 1, String(given));
    const read = async (...given: readonly number[]): Promise<number> =>
      deploy(`(block (result i32)
        (drop (call $call (i32.const 16) (i32.const 11) (i32.const 16) (i32.const 11)))
        (i32.add (i32.const 2) (call $read ${given.map((each) => `(i32.const ${each})`).join(' ')})))`);
    assert.equal(await read(1000, 100, 0), 13);
    assert.equal(await read(1000, 4, 9), 4);
    assert.equal(await read(1000, 100, 11), 2);
    assert.equal(await read(1000, 100, -1), 2);
    assert.equal(await read(1000, -1, 0), 13);
    assert.equal(await read(65_530, 100, 0), 1);
    assert.equal(await read(-1, 100, 0), 1);
  });

  test(`nebula.call by guests that ask without end leaves room for timers and others, ${executor}`, async (context) => {
    const nebula = await open(context, executor, { orders: { echo } });
    await deployCaller(nebula, { limits: { timeoutMs: 150 } });
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    const outcome = await nebula.invoke('caller', '1000000000 orders.echo\nx');
    clearInterval(timer);
    assert.equal(outcome.kind, 'timeout');
    // In thread the guest has the thread of the timers, unless it can be suspended.
    if (executor === 'worker') assert.ok(ticks > 3, `${ticks} ticks`);
    assert.deepEqual(await ask(nebula, 'orders.echo\nstill'), ['ok', 'still']);
  });
}

test('no call is touched by another whose binding ends it, or whose thread ends', async (context) => {
  const nebula = await open(context, 'worker', {
    orders: { echo, stay: (_, { signal }) => sleep(5_000, 'late', { signal }).catch(() => 'gone') },
  });
  await deployCaller(nebula, { budget: false, limits: { timeoutMs: 60 } });
  await nebula.deploy(readFileSync(modulePath('guests/call-binding')), {
    name: 'neighbour',
    ...GRANT,
  });
  const stuck = Array.from({ length: 4 }, () => ask(nebula, 'orders.stay'));
  const fine = Array.from({ length: 20 }, (_, at) => nebula.invokeOrThrow('neighbour', `5 orders.echo\n${at}`));
  assert.deepEqual(
    (await Promise.all(stuck)).map(([kind]) => kind),
    Array.from({ length: 4 }, () => 'timeout'),
  );
  assert.deepEqual(
    (await Promise.all(fine)).map((bytes) => Buffer.from(bytes).toString()),
    Array.from({ length: 20 }, (_, at) => String(at)),
  );
});

test('a function whose binding is gone is unavailable when its store is opened', async (context) => {
  const store = temporaryDirectory(context);
  const first = await createNebula({ threads: 1, store, bindings: { orders: { echo } } });
  await deployCaller(first);
  await first.close();
  const second = await createNebula({ threads: 1, store });
  context.after(() => second.close());
  const [unavailable] = second.stats().unavailable ?? [];
  assert.equal(unavailable?.error.code, 'ERR_NEBULA_BINDING_REFUSED');
});
