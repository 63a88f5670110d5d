/** A module with a budget does what it did, and none runs without end, in the instructions that not every Node knows. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import binaryen from 'binaryen';
import { readLayout } from '../../../host/module/layout.ts';
import { scanValid } from '../../../host/module/scan.ts';
import { THROW_UNITS } from '../../../host/module/unit-code.ts';
import { OP } from '../../../host/module/opcodes.ts';
import { moduleOf } from './binary-module.ts';
import { BudgetedInstance, rewritten } from './budgeted.ts';
import { ENDING, ENDLESS, QUIET } from './newer-modules.ts';

/** The first Node whose V8 knows all of them. */
const KNOWS_ALL = 26;

/** The binary of a module in text that has an instruction which wabt does not know. */
function assemble(fields: string, instruction: string): Uint8Array<ArrayBuffer> {
  const module = binaryen.parseText(`(module ${fields})`);
  module.setFeatures(binaryen.Features.All);
  const bytes = module.emitBinary();
  module.dispose();
  // Binaryen might have written it otherwise.
  const written = binaryen.readBinaryWithFeatures(bytes, binaryen.Features.All);
  const text = written.emitText();
  written.dispose();
  if (!text.includes(`(${instruction}`)) throw new Error(`there is no ${instruction} in ${text}`);
  return new Uint8Array(bytes);
}

/** Why V8 cannot run a module, or false. */
function skipOf(bytes: Uint8Array<ArrayBuffer>, instruction: string): string | false {
  const isOld = Number(process.versions.node.split('.')[0]) < KNOWS_ALL;
  return isOld && !WebAssembly.validate(bytes) ? `V8 ${process.versions.v8} has no ${instruction}` : false;
}

function outcome(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error instanceof WebAssembly.Exception ? 'an exception' : String(error);
  }
}

for (const [instruction, what, fields] of ENDING) {
  const bytes = assemble(fields, instruction);
  test(`${instruction} with a budget does what it did, and counts the same each time: ${what}`, {
    skip: skipOf(bytes, instruction),
  }, () => {
    const plain = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as Record<
      string,
      (value: number) => unknown
    >;
    const guest = new BudgetedInstance(bytes, {}, { grant: 50, grants: 1000 });
    const other = new BudgetedInstance(bytes, {}, { grant: 1_000_000 });
    const bare = new WebAssembly.Instance(new WebAssembly.Module(rewritten(bytes, false))).exports as typeof plain;
    let last = 0;
    for (const value of [0, 1, 2, 5, 6, 10]) {
      const expected = outcome(() => plain['run']?.(value));
      assert.deepEqual(
        outcome(() => bare['run']?.(value)),
        expected,
      );
      for (const each of [guest, other])
        assert.deepEqual(
          outcome(() => each.exports['run']?.(value)),
          expected,
        );
      assert.equal(guest.spent, other.spent, `units of ${value}`);
      assert.ok(guest.spent > last);
      last = guest.spent;
    }
    assert.ok(guest.asked > 0 && other.asked === 0);
  });
}

function endsEndless(bytes: Uint8Array<ArrayBuffer>, entry: string): void {
  const guest = new BudgetedInstance(bytes, {}, { grants: 3 });
  assert.throws(
    () => guest.exports[entry]?.(),
    (error) => error instanceof WebAssembly.RuntimeError && error.message === 'unreachable',
  );
  assert.equal(guest.asked, 4);
  assert.ok(guest.left < 0, String(guest.left));
  assert.throws(() => guest.exports[entry]?.(), WebAssembly.RuntimeError);
  assert.equal(guest.asked, 5);
}

for (const [instruction, what, fields] of ENDLESS) {
  const bytes = assemble(fields, instruction);
  test(
    `${instruction} that never ends is asked for units and ended: ${what}`,
    {
      skip: skipOf(bytes, instruction),
    },
    () => endsEndless(bytes, 'run'),
  );
}

/** A loop that takes a reference to the function that it is in, and hands it on to itself. Binaryen would write it otherwise. */
const HANDED_ON = moduleOf({
  types: [[0x60, 1, 0x64, 0, 0]],
  bodies: [[0, OP.refFunc, 0, OP.loop, 1, OP.brOnNonNull, 0, OP.end, OP.end]],
});

test(
  'br_on_non_null that never ends is asked for units and ended: one that goes back with what it has',
  {
    skip: skipOf(HANDED_ON, 'br_on_non_null'),
  },
  () => endsEndless(HANDED_ON, '_start'),
);

/** What a call between loops without calls costs, of a function that counts itself. */
function unitsOfCall(call: string): number {
  const module = `(type $unary (func (param i32) (result i32))) (elem declare func $looping)
    (func $looping (type $unary) (local $k i32) ${QUIET} (local.get $k))
    (func (export "run") (param i32) (result i32) (local $k i32) ${QUIET} ${call})`;
  const guest = new BudgetedInstance(assemble(module, call.slice(1, call.indexOf(' '))), {}, { grant: 1 << 20 });
  assert.equal(guest.exports['run']?.(100), 102);
  return guest.spent;
}

for (const [byReference, direct] of [
  ['call_ref', 'call'],
  ['return_call_ref', 'return_call'],
] as const) {
  const call = `(${byReference} $unary (local.get 0) (ref.func $looping))`;
  const skip = skipOf(
    assemble(
      `(type $unary (func (param i32) (result i32))) (elem declare func $looping) (func $looping (export "run") (type $unary) ${call})`,
      byReference,
    ),
    byReference,
  );
  test(`${byReference} costs what ${direct} does, and the reference`, { skip }, () => {
    assert.equal(unitsOfCall(call), unitsOfCall(`(${direct} $looping (local.get 0))`) + 1);
  });
}

const THROWS = assemble(
  `(tag $e) (func (export "run") (param $n i32) (local $x exnref)
    (local.set $x (block $c (result exnref) (try_table (catch_all_ref $c) (throw $e)) (unreachable)))
    (loop $l (block $c (try_table (catch_all $c) (throw_ref (local.get $x))))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))`,
  'throw_ref',
);

function unitsOfThrows(count: number): number {
  const guest = new BudgetedInstance(THROWS, {}, { grant: 1 << 30 });
  guest.exports['run']?.(count);
  return guest.spent;
}

test('throw_ref costs what throw does', { skip: skipOf(THROWS, 'throw_ref') }, () => {
  assert.ok(unitsOfThrows(11) - unitsOfThrows(1) >= 10 * THROW_UNITS);
});

for (const [instruction, fields] of [
  ['br_on_cast', '(br_on_cast $l anyref i31ref (local.get $x))'],
  ['br_on_cast_fail', '(br_on_cast_fail $l anyref i31ref (local.get $x))'],
] as const) {
  const result = instruction === 'br_on_cast' ? 'i31ref' : 'anyref';
  const run = `(func (export "run") (param $x anyref) (drop (block $l (result ${result}) (drop ${fields}) (unreachable))))`;
  const bytes = assemble(run, instruction);
  test(`${instruction}, which is of garbage-collected types, is refused with a budget and without`, {
    skip: skipOf(bytes, instruction),
  }, () => {
    for (const hasBudget of [true, false])
      assert.throws(() => scanValid(readLayout(bytes), { hasBudget }), { key: 'MODULE_UNSUPPORTED' });
  });
}
