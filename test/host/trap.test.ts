import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TRAP_REASONS, type TrapReason } from '../../host/outcome.ts';
import { trapOf } from '../../host/trap.ts';
import { deploy, defineGuest, Deployed } from './function.ts';

const TRAPS: readonly (readonly [reason: TrapReason, body: string])[] = [
  ['unreachable', 'unreachable'],
  ['memory-out-of-bounds', '(drop (i32.load (i32.const 65533)))'],
  ['memory-out-of-bounds', '(i32.store offset=4294967295 (i32.const 0) (i32.const 1))'],
  ['memory-out-of-bounds', '(memory.fill (i32.const 65536) (i32.const 0) (i32.const 1))'],
  ['memory-out-of-bounds', '(memory.init $d (i32.const 0) (i32.const 0) (i32.const 9))'],
  ['memory-out-of-bounds', '(v128.store (i32.const 65521) (v128.const i64x2 0 0))'],
  ['table-out-of-bounds', '(call_indirect (i32.const 4))'],
  ['table-out-of-bounds', '(drop (table.get $t (i32.const 4)))'],
  ['table-out-of-bounds', '(table.set $t (i32.const -1) (ref.null func))'],
  ['table-out-of-bounds', '(table.fill $t (i32.const 3) (ref.null func) (i32.const 2))'],
  ['table-out-of-bounds', '(table.copy $t $t (i32.const 3) (i32.const 0) (i32.const 2))'],
  ['table-out-of-bounds', '(table.init $t $e (i32.const 0) (i32.const 0) (i32.const 2))'],
  ['indirect-call-mismatch', '(drop (call_indirect (result i64) (i32.const 0)))'],
  ['integer-divide-by-zero', '(drop (i32.div_u (i32.const 1) (local.get $zero)))'],
  ['integer-divide-by-zero', '(drop (i64.rem_s (i64.const 1) (i64.extend_i32_u (local.get $zero))))'],
  ['integer-overflow', '(drop (i32.div_s (i32.const 0x80000000) (i32.sub (local.get $zero) (i32.const 1))))'],
  ['invalid-conversion', '(drop (i32.trunc_f64_s (f64.const 1e300)))'],
  ['invalid-conversion', '(drop (i64.trunc_f32_u (f32.const nan)))'],
  ['stack-overflow', '(call $deep)'],
  ['uncaught-exception', '(throw $tag (i32.const 1))'],
];

const module = (
  body: string,
): string => `(module (memory (export "memory") 1) (table $t 4 funcref) (tag $tag (param i32))
  (elem (i32.const 0) $deep) (elem $e funcref (ref.func $deep)) (data $d "12345678")
  (func $deep (call $deep) (call $deep)) (func (export "_start") (local $zero i32) ${body}))`;

for (const [reason, body] of TRAPS) {
  test(`trapOf() calls ${body} ${reason}`, async () => {
    const guest = await deploy(module(body));
    const ending = guest.run();
    assert.equal(ending.kind, 'trap');
    assert.equal(ending.kind === 'trap' && ending.reason, reason, JSON.stringify(ending));
    assert.equal(guest.settle(), false, 'what trapped is discarded');
  });
}

test('trapOf() calls the call of an empty element a trap of the table’s', async () => {
  const ending = (await deploy(module('(call_indirect (i32.const 3))'))).run();
  // V8 of Node 20 does not tell an empty element from one of another signature.
  assert.ok(ending.kind === 'trap' && ['indirect-call-mismatch', 'null-reference'].includes(ending.reason));
});

test('trapOf() leaves out no reason but those that no guest reaches here', () => {
  const reached = new Set(TRAPS.map(([reason]) => reason));
  assert.deepEqual(
    TRAP_REASONS.filter((reason) => !reached.has(reason)),
    ['null-reference', 'missing-import', 'other'],
  );
});

const reasonOf = (message: string): unknown => trapOf(new WebAssembly.RuntimeError(message))?.reason;

test('trapOf() knows a null reference and a trap it has no name for by V8’s messages', () => {
  assert.equal(reasonOf('dereferencing a null pointer'), 'null-reference');
  assert.equal(reasonOf('illegal cast'), 'other');
});

test('trapOf() does not take a fault of the host for a trap', () => {
  for (const thrown of [new RangeError('Invalid array length'), new TypeError('x'), 'text', null, undefined, 7]) {
    assert.equal(trapOf(thrown), undefined);
  }
});

test('trapOf() names the traps of the committed guests', async () => {
  for (const [path, reason] of [
    ['guests/trap-unreachable', 'unreachable'],
    ['guests/stack-overflow', 'stack-overflow'],
  ] as const) {
    const ending = new Deployed(await defineGuest(path)).run();
    assert.equal(ending.kind === 'trap' && ending.reason, reason);
  }
});
