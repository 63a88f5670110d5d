/** Exported functions of components that wait without a thread, in the pool and in their caller's own thread. */

import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { before, test, type TestContext } from 'node:test';
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools';
import { CAN_SUSPEND } from '../../../host/waiting/jspi.ts';
import { ComponentError, createNebula, type Nebula } from '../../../lib/index.ts';
import type { DeployOptions } from '../../../lib/schema/manifest.ts';
import { preparedFolder } from '../../host/component/components.ts';
import { until } from '../../pools/fixture.ts';
import { POLL_AND_CLOCK } from './poll-and-clock.ts';

const skip = CAN_SUSPEND ? false : 'this Node cannot suspend a guest';

/**
 * `greet` waits so many milliseconds and answers its text twice, or fails with it where it waited none; `freed` says how often
 * what it answered was given back. `nap`, `trap` and `spin` wait and then return, trap or never end; `add` never waits.
 */
const TEXT = `(component
  ${POLL_AND_CLOCK}
  (core func $subscribe (canon lower (func $clock "subscribe-duration")))
  (core func $block (canon lower (func $poll "[method]pollable.block")))
  (core module $m
    (import "h" "subscribe" (func $subscribe (param i64) (result i32)))
    (import "h" "block" (func $block (param i32)))
    (memory (export "memory") 64)
    (global $next (mut i32) (i32.const 1024))
    (global $freed (mut i32) (i32.const 0))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.get $next)
      (global.set $next (i32.add (i32.and (i32.add (global.get $next) (local.get 3)) (i32.const -8)) (i32.const 8))))
    (func $wait (param i64)
      (if (i64.ne (local.get 0) (i64.const 0))
        (then (call $block (call $subscribe (i64.mul (local.get 0) (i64.const 1000000)))))))
    (func (export "greet") (param $text i32) (param $length i32) (param $ms i64) (result i32)
      (call $wait (local.get $ms))
      (i32.store8 (i32.const 16) (i64.eqz (local.get $ms)))
      (i32.store (i32.const 20) (local.get $text))
      (i32.store (i32.const 24) (local.get $length))
      (if (i64.ne (local.get $ms) (i64.const 0))
        (then
          (i32.store (i32.const 32) (local.get $text)) (i32.store (i32.const 36) (local.get $length))
          (i32.store (i32.const 40) (local.get $text)) (i32.store (i32.const 44) (local.get $length))
          (i32.store (i32.const 20) (i32.const 32)) (i32.store (i32.const 24) (i32.const 2))))
      (i32.const 16))
    (func (export "free") (param i32)
      (global.set $freed (i32.add (global.get $freed) (i32.const 1))))
    (func (export "nap") (param i64) (result i32) (call $wait (local.get 0)) (global.get $freed))
    (func (export "trap") (call $wait (i64.const 20)) unreachable)
    (func (export "spin") (call $wait (i64.const 1)) (loop $again (br $again)))
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
  (core instance $h (export "subscribe" (func $subscribe)) (export "block" (func $block)))
  (core instance $i (instantiate $m (with "h" (instance $h))))
  (func $greet (param "text" string) (param "ms" u64) (result (result (list string) (error string)))
    (canon lift (core func $i "greet") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))
      (post-return (core func $i "free"))))
  (func $nap (param "ms" u64) (result u32) (canon lift (core func $i "nap")))
  (func $trap (canon lift (core func $i "trap")))
  (func $spin (canon lift (core func $i "spin")))
  (func $add (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add")))
  (instance $waits (export "greet" (func $greet)) (export "trap-now" (func $trap)))
  (export "test:waits/functions" (instance $waits))
  (export "nap" (func $nap)) (export "spin" (func $spin)) (export "add" (func $add)))`;

const GREET = 'test:waits/functions#greet';
const TRAP = 'test:waits/functions#trap-now';

let folder = '';

before(async () => {
  folder = await preparedFolder(await parse(TEXT), 'waits');
});

async function open(context: TestContext, where: Where, given: Partial<DeployOptions> = {}): Promise<Nebula> {
  const nebula = await createNebula(where === 'in-thread' ? { executor: where } : { threads: 1, spareThreads: 0 });
  context.after(() => nebula.close());
  const limits = { concurrency: 100, timeoutMs: 30_000, ...given.limits };
  await nebula.deploy(folder, { ...given, limits });
  return nebula;
}

type Where = 'pool' | 'in-thread';

