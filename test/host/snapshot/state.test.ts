import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InstanceState } from '../../../host/snapshot/state.ts';
import type { Snapshot } from '../../../host/snapshot/snapshot.ts';
import { assemble } from '../../wat.ts';
import { define } from '../function.ts';

/** A live instance of a module that the rewriting has been through. */
async function prepared(
  wat: string,
): Promise<{ readonly state: InstanceState; readonly another: () => InstanceState }> {
  const { compiled } = (await define(wat)).prepared;
  const another = (): InstanceState => new InstanceState(compiled, new WebAssembly.Instance(compiled));
  return { state: another(), another };
}

/** Of a module that has the added exports of its own making, and so what the rewriting never makes. */
async function made(wat: string): Promise<InstanceState> {
  const module = new WebAssembly.Module(await assemble(wat));
  return new InstanceState(module, new WebAssembly.Instance(module));
}

const partsOf = ({ globals, tables, dropped }: Snapshot): object => ({ globals, tables, dropped });

const GUEST = `(module (memory (export "memory") 2) (table $t 3 funcref) (elem (i32.const 0) $one)
  (elem $e funcref (ref.func $two)) (data $d "x") (data $k "y")
  (global $i (mut i32) (i32.const 5)) (global i32 (i32.const 6)) (global $I (mut i64) (i64.const -7))
  (global $f (mut f32) (f32.const 1)) (global $v (mut v128) (v128.const i64x2 3 -4)) (global $r (mut funcref) (ref.func $two))
  (func $one (export "one")) (func $two)
  (func (export "set") (table.set $t (i32.const 1) (ref.func $two)))
  (func (export "drop") (data.drop $d) (elem.drop $e))
  (func (export "keep") (data.drop $k))
  (func (export "change") (global.set $i (i32.const 50)) (global.set $I (i64.const 70)) (global.set $f (f32.const 2))
    (global.set $v (v128.const i64x2 30 40)) (global.set $r (ref.func $one)))
  (func (export "handle")))`;

// Functions 0 and 1, in the order of the text.
const UNCHANGED = [
  { index: 0, kind: 'i32', value: 5 },
  { index: 2, kind: 'i64', value: -7n },
  { index: 5, kind: 'reference', functionIndex: 1 },
  { index: 3, kind: 'bits', lanes: [0x3f80_0000n] },
  { index: 4, kind: 'bits', lanes: [3n, -4n] },
];
const CHANGED = [
  { index: 0, kind: 'i32', value: 50 },
  { index: 2, kind: 'i64', value: 70n },
  { index: 5, kind: 'reference', functionIndex: 0 },
  { index: 3, kind: 'bits', lanes: [0x4000_0000n] },
  { index: 4, kind: 'bits', lanes: [30n, 40n] },
];

test('InstanceState.read() has each mutable global by its index, and tables and segments only once they changed', async () => {
  const { state } = await prepared(GUEST);
  state.captureInPlace();
  assert.deepEqual(partsOf(state.read('d', [])), { globals: UNCHANGED, tables: [], dropped: [] });
  state.function('change')();
  state.function('set')();
  state.function('drop')();
  const changed = { globals: CHANGED, tables: [{ index: 0, elements: [0, 1, null] }] };
  const dropped = [
    { kind: 'data', index: 0 },
    { kind: 'element', index: 1 },
  ];
  const snapshot = state.read('d', []);
  assert.deepEqual(partsOf(snapshot), { ...changed, dropped });
  assert.deepEqual([snapshot.digest, snapshot.memoryBytes], ['d', 131_072]);
});

test('InstanceState.write() makes another instance what was read, in every part', async () => {
  const { state, another } = await prepared(GUEST);
  state.captureInPlace();
  for (const name of ['change', 'set', 'drop']) state.function(name)();
  const snapshot = state.read('d', []);
  const copy = another();
  copy.captureInPlace();
  copy.write({ ...snapshot, memoryBytes: 3 * 65_536 });
  assert.equal(copy.memory?.buffer.byteLength, 3 * 65_536);
  assert.deepEqual(copy.readGlobals(), snapshot.globals);
  assert.deepEqual(copy.readTables(), snapshot.tables);
  assert.deepEqual(copy.read('d', []).dropped, snapshot.dropped);
});

