/** A module with a budget does what it did, and none runs without end. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assemble } from '../../wat.ts';
import { BudgetedInstance, rewritten } from './budgeted.ts';

/** Guests that never end by themselves, in every way there is to go on. Each exports `run`. */
const ENDLESS: Readonly<Record<string, string>> = {
  'a loop': '(func (export "run") (loop $l (br $l)))',
  'a loop in a function that gives values': '(func (export "run") (result i32 i64) (loop $l (result i32 i64) (br $l)))',
  'a loop that takes values':
    '(func (export "run") (i32.const 1) (i64.const 2) (loop $l (param i32 i64) (result i32 i64) (br $l)) (drop) (drop))',
  'a loop by br_if': '(func (export "run") (loop $l (br_if $l (i32.const 1))))',
  'a loop by br_table':
    '(func (export "run") (local $i i32) (loop $l (local.set $i (i32.xor (local.get $i) (i32.const 1))) (block $b (br_table $l $b $l (local.get $i))) (br $l)))',
  'a loop in a loop that ends':
    '(func (export "run") (local $i i32) (loop $o (local.set $i (i32.const 9)) (loop $l (local.set $i (i32.sub (local.get $i) (i32.const 1))) (br_if $l (local.get $i))) (br $o)))',
  recursion: '(func $f (export "run") (call $f))',
  'recursion with work behind it': '(func $f (export "run") (result i32) (i32.add (call $f) (i32.const 1)))',
  'two functions in turn': '(func $f (export "run") (call $g)) (func $g (call $f))',
  'recursion by a table':
    '(table 1 funcref) (elem (i32.const 0) $f) (func $f (export "run") (call_indirect (i32.const 0)))',
  'a tail call': '(func $f (export "run") (return_call $f))',
  'tail calls in turn': '(func $f (export "run") (return_call $g)) (func $g (return_call $f))',
  'tail calls by a table':
    '(table 1 funcref) (elem (i32.const 0) $f) (func $f (export "run") (return_call_indirect (i32.const 0)))',
  'a tail call behind a loop':
    '(func $f (export "run") (param $i i32) (loop $l (br_if $l (i32.eqz (local.tee $i (i32.eqz (local.get $i)))))) (return_call $f (i32.const 0)))',
  'small functions called in a loop': '(func $s) (func (export "run") (loop $l (call $s) (br $l)))',
  'a loop that catches all':
    '(func $f (call $f)) (func (export "run") (loop $l (try (do (call $f)) (catch_all)) (br $l)))',
  'a loop in what catches all': '(func (export "run") (loop $o (try (do (loop $l (br $l))) (catch_all)) (br $o)))',
  'exceptions thrown in a loop': '(tag $e) (func (export "run") (loop $l (try (do (throw $e)) (catch $e)) (br $l)))',
  'exceptions thrown by a callee':
    '(tag $e) (func $t (throw $e)) (func (export "run") (loop $l (try (do (call $t)) (catch_all)) (br $l)))',
  'a rethrow':
    '(tag $e) (func (export "run") (loop $l (try (do (try (do (throw $e)) (catch $e (rethrow 0)))) (catch_all)) (br $l)))',
  'memory.fill': bulk('(memory.fill (i32.const 0) (i32.const 1) (i32.const 65536))'),
  'memory.copy': bulk('(memory.copy (i32.const 0) (i32.const 1) (i32.const 65535))'),
  'memory.init': bulk('(memory.init $d (i32.const 0) (i32.const 0) (i32.const 3))'),
  'memory.grow': bulk('(drop (memory.grow (i32.const 0)))'),
  'table.fill': bulk('(table.fill $t (i32.const 0) (ref.null func) (i32.const 9))'),
  'table.copy': bulk('(table.copy $t $t (i32.const 0) (i32.const 1) (i32.const 9))'),
  'table.grow': bulk('(drop (table.grow $t (ref.null func) (i32.const 0)))'),
};

function bulk(instruction: string): string {
  return `(memory 1 2) (table $t 10 20 funcref) (data $d "abc") (func (export "run") (loop $l ${instruction} (br $l)))`;
}

for (const [what, fields] of Object.entries(ENDLESS)) {
  test(`a guest that never ends is asked for units and ended: ${what}`, async () => {
    const guest = new BudgetedInstance(await assemble(`(module ${fields})`), {}, { grants: 3 });
    assert.throws(
      () => guest.exports['run']?.(0),
      (error) => error instanceof WebAssembly.RuntimeError && error.message === 'unreachable',
    );
    assert.equal(guest.asked, 4);
    assert.ok(guest.left < 0, String(guest.left));
    // At every further check again.
    assert.throws(() => guest.exports['run']?.(0), WebAssembly.RuntimeError);
    assert.equal(guest.asked, 5);
  });
}

