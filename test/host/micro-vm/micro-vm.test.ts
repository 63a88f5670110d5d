import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deploy } from '../function.ts';

test('MicroVm.restore() refuses a memory that grew from no page at all', async () => {
  const grows = await deploy(
    `(module (memory (export "memory") 0 4)
      (func (export "_start") (drop (memory.grow (i32.const 1))) (i32.store (i32.const 0) (i32.const 7))))`,
    { strategy: 'copy' },
  );
  assert.equal(grows.run().kind, 'ok');
  assert.equal(grows.vm.restore(), false);
});

test('MicroVm.run() tells the ending that a guest caught and outlived', async () => {
  const guest = await deploy(
    `(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32))) (memory (export "memory") 1)
      (func (export "_start") try (call $exit (i32.const 3)) catch_all end))`,
  );
  assert.deepEqual(guest.run(), { kind: 'exit', exitCode: 3 });
});

test('MicroVm.restore() leaves a memory without pages that did not grow', async () => {
  const still = await deploy('(module (memory (export "memory") 0 4) (func (export "_start")))');
  assert.equal(still.run().kind, 'ok');
  assert.equal(still.vm.restore(), true);
});

test('deployHere() keeps a global that refers to a function of which nothing else takes a reference', async () => {
  const guest = await deploy(
    `(module (memory (export "memory") 1) (func $a) (global (mut funcref) (ref.func $a)) (func (export "_start")))`,
  );
  assert.equal(guest.run().kind, 'ok');
});
