import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canClosePages } from '../../../host/linux/closed-pages.ts';
import { deploy } from '../function.ts';

const noClosing = { skip: canClosePages() ? false : 'pages cannot be closed here' };
/** The smallest module with two memories. */
const TWO = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 5, 5, 2, 0, 1, 0, 1);
const noSeveral = { skip: WebAssembly.validate(TWO) ? false : 'this Node knows one memory only' };

test('MicroVm.restore() puts back a memory that grew from no page at all', noClosing, async () => {
  const grows = await deploy(
    `(module (memory (export "memory") 0 4)
      (func (export "_start") (if (memory.size) (then unreachable)) (drop (memory.grow (i32.const 1)))
        (if (i32.load (i32.const 0)) (then unreachable)) (i32.store (i32.const 0) (i32.const 7))))`,
    { strategy: 'copy' },
  );
  for (let run = 0; run < 3; run++) {
    assert.equal(grows.run().kind, 'ok');
    assert.equal(grows.vm.usage().memoryBytes, 65_536);
    assert.equal(grows.vm.restore(), true);
    assert.equal(grows.vm.state.bytes.length, 0);
  }
});

test('MicroVm.restore() refuses a memory that grew where there are several', noSeveral, async () => {
  const grows = await deploy(
    `(module (memory (export "memory") 1) (memory $two 1)
      (func (export "_start") (drop (memory.grow $two (i32.const 1)))))`,
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
