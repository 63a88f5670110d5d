/** What a thread maps is bounded by the guests it has, and not by the calls they answered. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { AddressSpace, collectGarbage } from '../../host/linux/address-space.ts';
import type { FunctionDefinition } from '../../host/definition/definition.ts';
import type { Strategy } from '../../host/definition/strategies.ts';
import { GuestThread } from '../../host/thread/guest-thread.ts';
import { monotonicNs } from '../../host/monotonic.ts';
import { commandComponent, defineComponent } from './component/components.ts';
import { skip } from './filesystem/machine-fixture.ts';
import { define } from './function.ts';
import { memoryMappings } from './linux/mappings.ts';

/** Writes pages here and there, others in each call, so that the pages that are copied back change. */
const SCATTERED = `(module
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (memory (export "memory") 512) (global $seed (mut i32) (i32.const 1))
  (func (export "_initialize") (memory.fill (i32.const 65536) (i32.const 1) (i32.const 33000000)))
  (func (export "handle") (local $left i32)
    (drop (call $random (i32.const 0) (i32.const 4)))
    (global.set $seed (i32.load (i32.const 0)))
    (local.set $left (i32.const 40))
    (loop $next
      (global.set $seed (i32.add (i32.mul (global.get $seed) (i32.const 1103515245)) (i32.const 12345)))
      (i32.store (i32.and (i32.shr_u (global.get $seed) (i32.const 6)) (i32.const 0x1fffffc)) (i32.const 3))
      (br_if $next (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))))`;
const GROWING = `(module (memory (export "memory") 4) (func (export "_start")
  (drop (memory.grow (i32.const 3))) (i32.store (i32.const 300000) (i32.const 1))))`;
const TRAPPING = '(module (memory (export "memory") 4) (func (export "_start") unreachable))';
const CALLS = 600;

const of = (module: string, strategy: Strategy): Promise<FunctionDefinition> => define(module, { strategy });

async function functions(): Promise<FunctionDefinition[]> {
  const component = await defineComponent(await commandComponent('echo'));
  return [
    await of(SCATTERED, 'cow'),
    await of(GROWING, 'cow'),
    await of(GROWING, 'copy'),
    await of(GROWING, 'fresh'),
    await of(TRAPPING, 'cow'),
    { ...component, id: 'component' },
  ];
}

async function settledMappings(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    collectGarbage();
    await setImmediate();
  }
  return memoryMappings();
}

test('GuestThread.invoke() maps no more after twice as many calls', { skip }, async () => {
  const thread = new GuestThread({ space: new AddressSpace(new SharedArrayBuffer(4), 100) });
  const deployed = await functions();
  for (const definition of deployed) await thread.deploy(definition);
  const call = async (count: number): Promise<void> => {
    for (let at = 0; at < count; at++) {
      const { id } = deployed[at % deployed.length] as FunctionDefinition;
      try {
        thread.invoke(id, { input: new Uint8Array() }, monotonicNs(), 0);
      } catch {
        await thread.makeRoom();
      }
      thread.settle(id);
    }
  };
  await call(CALLS);
  const once = await settledMappings();
  await call(2 * CALLS);
  const thrice = await settledMappings();
  // Four of each guest, and some that the collector has not come to.
  assert.ok(
    thrice <= once + 4 * deployed.length,
    `${once} mappings after ${CALLS} calls, ${thrice} after ${3 * CALLS}`,
  );
  thread.close();
});