for (const where of ['pool', 'in-thread'] as const) {
  test(`FunctionHandle.call() of functions that wait has them wait at once in one thread: ${where}`, {
    skip,
  }, async (context) => {
    const nebula = await open(context, where);
    const waits = nebula.fn('waits');
    const long = 'long '.repeat(40_000);
    const texts = Array.from({ length: 30 }, (_, at) => (at % 10 === 0 ? `${long}${at}` : `text ${at}`));
    const calls = Promise.all(texts.map((text) => waits.call(GREET, text, 1500n)));
    await until('all are suspended', () => nebula.stats().executor.suspended === 30);
    assert.equal(await waits.call('add', 2, 40), 42, 'the thread does other things');
    assert.deepEqual(
      await calls,
      texts.map((text) => [text, text]),
    );
    assert.deepEqual([nebula.stats().executor.suspended, nebula.stats().executor.unitsReplaced], [0, 0]);
  });

  test(`FunctionHandle.call() of a function that may wait answers as any other does: ${where}`, async (context) => {
    const nebula = await open(context, where);
    const waits = nebula.fn('waits');
    for (let round = 0; round < 2; round++) {
      await assert.rejects(waits.call(GREET, 'no wait', 0n), (error) => {
        assert.ok(error instanceof ComponentError);
        assert.equal(error.payload, 'no wait');
        return true;
      });
      assert.deepEqual(await waits.call(GREET, '', 1n), ['', '']);
      assert.equal(await waits.call('add', 2 ** 32 - 1, 2), 1);
      assert.equal(await waits.call('nap', 0n), 0, 'its state is fresh');
      for (const values of [['text'], ['text', 'none'], [1, 1n]])
        await assert.rejects(waits.call(GREET, ...values), { code: 'ERR_NEBULA_ARGUMENT' });
    }
  });

  test(`FunctionHandle.call() has what a function answered given back before its next call: ${where}`, async (context) => {
    const nebula = await open(context, where, { reuse: 100 });
    const waits = nebula.fn('waits');
    for (let round = 0; round < 3; round++) {
      assert.deepEqual(await waits.call(GREET, 'text', 1n), ['text', 'text']);
      await assert.rejects(waits.call(GREET, 'text', 0n), ComponentError);
      await assert.rejects(waits.call(GREET, 'text', 'none'), { code: 'ERR_NEBULA_ARGUMENT' });
      assert.equal(await waits.call('nap', 1n), 2 * round + 2);
    }
  });

  test(`A trap, a deadline and a limit each end one function that waits: ${where}`, { skip }, async (context) => {
    const nebula = await open(context, where, { limits: { timeoutMs: 2000 } });
    await nebula.deploy(folder, { name: 'late', limits: { timeoutMs: 50 } });
    await nebula.deploy(folder, { name: 'few', limits: { units: 1_000_000 } });
    await nebula.deploy(folder, { name: 'small', limits: { outputBytes: 100 } });
    const waits = nebula.fn('waits');
    const others = Promise.all(Array.from({ length: 5 }, (_, at) => waits.call(GREET, `${at}`, 500n)));
    const ends = [
      assert.rejects(waits.call(TRAP), { code: 'ERR_NEBULA_GUEST_FAILED' }),
      assert.rejects(nebula.fn('late').call('nap', 60_000n), { code: 'ERR_NEBULA_DEADLINE' }),
      assert.rejects(nebula.fn('late').call('spin'), { code: 'ERR_NEBULA_DEADLINE' }),
      assert.rejects(nebula.fn('few').call('spin'), { code: 'ERR_NEBULA_GUEST_LIMIT', message: /units/ }),
      assert.rejects(nebula.fn('small').call(GREET, 'long '.repeat(30), 1n), {
        code: 'ERR_NEBULA_GUEST_LIMIT',
        message: /outputBytes/,
      }),
    ];
    await Promise.all(ends);
    assert.deepEqual(
      await others,
      ['0', '1', '2', '3', '4'].map((text) => [text, text]),
    );
    assert.equal(await nebula.fn('late').call('add', 1, 1), 2);
    await turn();
    assert.deepEqual([nebula.stats().executor.suspended, nebula.stats().executor.unitsReplaced], [0, 0]);
  });
}

test('close() ends functions that wait', { skip }, async (context) => {
  for (const where of ['pool', 'in-thread'] as const) {
    const nebula = await open(context, where);
    const left = assert.rejects(nebula.fn('waits').call('nap', 20_000n));
    await until('it waits', () => nebula.stats().executor.suspended === 1);
    await nebula.close({ drainMs: 1 });
    await left;
  }
});

/** `f` lets go of a resource of its own, whose destructor waits: the host calls that. */
const DESTRUCTOR = `(component
  ${POLL_AND_CLOCK}
  (core func $subscribe (canon lower (func $clock "subscribe-duration")))
  (core func $block (canon lower (func $poll "[method]pollable.block")))
  (core module $destroys
    (import "h" "subscribe" (func $subscribe (param i64) (result i32)))
    (import "h" "block" (func $block (param i32)))
    (func (export "wait") (call $block (call $subscribe (i64.const 1000000))))
    (func (export "destroy") (param i32) (call $block (call $subscribe (i64.const 1000000)))))
  (core instance $h (export "subscribe" (func $subscribe)) (export "block" (func $block)))
  (core instance $d (instantiate $destroys (with "h" (instance $h))))
  (type $resource (resource (rep i32) (dtor (core func $d "destroy"))))
  (core func $new (canon resource.new $resource))
  (core func $drop (canon resource.drop $resource))
  (core module $m
    (import "h" "new" (func $new (param i32) (result i32)))
    (import "h" "drop" (func $drop (param i32)))
    (import "h" "wait" (func $wait))
    (func (export "f") (result i32) (call $wait) (call $drop (call $new (i32.const 1))) (call $wait) (i32.const 7)))
  (core instance $n (export "new" (func $new)) (export "drop" (func $drop)) (export "wait" (func $d "wait")))
  (core instance $i (instantiate $m (with "h" (instance $n))))
  (func (export "f") (result u32) (canon lift (core func $i "f"))))`;

test('A function that waits where the host has called it back holds its thread, and goes on', async (context) => {
  for (const where of ['pool', 'in-thread'] as const) {
    const nebula = await open(context, where);
    await nebula.deploy(await parse(DESTRUCTOR), { name: 'destructor' });
    for (let round = 0; round < 2; round++) assert.equal(await nebula.fn('destructor').call('f'), 7);
  }
});
