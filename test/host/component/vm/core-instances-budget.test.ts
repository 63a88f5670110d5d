/** The memories and tables of all core instances of a component: within one budget, counted, and few enough. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools';
import { AddressSpace } from '../../../../host/linux/address-space.ts';
import { ComponentVm } from '../../../../host/component/vm/component-vm.ts';
import { decodeResult } from '../../../../host/component/vm/exported-function.ts';
import { deployHere } from '../../../../host/thread/deploy.ts';
import { GuestThread } from '../../../../host/thread/guest-thread.ts';
import { monotonicNs } from '../../../../host/monotonic.ts';
import { defineComponent } from '../components.ts';
import { WASM_PAGE_BYTES } from '../../../../host/wasm-page.ts';

/** One module twice, another once, and one that grows the memory and the table it imports. */
const SEVERAL = `(component
  (core module $m (memory (export "memory") 1) (table $t (export "table") 2 funcref)
    (func (export "pages") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "elements") (param i32) (result i32) (table.grow $t (ref.null func) (local.get 0))))
  (core instance $a (instantiate $m))
  (core instance $b (instantiate $m))
  (core module $n (memory (export "memory") 2 4) (table $t 1 externref)
    (func (export "pages") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "elements") (param i32) (result i32) (table.grow $t (ref.null extern) (local.get 0))))
  (core instance $c (instantiate $n))
  (core module $o (import "a" "memory" (memory 1)) (import "a" "table" (table $t 2 funcref))
    (func (export "pages") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "elements") (param i32) (result i32) (table.grow $t (ref.null func) (local.get 0))))
  (core instance $d (instantiate $o (with "a" (instance $a))))
  ${['a', 'b', 'c', 'd']
    .flatMap((instance) =>
      ['pages', 'elements'].map(
        (what) =>
          `(func (export "${what}-${instance}") (param "by" u32) (result s32) (canon lift (core func $${instance} "${what}")))`,
      ),
    )
    .join('\n')})`;

const CALL = { input: new Uint8Array(), arguments: [], environment: {} };

function call(vm: ComponentVm, name: string, ...values: readonly unknown[]): unknown {
  let value: unknown;
  const sink = { result: (bytes: Uint8Array): void => void (value = decodeResult(bytes)) };
  const component = { kind: 'function', interface: undefined, name, arguments: values, sink } as const;
  const { kind } = vm.run({ ...CALL, component }, 0);
  return kind === 'ok' ? (value as { value?: unknown }).value : kind;
}

const DELTAS = fc.oneof(fc.nat(3), fc.constantFrom(0, 9, 10, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1));
const STEPS = fc.array(
  fc.tuple(
    fc.constantFrom('pages' as const, 'elements' as const),
    fc.constantFrom('a' as const, 'b' as const, 'c' as const, 'd' as const),
    DELTAS,
  ),
  { maxLength: 30 },
);

test('CoreInstances keep all memories and all tables of a component within one budget each, exactly', async () => {
  const [pagesCap, elementsCap] = [12, 15];
  const limits = { memoryBytes: pagesCap * WASM_PAGE_BYTES, tableElements: elementsCap };
  const definition = await defineComponent(await parse(SEVERAL), { limits });
  let refused = 0;
  fc.assert(
    fc.property(STEPS, (steps) => {
      const vm = new ComponentVm({ ...definition, reuse: 1000 });
      const sizes = { pages: { a: 1, b: 1, c: 2 }, elements: { a: 2, b: 2, c: 1 } };
      const caps = { pages: pagesCap, elements: elementsCap };
      for (const [what, instance, by] of steps) {
        const of = sizes[what];
        const owner = instance === 'd' ? 'a' : instance;
        const isOver = of.a + of.b + of.c + by > caps[what] || (what === 'pages' && owner === 'c' && of.c + by > 4);
        const expected = isOver ? -1 : of[owner];
        if (isOver) refused++;
        else of[owner] += by;
        assert.equal(call(vm, `${what}-${instance}`, by), expected, `${what}-${instance}(${by})`);
      }
      assert.equal(vm.usage().memoryBytes, (sizes.pages.a + sizes.pages.b + sizes.pages.c) * WASM_PAGE_BYTES);
      vm.close();
    }),
    { numRuns: 60 },
  );
  assert.ok(refused > 50, `${refused} refusals`);
});

