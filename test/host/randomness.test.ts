import assert from 'node:assert/strict';
import { test } from 'node:test';
import { STRATEGIES } from '../../host/definition/strategies.ts';
import { defineGuest, Deployed, deploy, type Given } from './function.ts';

/** The lines of random-dump (random bytes, then a randomly keyed hash) of so many calls. */
async function drawn(calls: number, given: Given): Promise<string[]> {
  const deployed = new Deployed(await defineGuest('guests/random-dump', given));
  const lines: string[] = [];
  for (let call = 0; call < calls; call++) {
    assert.deepEqual(deployed.run(), { kind: 'ok' });
    lines.push(...deployed.text.trimEnd().split('\n'));
    deployed.settle();
  }
  assert.equal(lines.length, 2 * calls);
  return lines;
}

for (const strategy of STRATEGIES) {
  test(`randomness is never repeated across restores with ${strategy}, of random_get or of hash maps`, async () => {
    const lines = await drawn(300, { strategy });
    assert.equal(new Set(lines).size, lines.length);
  });
}

const seeded = (seed: number): Given => ({ capabilities: { random: { kind: 'seeded', seed } } });

test('randomness is the same in each call, and in another micro-VM, when it is seeded', async () => {
  const lines = await drawn(20, seeded(5));
  assert.equal(new Set(lines).size, 2);
  assert.deepEqual(await drawn(1, seeded(5)), lines.slice(0, 2));
  assert.notDeepEqual(await drawn(1, seeded(6)), lines.slice(0, 2));
});

test('two micro-VMs of one snapshot draw different randomness', async () => {
  const deployed = new Deployed(await defineGuest('guests/random-dump'));
  deployed.run();
  const first = deployed.text;
  deployed.vm = deployed.create();
  deployed.run();
  assert.notEqual(deployed.text, first);
});

test('a clock read after a restore tells the time of the call, not of the snapshot', async () => {
  const deployed = await deploy(
    `(module (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
      (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1) (func (export "handle") (drop (call $clock (i32.const 0) (i64.const 0) (i32.const 16)))
      (i32.store (i32.const 0) (i32.const 16)) (i32.store (i32.const 4) (i32.const 8))
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
      (func (export "_initialize") (drop (call $clock (i32.const 0) (i64.const 0) (i32.const 16)))))`,
    { init: { allow: ['clock'] } },
  );
  assert.deepEqual(deployed.deployment.reads, ['clock']);
  for (let call = 0; call < 3; call++) {
    deployed.run();
    const readMs = Number(Buffer.from(deployed.vm.stdout()).readBigUInt64LE() / 1_000_000n);
    assert.ok(Math.abs(readMs - Date.now()) < 1000);
    deployed.settle();
  }
});