/** Ways to leave a loop or a function; each exports `run`, from an i32 to whatever it answers. */
const ENDINGS: Readonly<Record<string, string>> = {
  'the end of a loop': loops(''),
  return: loops('(if (i32.eq (local.get $i) (i32.const 3)) (then (return (local.get $s))))'),
  'br to the function': loops('(if (i32.eq (local.get $i) (i32.const 3)) (then (br 2 (local.get $s))))'),
  'br_if to the function': loops('(drop (br_if 1 (local.get $s) (i32.eq (local.get $i) (i32.const 3))))'),
  'br_table to the function': loops(
    '(drop (block $a (result i32) (br_table $a $a $a 2 $a (local.get $s) (local.get $i))))',
  ),
  unreachable: loops('(if (i32.eq (local.get $i) (i32.const 3)) (then unreachable))'),
  'a call in it': `(func $c (param i32) (result i32) (local $k i32) (loop $l (br_if $l (i32.lt_u (local.tee $k (i32.add (local.get $k) (i32.const 1))) (local.get 0)))) (local.get $k)) ${loops('(local.set $s (i32.add (local.get $s) (call $c (local.get $i))))')}`,
  'a small function in it': `(func $c (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3))) ${loops('(local.set $s (call $c (local.get $i)))')}`,
  'a tail call': `(func $c (param i32) (result i32) (loop $l (br_if $l (i32.eqz (local.tee 0 (i32.eqz (local.get 0)))))) (local.get 0)) ${loops('(if (i32.eq (local.get $i) (i32.const 3)) (then (return_call $c (local.get $s))))')}`,
  'a throw of a callee': `(tag $e) (func $t (param i32) (if (i32.eq (local.get 0) (i32.const 3)) (then (throw $e)))) (func $w (param i32) (local $k i32) (loop $l (call $t (local.get $k)) (br_if $l (i32.lt_u (local.tee $k (i32.add (local.get $k) (i32.const 1))) (local.get 0))))) (func (export "run") (param i32) (result i32) (try (do (call $w (local.get 0))) (catch_all (return (i32.const 5)))) (i32.const 6))`,
  'two results':
    '(func $two (param $n i32) (result i32 i64) (loop $l (if (i32.eqz (local.get $n)) (then (return (i32.const 4) (i64.const 5)))) (local.set $n (i32.sub (local.get $n) (i32.const 1))) (br $l)) unreachable) (func (export "run") (param i32) (result i32 i64) (call $two (local.get 0)))',
  recursion:
    '(func $f (export "run") (param i32) (result i32) (if (result i32) (i32.lt_s (local.get 0) (i32.const 2)) (then (local.get 0)) (else (i32.add (call $f (i32.sub (local.get 0) (i32.const 1))) (call $f (i32.sub (local.get 0) (i32.const 2)))))))',
};

/** A function that adds up numbers in a loop, with something in its body. */
function loops(inside: string): string {
  return `(func (export "run") (param $n i32) (result i32) (local $i i32) (local $s i32) (loop $l
    (local.set $i (i32.add (local.get $i) (i32.const 1))) (local.set $s (i32.add (local.get $s) (local.get $i)))
    ${inside} (br_if $l (i32.lt_u (local.get $i) (local.get $n)))) (local.get $s))`;
}

/** Units that a number of calls in a loop costs, of a function that does next to nothing with what it has. */
async function unitsOfCalls(called: string, call: string, calls: number): Promise<number> {
  const guest = new BudgetedInstance(
    await assemble(`(module ${called} (func (export "run") (param $i i32)
      (loop $l ${call} (br_if $l (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))))`),
    {},
    { grant: 1 << 30 },
  );
  guest.exports['run']?.(calls);
  return guest.spent;
}

test('a function pays for its locals at each call, and for parameters and results as they are', async () => {
  const calls = 100;
  const small = await unitsOfCalls('(func $f (local i32 i32 i32))', '(call $f)', calls);
  const locals = 'v128 '.repeat(16_000);
  const wide = await unitsOfCalls(`(func $f (local ${locals}))`, '(call $f)', calls);
  assert.ok(wide - small >= calls * 4000, `${wide - small}`);
  const looping = `(func $f (local ${locals}) (local $i i32) (loop $l (br_if $l (i32.eqz (local.tee $i (i32.eqz (local.get $i)))))))`;
  assert.ok((await unitsOfCalls(looping, '(call $f)', calls)) >= calls * 4000);
  const values = 'i32 '.repeat(1000);
  const piped = `(func $from (result ${values}) ${'(i32.const 1) '.repeat(1000)}) (func $to (param ${values}))`;
  const one = await unitsOfCalls(piped, '(call $from) (call $to)', calls);
  assert.ok(one >= calls * (1000 + 250 + 250), `${one}`);
});

test('a function that does nothing but take many values is charged at each call', async () => {
  const values = 'i32 '.repeat(1000);
  const taking = `(func $to (param ${values}))`;
  const pass = '(i32.const 0) '.repeat(1000);
  assert.ok((await unitsOfCalls(taking, `(call $to ${pass})`, 10)) >= 10 * (1000 + 250));
});

function outcome(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return String(error);
  }
}

for (const [what, fields] of Object.entries(ENDINGS)) {
  test(`a module with a budget does what it did, and counts the same each time: ${what}`, async () => {
    const bytes = await assemble(`(module ${fields})`);
    const plain = new WebAssembly.Instance(new WebAssembly.Module(rewritten(bytes, false))).exports as Record<
      string,
      (value: number) => unknown
    >;
    const guest = new BudgetedInstance(bytes, {}, { grant: 50, grants: 1000 });
    const other = new BudgetedInstance(bytes, {}, { grant: 1_000_000 });
    let last = 0;
    for (const value of [0, 1, 2, 5, 10]) {
      const expected = outcome(() => plain['run']?.(value));
      assert.deepEqual(
        outcome(() => guest.exports['run']?.(value)),
        expected,
      );
      assert.deepEqual(
        outcome(() => other.exports['run']?.(value)),
        expected,
      );
      assert.equal(guest.spent, other.spent);
      assert.ok(guest.spent > last);
      last = guest.spent;
    }
    assert.ok(guest.asked > 0 && other.asked === 0);
  });
}
