/** Bindings that a module imports as they are. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BindingError } from '../../../host/bindings/binding-error.ts';
import { rawBinding, type RawGuest } from '../../../host/bindings/raw.ts';
import { assemble } from '../../wat.ts';
import { deployCaller, open } from './bindings.ts';

/** Exits with what `$twice` makes of 21, after `$note` was shown "order 7", and `$wide` a number of 64 bits. */
const PLUG_IN = `(module
  (import "env" "twice" (func $twice (param i32) (result i32)))
  (import "env" "note" (func $note (param i32 i32)))
  (import "env" "wide" (func $wide (param i64 f64) (result i64)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 8) "order 7")
  (func (export "_start")
    (drop (memory.grow (i32.const 1)))
    (call $note (i32.const 8) (i32.const 7))
    (drop (call $wide (i64.const 9007199254740993) (f64.const 0.5)))
    (call $exit (call $twice (i32.const 21)))))`;

const GRANT = { name: 'plug-in', capabilities: { bindings: ['host'] } };
const twice = (_: RawGuest, value: number): number => value * 2;
const nothing = (): void => undefined;
/** Throws what is meant for a guest. */
const fail = (): never => {
  throw new BindingError('tenant 7 owes 250', { cause: new Error('secret of the database') });
};
const wide = (_: RawGuest, value: bigint): bigint => value;

test('rawBinding gives a module in thread the functions it imports, with a view of its memory', async (context) => {
  const notes: unknown[] = [];
  const host = rawBinding('env', {
    twice,
    note: ({ memory, functionName, caller }: RawGuest, at: number, length: number) => {
      notes.push([Buffer.from(memory.subarray(at, at + length)).toString(), memory.length, functionName, caller]);
      memory.fill(0, at, at + length);
    },
    wide: (_: RawGuest, value: bigint, share: number) => {
      notes.push([value, share]);
      return value;
    },
  });
  const nebula = await open(context, 'in-thread', { host });
  await nebula.deploy(await assemble(PLUG_IN), GRANT);
  for (let call = 0; call < 2; call++) {
    const outcome = await nebula.invoke('plug-in', '', { caller: 'me' });
    assert.equal(outcome.kind === 'exit' && outcome.exitCode, 42);
  }
  const once = [
    ['order 7', 131_072, 'plug-in', 'me'],
    [9_007_199_254_740_993n, 0.5],
  ];
  assert.deepEqual(notes, [...once, ...once]);
});

test('rawBinding is refused for guests of other threads, without a grant, and by another type', async (context) => {
  const host = rawBinding('env', { twice, note: nothing, wide });
  const module = await assemble(PLUG_IN);
  const pool = await open(context, 'worker', { host });
  await assert.rejects(pool.deploy(module, GRANT), {
    code: 'ERR_NEBULA_BINDING_REFUSED',
    message: /binding "host": expected functions of bytes, since guests run in other threads .*, got raw functions/,
  });
  const nebula = await open(context, 'in-thread', { host, other: rawBinding('env', { twice }) });
  await assert.rejects(nebula.deploy(module, { name: 'plug-in' }), { code: 'ERR_NEBULA_UNKNOWN_IMPORT' });
  await assert.rejects(
    nebula.deploy(module, { ...GRANT, capabilities: { bindings: ['other'] } }),
    /env\.note, env\.wide|UNKNOWN|unknown imports \(2\)/,
  );
  await assert.rejects(
    nebula.deploy(module, { ...GRANT, capabilities: { bindings: ['host', 'other'] } }),
    /another has, too/,
  );
  const typed = await assemble('(module (import "env" "twice" (func (param funcref))) (func (export "_start")))');
  await assert.rejects(nebula.deploy(typed, GRANT), { code: 'ERR_NEBULA_UNKNOWN_IMPORT' });
  const early = await assemble(
    '(module (import "env" "note" (func $note (param i32 i32))) (func $s (call $note (i32.const 0) (i32.const 0))) (start $s) (func (export "handle")))',
  );
  await assert.rejects(nebula.deploy(early, GRANT), /env\.note of the binding host was called before the snapshot/);
});

for (const [what, run, message] of [
  ['throws', () => assert.fail('secret'), 'env.twice of the binding host failed'],
  [
    'throws a BindingError',
    () => {
      throw new BindingError('no such thing');
    },
    'env.twice of the binding host failed: no such thing',
  ],
  ['answers a bigint for a number', () => 1n, 'env.twice of the binding host answered bigint: expected a number'],
  [
    'answers nothing for a number',
    () => undefined,
    'env.twice of the binding host answered undefined: expected a number',
  ],
  ['answers a text', () => 'x' as never, 'env.twice of the binding host failed'],
  ['answers a promise', () => Promise.reject(new Error('later')) as never, 'env.twice of the binding host failed'],
] as const) {
  test(`rawBinding ends a guest with a trap where its function ${what}`, async (context) => {
    const nebula = await open(context, 'in-thread', { host: rawBinding('env', { twice: run, note: nothing, wide }) });
    await nebula.deploy(await assemble(PLUG_IN), GRANT);
    for (let call = 0; call < 2; call++) {
      const outcome = await nebula.invoke('plug-in');
      assert.equal(outcome.kind === 'trap' && outcome.message, message);
    }
  });
}

test('rawBinding refuses modules of its own and what is no function', () => {
  for (const module of ['nebula', 'wasi_snapshot_preview1', 'wasi_unstable', '', 7 as never])
    assert.throws(() => rawBinding(module, { twice }), { code: 'ERR_NEBULA_ARGUMENT' });
  for (const functions of [{}, null, { twice: 1 }, { twice: async () => 1 }])
    assert.throws(() => rawBinding('env', functions as never), { code: 'ERR_NEBULA_ARGUMENT' });
});

test('a binding keeps what it says to its guest from callers over HTTP', async (context) => {
  const host = rawBinding('env', { twice: fail, note: nothing, wide });
  const nebula = await open(context, 'in-thread', { host, orders: { fail } });
  await nebula.deploy(await assemble(PLUG_IN), GRANT);
  await deployCaller(nebula);
  for (const [name, body] of [
    ['plug-in', ''],
    ['caller', 'orders.fail'],
  ] as const) {
    const response = await nebula.fetch(new Request(`http://localhost/invoke/${name}`, { method: 'POST', body }));
    const text = await response.text();
    assert.ok(response.status >= 500, `${response.status}`);
    assert.doesNotMatch(`${text}${JSON.stringify([...response.headers])}`, /250|secret|owes|binding/);
  }
});
