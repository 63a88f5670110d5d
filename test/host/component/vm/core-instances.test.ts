/** A component's core instances put back, and the state of the glue around them: exactly, or not at all. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools';
import { ComponentVm } from '../../../../host/component/vm/component-vm.ts';
import type { ComponentDefinition } from '../../../../host/component/vm/component-definition.ts';
import { hasCow } from '../../../../host/linux/memory.ts';
import { compileGlue } from '../../../../host/component/vm/glue.ts';
import { decodeResult } from '../../../../host/component/vm/exported-function.ts';
import { AddressSpace } from '../../../../host/linux/address-space.ts';
import { monotonicNs } from '../../../../host/monotonic.ts';
import type { Deployment } from '../../../../host/snapshot/deployment.ts';
import { deployHere } from '../../../../host/thread/deploy.ts';
import { GuestThread } from '../../../../host/thread/guest-thread.ts';
import type { Ending } from '../../../../host/outcome.ts';
import { closeImage } from '../../../../host/snapshot/image.ts';
import { commandComponent, defineComponent, request, textComponent, webComponent, type Given } from '../components.ts';

/** A start function that takes a handle of a resource of its own, and keeps the number in its memory. */
const HOLDING = `(component
  (type $own (resource (rep i32)))
  (core func $new (canon resource.new $own))
  (core func $rep (canon resource.rep $own))
  (core module $m
    (import "h" "new" (func $new (param i32) (result i32)))
    (import "h" "rep" (func $rep (param i32) (result i32)))
    (memory (export "memory") 1)
    (func $s (i32.store (i32.const 0) (call $new (i32.const 77))))
    (start $s)
    (func (export "held") (result i32) (call $rep (i32.load (i32.const 0)))))
  (core instance $i (instantiate $m (with "h" (instance (export "new" (func $new)) (export "rep" (func $rep))))))
  (func (export "held") (result u32) (canon lift (core func $i "held"))))`;

/** Two core modules that share a memory, with every kind of state, and a resource of the glue's. */
const canGrowBack = { skip: hasCow().ok ? false : 'no copy-on-write here' };

const STATEFUL = `(component
  (import "wasi:http/types@0.2.0" (instance $types
    (export "fields" (type (sub resource)))
    (export "[constructor]fields" (func (result (own 0))))))
  (alias export $types "[constructor]fields" (func $new))
  (core func $new-core (canon lower (func $new)))
  (core module $m
    (import "host" "new" (func $new (result i32)))
    (memory (export "memory") 3)
    (global $i (mut i32) (i32.const 7))
    (global $f (mut f64) (f64.const 1.5))
    (table $t (export "table") 8 funcref)
    (elem (i32.const 0) func $one $two)
    (data (i32.const 100) "initial")
    (data $passive "passive")
    (func $one (result i32) (i32.const 1))
    (func $two (result i32) (i32.const 2))
    (func (export "write") (param i32 i32) (i32.store8 (local.get 0) (local.get 1)))
    (func (export "set-i") (param i32) (global.set $i (local.get 0)))
    (func (export "set-f") (param f64) (global.set $f (local.get 0)))
    (func (export "swap") (table.set (i32.const 0) (table.get (i32.const 1))))
    (func (export "grow") (drop (memory.grow (i32.const 1))))
    (func (export "grow-table") (drop (table.grow $t (ref.null func) (i32.const 1))))
    (func (export "drop") (data.drop $passive))
    (func (export "trap") unreachable)
    (func (export "new") (result i32) (call $new)))
  (core instance $i (instantiate $m (with "host" (instance (export "new" (func $new-core))))))
  (core module $n
    (import "main" "memory" (memory 1))
    (global $j (mut i64) (i64.const 9))
    (func (export "set-j") (param i64) (global.set $j (local.get 0)) (i64.store (i32.const 4096) (local.get 0))))
  (core instance $k (instantiate $n (with "main" (instance $i))))
  (func (export "write") (param "at" u32) (param "byte" u32) (canon lift (core func $i "write")))
  (func (export "set-i") (param "value" u32) (canon lift (core func $i "set-i")))
  (func (export "set-f") (param "value" f64) (canon lift (core func $i "set-f")))
  (func (export "set-j") (param "value" u64) (canon lift (core func $k "set-j")))
  (func (export "swap") (canon lift (core func $i "swap")))
  (func (export "grow") (canon lift (core func $i "grow")))
  (func (export "grow-table") (canon lift (core func $i "grow-table")))
  (func (export "drop") (canon lift (core func $i "drop")))
  (func (export "trap") (canon lift (core func $i "trap")))
  (func (export "new") (result u32) (canon lift (core func $i "new"))))`;

