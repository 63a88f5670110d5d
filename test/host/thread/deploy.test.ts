import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deployHere } from '../../../host/thread/deploy.ts';
import { initialise } from '../../../host/micro-vm/initialise.ts';
import { isNebulaError, type ErrorName } from '../../../host/errors.ts';
import { encodeSnapshot } from '../../../host/snapshot/codec.ts';
import type { Snapshot } from '../../../host/snapshot/snapshot.ts';
import { define, defineGuest, Deployed, type Given } from '../function.ts';

const REACTOR = `(module (memory (export "memory") 2 8)
  (global $g (mut i32) (i32.const 1)) (global $f (mut funcref) (ref.null func))
  (table $t 2 funcref) (elem declare func $one)
  (func $one (result i32) (i32.const 1))
  (func (export "wizer.initialize") (global.set $g (i32.const 5)) (global.set $f (ref.func $one))
    (table.set $t (i32.const 1) (ref.func $one)) (i32.store (i32.const 70000) (i32.const 6)))
  (func (export "handle") (result i32)
    (i32.or (i32.or (i32.ne (global.get $g) (i32.const 5)) (i32.ne (call_indirect (result i32) (i32.const 1)) (i32.const 1)))
      (i32.or (i32.ne (i32.load (i32.const 70000)) (i32.const 6)) (ref.is_null (global.get $f))))))`;

async function snapshotOf(module: string): Promise<Snapshot> {
  return initialise(await define(module)).snapshot;
}

async function refusalOf(snapshot: Snapshot, given: Given = {}): Promise<ErrorName> {
  const definition = await define(REACTOR, { ...given, snapshot: encodeSnapshot(snapshot) });
  try {
    deployHere(definition);
  } catch (error) {
    assert.ok(isNebulaError(error), `expected a NebulaError, got ${String(error)}`);
    return error.key;
  }
  throw assert.fail('the snapshot was accepted');
}

test('deployHere() starts from a stored snapshot without initialising', async () => {
  const snapshot = encodeSnapshot(await snapshotOf(REACTOR));
  // An initialisation would fail under this name.
  const deployed = new Deployed(await define(REACTOR, { snapshot, init: { export: 'no such export' } }));
  for (let call = 0; call < 3; call++) {
    assert.deepEqual(deployed.run(), { kind: 'ok' });
    assert.equal(deployed.settle(), true);
  }
  assert.deepEqual(deployed.deployment.reads, []);
});

test('deployHere() starts a committed reactor from its stored snapshot', async () => {
  const stored = encodeSnapshot(initialise(await defineGuest('lookup')).snapshot);
  const deployed = new Deployed(await defineGuest('lookup', { snapshot: stored, init: { export: 'nebula_init' } }));
  assert.deepEqual(deployed.run('7\n'), { kind: 'ok' });
  assert.match(deployed.text, /^7 [0-9a-f]{16}\n$/);
});

test('deployHere() refuses a snapshot of another module', async () => {
  const other = await snapshotOf('(module (memory 2) (func (export "_start")))');
  assert.equal(await refusalOf(other), 'SNAPSHOT_MISMATCH');
});

test('deployHere() refuses a snapshot larger than the memory limit', async () => {
  const snapshot = { ...(await snapshotOf(REACTOR)), memoryBytes: 4 * 65_536 };
  assert.equal(await refusalOf(snapshot, { limits: { memoryBytes: 3 * 65_536 } }), 'MEMORY_MINIMUM');
});

test('deployHere() refuses a whole snapshot whose state is not the module’s', async () => {
  const snapshot = await snapshotOf(REACTOR);
  const wrong: [string, Partial<Snapshot>][] = [
    ['less memory than the module has', { memoryBytes: 65_536, runs: [] }],
    ['a global that is not there', { globals: [{ index: 77, kind: 'i32', value: 1 }] }],
    ['a global of another type', { globals: [{ index: 0, kind: 'i64', value: 1n }] }],
    ['lanes for a global that has none', { globals: [{ index: 0, kind: 'bits', lanes: [1n] }] }],
    ['a reference to no function', { globals: [{ index: 1, kind: 'reference', functionIndex: 99 }] }],
    ['a table that is not there', { tables: [{ index: 3, elements: [null] }] }],
    ['an element that refers to no function', { tables: [{ index: 0, elements: [null, 99] }] }],
    ['a segment that the module does not drop', { dropped: [{ kind: 'data', index: 0 }] }],
  ];
  for (const [what, part] of wrong) assert.equal(await refusalOf({ ...snapshot, ...part }), 'SNAPSHOT_CORRUPT', what);
});

test('deployHere() refuses a snapshot with a memory for a module without one', async () => {
  const module = '(module (func (export "_start")))';
  const snapshot = { ...(await snapshotOf(module)), memoryBytes: 65_536 };
  const definition = await define(module, { snapshot: encodeSnapshot(snapshot) });
  assert.throws(() => deployHere(definition), { code: 'ERR_NEBULA_SNAPSHOT_CORRUPT' });
});