test('InstanceState.restoreInPlace() puts globals and tables back, and says where it cannot: a segment was dropped', async () => {
  const { state } = await prepared(GUEST);
  state.captureInPlace();
  state.function('change')();
  assert.equal(state.restoreInPlace(), true);
  state.function('set')();
  assert.equal(state.restoreInPlace(), true);
  assert.deepEqual(state.readTables(), [{ index: 0, elements: [0, null, null] }]);
  assert.deepEqual(state.readGlobals(), UNCHANGED);
  state.function('keep')();
  assert.equal(state.restoreInPlace(), false);
});

test('InstanceState.read() holds the pages that are not zero and those it is told to keep, once and in order', async () => {
  const { state } = await prepared(
    '(module (memory (export "memory") 1) (data (i32.const 8192) "x") (func (export "handle")))',
  );
  const offsets = (keep: readonly number[]): number[][] =>
    state.read('', keep).runs.map(({ offset, bytes }) => [offset / 4096, bytes.length / 4096]);
  assert.deepEqual(offsets([]), [[2, 1]]);
  assert.deepEqual(offsets([10, 2, 0]), [
    [0, 1],
    [2, 1],
    [10, 1],
  ]);
  assert.deepEqual(offsets([3]), [[2, 2]]);
});

// A module may not export names that begin as those of the rewriting do; any others it may.
test('InstanceState takes no export of the guest for one of its own', async () => {
  const names = ['nebula:memory', 'nebula:memory0', 'nebula:table0', 'nebula:function0', 'nebula:dropped-data0'];
  const more = ['nebula:global0', 'nebula:global0:get0', 'nebula:global0:get1', 'nebula:dropped-element0'];
  const exported = [...names, ...more].map((name) => `(export "x${name}")`).join(' ');
  const { state } = await prepared(
    `(module (memory (export "memory") 1) (func ${exported} (export "handle") (export "other")))`,
  );
  state.captureInPlace();
  assert.deepEqual(partsOf(state.read('', [])), { globals: [], tables: [], dropped: [] });
  assert.deepEqual(state.readTables(), []);
  assert.equal(state.memories.length, 1);
  assert.equal(state.restoreInPlace(), true);
  assert.deepEqual(
    [state.hasFunction('other'), state.hasFunction('memory'), state.hasFunction('none')],
    [true, false, false],
  );
});

const ADDED = '(func (export "nebula:capture")) (func (export "nebula:restore") (result i32) (i32.const 0))';
const FLAGS =
  '(global (export "nebula:refused") (mut i32) (i32.const 0)) (global (export "nebula:tables-changed") (mut i32) (i32.const 1))';

test('InstanceState has the memory of a module, or all that it has where they are several', async () => {
  const none = await made(`(module ${FLAGS} ${ADDED})`);
  assert.deepEqual([none.memory, none.memories], [undefined, []]);
  assert.equal(none.read('', []).memoryBytes, 0);
  const one = await made(`(module (memory (export "nebula:memory") 1) ${FLAGS} ${ADDED})`);
  assert.deepEqual(one.memories, [one.memory]);
  // The V8 of Node 20 has one for each module: it stands for two here.
  const both = '(memory (export "nebula:memory") (export "nebula:memory0") (export "nebula:memory12") 1)';
  const two = await made(`(module ${both} ${FLAGS} ${ADDED})`);
  assert.deepEqual(two.memories, [two.memory, two.memory]);
});

const refused = (where: string): object => ({
  key: 'SNAPSHOT_UNSUPPORTED',
  fields: { detail: `${where} holds a reference that no index names` },
});

test('InstanceState.read() names the global or table that holds a reference without an index', async () => {
  const global = await made(
    `(module ${FLAGS} (global (export "nebula:global2") (mut funcref) (ref.func $f)) (func $f) ${ADDED})`,
  );
  assert.throws(() => global.read('', []), refused('global 2'));
  const table = await made(
    `(module (table (export "nebula:table1") 1 funcref) (elem (i32.const 0) $f) (func $f) ${FLAGS} ${ADDED})`,
  );
  assert.throws(() => table.read('', []), refused('table 1'));
});