const CALL = { input: new Uint8Array(), arguments: [], environment: {} };

function call(vm: ComponentVm, name: string, ...values: readonly unknown[]): unknown {
  let value: unknown;
  const sink = { result: (bytes: Uint8Array): void => void (value = decodeResult(bytes)) };
  const component = { kind: 'function', interface: undefined, name, arguments: values, sink } as const;
  const ending: Ending = vm.run({ ...CALL, component }, 0);
  return ending.kind === 'ok' ? (value as { value?: unknown }).value : ending.kind;
}

async function deployed(bytes: Uint8Array, given: Given = {}): Promise<readonly [ComponentDefinition, Deployment]> {
  const definition = await defineComponent(bytes, given);
  return [definition, deployHere(definition)];
}

const STEPS = fc.oneof(
  fc.tuple(fc.constant('write'), fc.integer({ min: 0, max: 196_607 }), fc.integer({ min: 0, max: 255 })),
  fc.tuple(fc.constant('set-i'), fc.nat()),
  fc.tuple(fc.constant('set-f'), fc.double()),
  fc.tuple(fc.constant('set-j'), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
  fc.tuple(fc.constant('swap')),
  fc.tuple(fc.constant('new')),
);

for (const strategy of ['copy', 'cow'] as const) {
  test(`ComponentVm.restore() puts every kind of state back by ${strategy}, whatever calls have written`, async (context) => {
    const definition = await defineComponent(await parse(STATEFUL));
    const deployment = deployHere({ ...definition, strategy });
    if (deployment.strategy !== strategy) {
      context.skip(deployment.calibration.reason);
      return;
    }
    const fresh = new ComponentVm(definition);
    const expected = fresh.digest();
    const vm = new ComponentVm(definition, deployment.image, strategy);
    assert.deepEqual(vm.digest(), expected);
    fc.assert(
      fc.property(fc.array(STEPS, { minLength: 1, maxLength: 20 }), (steps) => {
        for (const [name, ...values] of steps) {
          call(vm, name, ...values);
          assert.equal(vm.restore(), true);
          assert.deepEqual(vm.digest(), expected);
        }
      }),
      { numRuns: 40 },
    );
    vm.close();
    fresh.close();
    closeImage(deployment.image);
  });
}

test('ComponentVm.restore() gives the glue of each component here its state back in place, and its calls go straight to the host', async () => {
  for (const bytes of [
    textComponent('hello'),
    textComponent('trailers'),
    textComponent('dial'),
    await parse(STATEFUL),
  ]) {
    const { component } = await defineComponent(bytes);
    assert.equal(typeof compileGlue(component)().renew, 'function');
    assert.doesNotMatch(component.glue, /_lowerImportBackwardsCompat\.bind\(/);
  }
});

test('ComponentVm.restore() puts the count of resources back that a guest holds', async () => {
  const [definition, { image, strategy }] = await deployed(await parse(STATEFUL), { limits: { resources: 2 } });
  const vm = new ComponentVm(definition, image, strategy);
  for (let round = 0; round < 20; round++) {
    assert.equal(typeof call(vm, 'new'), 'number');
    assert.equal(vm.restore(), true);
  }
  vm.close();
  const kept = new ComponentVm({ ...definition, reuse: 3 }, image, strategy);
  for (let round = 0; round < 2; round++) {
    assert.equal(typeof call(kept, 'new'), 'number');
    assert.equal(kept.restore(), true);
  }
  assert.equal(call(kept, 'new'), 'limit');
  kept.close();
  closeImage(image);
});

test('ComponentVm.restore() gives the glue its own tables anew: handles are counted from the first', async () => {
  const [definition, { image, strategy }] = await deployed(await parse(STATEFUL));
  const vm = new ComponentVm(definition, image, strategy);
  const first = call(vm, 'new');
  assert.equal(typeof first, 'number');
  for (let round = 0; round < 3; round++) {
    assert.equal(vm.restore(), true);
    assert.equal(call(vm, 'new'), first);
  }
  vm.close();
  const reused = new ComponentVm({ ...definition, reuse: 3 }, image, strategy);
  const handles = [0, 1, 2, 3].map(() => {
    const handle = call(reused, 'new');
    assert.equal(reused.restore(), true);
    return handle;
  });
  assert.equal(new Set(handles.slice(0, 3)).size, 3, 'a state that is kept hands out others');
  assert.equal(handles[3], first, 'and after its last call it is fresh');
  reused.close();
  closeImage(image);
});

test('ComponentVm.restore() refuses what cannot be put back exactly', async () => {
  const [definition, { image, strategy }] = await deployed(await parse(STATEFUL));
  for (const name of ['grow-table', 'drop', 'trap']) {
    const vm = new ComponentVm(definition, image, strategy);
    call(vm, name);
    assert.equal(vm.restore(), false, name);
    vm.close();
  }
  closeImage(image);
});

test('ComponentVm.restore() puts a memory back that grew', {
  skip: hasCow().ok ? false : 'no copy-on-write here',
}, async () => {
  const [definition, { image, strategy }] = await deployed(await parse(STATEFUL));
  const vm = new ComponentVm(definition, image, strategy);
  const { memoryBytes } = vm.usage();
  for (let round = 0; round < 3; round++) {
    assert.equal(call(vm, 'write', memoryBytes, 1), 'trap', 'it has no such page before it grows');
    assert.equal(vm.restore(), false);
    assert.equal(call(vm, 'grow'), undefined);
    assert.equal(call(vm, 'write', memoryBytes, 1), undefined);
    assert.equal(vm.usage().memoryBytes, memoryBytes + 65_536);
    assert.equal(vm.restore(), true);
    assert.equal(vm.usage().memoryBytes, memoryBytes);
  }
  vm.close();
  closeImage(image);
  // The adapter of preview1 takes a page for itself in each call.
  const [adapted, kept] = await deployed(await commandComponent('echo'));
  const command = new ComponentVm(adapted, kept.image, kept.strategy);
  for (let round = 0; round < 3; round++) {
    assert.equal(command.run(CALL, 0).kind, 'ok');
    assert.equal(command.restore(), true);
  }
  command.close();
  closeImage(kept.image);
});

/** The memory is what another core module exports again that imports it, and by that the glue knows it. */
const EXPORTED_AGAIN = `(component
  (core module $a (memory (export "memory") 1 100)
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "list") (param i32 i32) (result i32)
      (i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1)) (i32.const 16)))
  (core instance $i (instantiate $a))
  (core module $b (import "a" "memory" (memory 1)) (export "again" (memory 0)))
  (core instance $j (instantiate $b (with "a" (instance $i))))
  (func (export "grow") (param "by" u32) (result u32) (canon lift (core func $i "grow")))
  (func (export "list") (param "at" u32) (param "length" u32) (result (list u8))
    (canon lift (core func $i "list") (memory (core memory $j "again")))))`;

test(
  'ComponentVm shows the glue no page that is closed, whichever core module exports the memory',
  canGrowBack,
  async () => {
    const [definition, { image, strategy }] = await deployed(await parse(EXPORTED_AGAIN));
    const vm = new ComponentVm(definition, image, strategy);
    for (let round = 0; round < 2; round++) {
      assert.equal(call(vm, 'grow', 5), 1);
      assert.deepEqual(call(vm, 'list', 200_000, 4), new Uint8Array(4));
      assert.equal(vm.restore(), true);
    }
    assert.equal(call(vm, 'list', 200_000, 4), 'trap');
    vm.close();
    closeImage(image);
  },
);

test('ComponentVm.run() under audit finds a state that is not the snapshot', async () => {
  const [definition, { image, strategy }] = await deployed(await parse(STATEFUL));
  const vm = new ComponentVm({ ...definition, audit: true }, image, strategy);
  call(vm, 'write', 5, 5);
  assert.equal(vm.restore(), true);
  call(vm, 'write', 5, 5);
  assert.equal(vm.restore(), true);
  new Uint8Array((vm.memories[0] as WebAssembly.Memory).buffer)[77] = 1;
  assert.throws(() => call(vm, 'swap'), { code: 'ERR_NEBULA_SNAPSHOT_DIVERGED' });
  vm.close();
  closeImage(image);
});

test('ComponentVm.restore() puts back a guest that exits, and a JavaScript one', async () => {
  const exit = `(component
    (import "wasi:cli/exit@0.2.0" (instance $cli (export "exit" (func (param "status" (result))))))
    (alias export $cli "exit" (func $exit))
    (core func $exit-core (canon lower (func $exit)))
    (core module $m
      (import "host" "exit" (func $exit (param i32)))
      (memory (export "memory") 1)
      (func (export "run") (result i32)
        (if (i32.load (i32.const 8)) (then unreachable))
        (i32.store (i32.const 8) (i32.const 1))
        (call $exit (i32.const 1))
        (i32.const 0)))
    (core instance $i (instantiate $m (with "host" (instance (export "exit" (func $exit-core))))))
    (func $run (result (result)) (canon lift (core func $i "run")))
    (instance $command (export "run" (func $run)))
    (export "wasi:cli/run@0.2.0" (instance $command)))`;
  const [exits, kept] = await deployed(await parse(exit));
  const vm = new ComponentVm(exits, kept.image, kept.strategy);
  for (let round = 0; round < 3; round++) {
    assert.deepEqual(vm.run(CALL, 0), { kind: 'exit', exitCode: 1 });
    assert.equal(vm.restore(), true);
  }
  vm.close();
  const [web, deployment] = await deployed(webComponent());
  const script = new ComponentVm(web, deployment.image, deployment.strategy);
  const expected = script.digest();
  for (const path of ['/count', '/describe', '/count', '/stream?lines=100', '/count']) {
    const { head, body } = request(script, path);
    assert.equal(head?.status, 200);
    if (path === '/count') assert.equal(body, '1\n');
    assert.equal(script.restore(), true);
    assert.deepEqual(script.digest(), expected);
  }
  script.close();
  closeImage(kept.image);
  closeImage(deployment.image);
});

test('deployHere() makes components anew whose instantiation asks the host, or that have two memories', async () => {
  const asks = `(component
    (import "wasi:random/random@0.2.0" (instance $random (export "get-random-u64" (func (result u64)))))
    (alias export $random "get-random-u64" (func $draw))
    (core func $draw-core (canon lower (func $draw)))
    (core module $m
      (import "host" "draw" (func $draw (result i64)))
      (global $drawn (mut i64) (i64.const 0))
      (func $start (global.set $drawn (call $draw)))
      (start $start)
      (func (export "drawn") (result i64) (global.get $drawn)))
    (core instance $i (instantiate $m (with "host" (instance (export "draw" (func $draw-core))))))
    (func (export "drawn") (result u64) (canon lift (core func $i "drawn"))))`;
  const [definition, deployment] = await deployed(await parse(asks));
  assert.deepEqual(
    [deployment.strategy, deployment.calibration.reason],
    ['fresh', 'only fresh is exact: its instantiation calls the host'],
  );
  const drawn = new Set([0, 1].map(() => call(new ComponentVm(definition), 'drawn')));
  assert.equal(drawn.size, 2);
  const two = `(component
    (core module $m (memory 1) (func (export "run")))
    (core instance $i (instantiate $m))
    (core instance $k (instantiate $m))
    (core module $n (memory 1) (func (export "run")))
    (core instance $l (instantiate $n))
    (func (export "run") (canon lift (core func $i "run"))))`;
  const [, second] = await deployed(await parse(two));
  assert.deepEqual(
    [second.strategy, second.calibration.reason],
    ['fresh', 'only fresh is exact: it has more than one memory'],
  );
});

test('deployHere() makes a component anew for each call where its manifest says fresh', async () => {
  const definition = await defineComponent(await commandComponent('echo'));
  assert.equal(deployHere({ ...definition, strategy: 'fresh' }).strategy, 'fresh');
});

test('deployHere() makes a component anew whose start functions hold handles of the glue', async () => {
  for (const wish of ['never', 'always'] as const) {
    const definition = { ...(await defineComponent(await parse(HOLDING), { wish })), id: 'holding' };
    const { strategy, calibration } = deployHere(definition);
    assert.deepEqual(
      [strategy, calibration.reason],
      ['fresh', 'only fresh is exact: its instantiation calls the glue'],
    );
    const thread = new GuestThread({ space: new AddressSpace(new SharedArrayBuffer(4), 10) });
    await thread.deploy(definition);
    for (let call = 0; call < 3; call++) {
      let bytes = new Uint8Array();
      const sink = { result: (given: Uint8Array): void => void (bytes = new Uint8Array(given)) };
      const component = { kind: 'function', interface: undefined, name: 'held', arguments: [], sink } as const;
      const { kind } = thread.invoke(definition.id, { input: new Uint8Array(), component }, monotonicNs(), 0);
      assert.equal(kind, 'ok');
      assert.deepEqual(decodeResult(bytes), { kind: 'value', value: 77 });
      thread.settle(definition.id);
    }
    thread.close();
  }
});
