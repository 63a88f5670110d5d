/** Components that compute take turns where nothing of JavaScript's is between them and their entry; elsewhere they run on. */

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools';
import { CAN_SUSPEND } from '../../../host/waiting/jspi.ts';
import { createNebula, type Nebula } from '../../../lib/index.ts';
import { until } from '../../pools/fixture.ts';
import { POLL_AND_CLOCK } from './poll-and-clock.ts';

const skip = CAN_SUSPEND ? false : 'this Node cannot suspend a guest';

/** A command that may wait: `run` is its body, and `realloc` that of what the host calls for the room of a list. */
const command = (run: string, realloc: string = ''): string => `(component
  ${POLL_AND_CLOCK}
  (import "wasi:random/random@0.2.0" (instance $random
    (export "get-random-bytes" (func (param "len" u64) (result (list u8))))))
  (core module $allocator
    (memory (export "memory") 1)
    (func $spin (loop $again (br $again)))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) ${realloc} (i32.const 1024)))
  (core instance $a (instantiate $allocator))
  (core func $subscribe (canon lower (func $clock "subscribe-duration")))
  (core func $block (canon lower (func $poll "[method]pollable.block")))
  (core func $bytes (canon lower (func $random "get-random-bytes")
    (memory (core memory $a "memory")) (realloc (core func $a "realloc"))))
  (core module $m
    (import "h" "subscribe" (func $subscribe (param i64) (result i32)))
    (import "h" "block" (func $block (param i32)))
    (import "h" "bytes" (func $bytes (param i64 i32)))
    (func $wait (call $block (call $subscribe (i64.const 20000000))))
    (func $draw (call $bytes (i64.const 8) (i32.const 64)))
    (func $spin (loop $again (br $again)))
    (func (export "run") (result i32) ${run} (i32.const 0)))
  (core instance $h (export "subscribe" (func $subscribe)) (export "block" (func $block)) (export "bytes" (func $bytes)))
  (core instance $i (instantiate $m (with "h" (instance $h))))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $command (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $command)))`;

async function open(context: TestContext): Promise<Nebula> {
  const nebula = await createNebula({ threads: 1, spareThreads: 0 });
  context.after(() => nebula.close());
  const limits = { concurrency: 100, timeoutMs: 0 };
  await nebula.deploy(await parse(command('(call $wait)')), { name: 'waits', limits });
  return nebula;
}

for (const [when, body] of [
  ['from its beginning', '(call $spin)'],
  ['after a host function has called it back', '(call $draw) (call $spin)'],
  ['after it waited', '(call $draw) (call $wait) (call $spin)'],
] as const)
  test(`A component that computes ${when} keeps nobody waiting for its end`, { skip }, async (context) => {
    const nebula = await open(context);
    await nebula.deploy(await parse(command(body)), { name: 'computes', limits: { timeoutMs: 0 } });
    const controller = new AbortController();
    const computing = nebula.invoke('computes', '', { signal: controller.signal });
    await until('it takes turns', () => nebula.stats().executor.suspended === 1);
    const waiting = await Promise.all(Array.from({ length: 20 }, () => nebula.invoke('waits')));
    for (const { kind } of waiting) assert.equal(kind, 'ok');
    controller.abort();
    assert.equal((await computing).kind, 'aborted');
    assert.equal(nebula.stats().executor.unitsReplaced, 0);
  });

test('A component that computes while a host function calls it back ends at its deadline as any other', {
  skip,
}, async (context) => {
  const nebula = await open(context);
  const limits = { timeoutMs: 100 };
  await nebula.deploy(await parse(command('(call $draw)', '(call $spin)')), { name: 'called-back', limits });
  await nebula.deploy(await parse(command('(call $wait) (call $draw)', '(call $spin)')), { name: 'later', limits });
  for (const name of ['called-back', 'later', 'called-back']) assert.equal((await nebula.invoke(name)).kind, 'timeout');
  assert.equal((await nebula.invoke('waits')).kind, 'ok');
  assert.equal(nebula.stats().executor.unitsReplaced, 0);
});