const many = (count: number, pages: number, elements = 0): string => `(component
  (core module $m (memory ${pages}) (table ${elements} funcref) (func (export "f") (result i32) (i32.const 7)))
  ${Array.from({ length: count }, (_, at) => `(core instance $i${at} (instantiate $m))`).join('')}
  (func (export "f") (result u32) (canon lift (core func $i0 "f"))))`;

/** `breadth` to the power of `depth` core instances, in a kilobyte or two. */
function nested(breadth: number, depth: number): string {
  let inner = `(component $c0 (core module $m (func (export "f") (result i32) (i32.const 5)))
    (core instance $i (instantiate $m)) (func (export "f") (result u32) (canon lift (core func $i "f"))))`;
  for (let level = 1; level <= depth; level++) {
    const instances = Array.from({ length: breadth }, (_, at) => `(instance $j${at} (instantiate $c${level - 1}))`);
    inner = `(component $c${level} ${inner} ${instances.join('')} (export "f" (func $j0 "f")))`;
  }
  return inner;
}

test('deployHere() refuses a component whose core instances together begin with more than its limits', async () => {
  const memories = await defineComponent(await parse(many(20, 100)), {
    limits: { memoryBytes: 1999 * WASM_PAGE_BYTES },
  });
  assert.throws(() => deployHere(memories), {
    code: 'ERR_NEBULA_MEMORY_MINIMUM',
    fields: { minimumBytes: 2000 * WASM_PAGE_BYTES, limitBytes: 1999 * WASM_PAGE_BYTES },
  });
  const tables = await defineComponent(await parse(many(20, 1, 50)), { limits: { tableElements: 999 } });
  assert.throws(() => deployHere(tables), {
    code: 'ERR_NEBULA_TABLE_MINIMUM',
    fields: { minimum: 1000, limit: 999 },
  });
  deployHere(await defineComponent(await parse(many(20, 100)), { limits: { memoryBytes: 2000 * WASM_PAGE_BYTES } }));
});

test('deployHere() refuses a component of too many memories or core instances before it makes them', async () => {
  const space = new AddressSpace(new SharedArrayBuffer(4), 1000);
  const memories = await defineComponent(await parse(many(65, 1)));
  assert.throws(() => deployHere(memories, space), /MODULE_UNSUPPORTED|more than 64 memories/);
  assert.equal(space.live, 64);
  const instances = await defineComponent(await parse(nested(11, 3)));
  assert.throws(() => deployHere(instances), /more than 1000 core instances/);
});

test('GuestThread counts each memory of each core instance, before V8 reserves it', async () => {
  const space = new AddressSpace(new SharedArrayBuffer(4), 10);
  const thread = new GuestThread({ space });
  const definition = await defineComponent(await parse(many(6, 1)));
  await thread.deploy({ ...definition, id: 'one' });
  const made = space.live;
  assert.ok(made >= 6 && made <= 10, `${made} live`);
  const { image, strategy } = deployHere(definition);
  const small = new AddressSpace(new SharedArrayBuffer(4), 5);
  const crowded = new GuestThread({ space: small });
  crowded.install(definition, image, strategy);
  const invocation = { input: new Uint8Array() };
  assert.throws(() => crowded.invoke(definition.id, invocation, monotonicNs(), 0), {
    code: 'ERR_NEBULA_ADDRESS_SPACE',
  });
  assert.ok(small.live <= 5, `${small.live} live`);
  await small.reclaim();
  assert.equal(small.live, 0, 'what was made of it is collected and counted no more');
});

test('deployHere() makes a component anew that has one core module twice, and so two memories', async () => {
  const definition = await defineComponent(await parse(SEVERAL));
  const deployment = deployHere(definition);
  assert.deepEqual(
    [deployment.strategy, deployment.calibration.reason],
    ['fresh', 'only fresh is exact: it has more than one memory'],
  );
  const twice = await defineComponent(await parse(many(2, 1)));
  assert.equal(twice.prepared.info.memories, 1);
  const { strategy, calibration } = deployHere(twice);
  assert.deepEqual([strategy, calibration.reason], ['fresh', 'only fresh is exact: it has more than one memory']);
});
