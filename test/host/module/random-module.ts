/**
 * Generates modules, as text: every kind of state, changed by a random sequence of instructions whose results go into a
 * running checksum that `handle` answers through stdout with all of memory's size, so that two runs can be compared.
 */

import * as fc from 'fast-check';

const GLOBALS = [
  '(global $i (mut i32) (i32.const -5))',
  '(global $I (mut i64) (i64.const 0x8000000000000001))',
  '(global $f (mut f32) (f32.const nan:0x200001))',
  '(global $F (mut f64) (f64.const -nan:0x4000000000001))',
  '(global $v (mut v128) (v128.const i64x2 -1 0x7ff0000000000001))',
  '(global $r (mut funcref) (ref.func $two))',
  '(global $x (mut externref) (ref.null extern))',
  '(global $fixed i64 (i64.const 77))',
];

const small = fc.integer({ min: 0, max: 7 });
const bits32 = fc.oneof(fc.integer(), fc.constantFrom(0, -1, 0x7fa0_0001 | 0, 0xffc0_1234 | 0));
const bits64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(0n, 0x7ff0_0000_0000_0001n, -0x7_ffff_ffff_fff1n),
);

/** Adds an i32 to the checksum. */
const mix = (value: string): string => `(call $mix ${value})`;

const reference = fc.constantFrom('(ref.null func)', '(ref.func $one)', '(ref.func $two)', '(global.get $r)');

/** Changes of state and looks at it; each is valid wherever it stands. */
const instruction: fc.Arbitrary<string> = fc.oneof(
  bits32.map((value) => `(global.set $i (i32.const ${value}))`),
  bits64.map((value) => `(global.set $I (i64.const ${value}))`),
  bits32.map((value) => `(global.set $f (f32.reinterpret_i32 (i32.const ${value})))`),
  bits64.map((value) => `(global.set $F (f64.reinterpret_i64 (i64.const ${value})))`),
  fc.tuple(bits64, bits64).map(([low, high]) => `(global.set $v (v128.const i64x2 ${low} ${high}))`),
  fc.constantFrom(
    mix('(global.get $i)'),
    mix('(i32.wrap_i64 (i64.rotl (global.get $I) (i64.const 13)))'),
    mix('(i32.reinterpret_f32 (global.get $f))'),
    mix('(i32.wrap_i64 (i64.shr_u (i64.reinterpret_f64 (global.get $F)) (i64.const 9)))'),
    mix('(i32x4.extract_lane 3 (i8x16.add (global.get $v) (global.get $v)))'),
    mix('(ref.is_null (global.get $r))'),
    mix('(ref.is_null (global.get $x))'),
    mix('(memory.size)'),
    mix('(table.size $t)'),
    '(global.set $x (table.get $e (i32.const 1)))',
    '(data.drop $d)',
    '(elem.drop $s)',
    '(table.copy $t $t (i32.const 0) (i32.const 2) (i32.const 3))',
    mix('(table.grow $t (ref.func $one) (i32.const 1))'),
    mix('(table.grow $e (ref.null extern) (i32.const 2))'),
    mix('(memory.grow (i32.const 1))'),
    mix('(memory.grow (i32.const 100))'),
    mix('(call $tail (i32.const 30) (i32.const 1))'),
    mix('(call $caught (i32.const 9))'),
    '(call $pair) (call $mix) (call $mix)',
    '(memory.fill (i32.const 65500) (i32.const 7) (i32.const 36))',
    '(memory.copy (i32.const 10) (i32.const 2000) (i32.const 200))',
  ),
  reference.map((value) => `(global.set $r ${value})`),
  fc.tuple(small, reference).map(([at, value]) => `(table.set $t (i32.const ${at}) ${value})`),
  fc.tuple(small, reference).map(([at, value]) => `(table.fill $t (i32.const ${at}) ${value} (i32.const 1))`),
  small.map((at) => mix(`(call $through (i32.const ${at}))`)),
  fc.tuple(small, fc.nat({ max: 65_535 })).map(([, at]) => `(i32.store8 (i32.const ${at}) (i32.const ${at}))`),
  fc.nat({ max: 65_532 }).map((at) => mix(`(i32.load (i32.const ${at}))`)),
  fc.constant(
    '(block $skip (br_if $skip (global.get $dropped)) (memory.init $d (i32.const 3000) (i32.const 0) (i32.const 4)))',
  ),
);

/** What a trap ends: last in its sequence. */
const ending = fc.constantFrom(
  '',
  '',
  '',
  'unreachable',
  '(memory.init $d (i32.const 3000) (i32.const 0) (i32.const 8))',
  '(table.init $t $s (i32.const 0) (i32.const 0) (i32.const 2))',
  '(throw $tag (i32.const 1))',
  '(drop (i32.load (i32.const -1)))',
  '(drop (call $through (i32.const 7)))',
);

const FUNCTIONS = `
  (func $mix (param i32) (global.set $sum (i32.add (i32.mul (global.get $sum) (i32.const 31)) (local.get 0))))
  (func $one (result i32) (i32.const 1)) (func $two (result i32) (i32.const 2))
  (func $pair (result i32 i32) (i32.const 5) (global.get $i))
  (func $tail (param i32 i32) (result i32)
    (if (result i32) (local.get 0)
      (then (return_call $tail (i32.sub (local.get 0) (i32.const 1)) (i32.mul (local.get 1) (i32.const 3))))
      (else (local.get 1))))
  (func $caught (param i32) (result i32)
    try (result i32) (throw $tag (local.get 0)) catch $tag (i32.const 2) (i32.mul) end)
  (func $through (param i32) (result i32)
    (if (result i32) (i32.ge_u (local.get 0) (table.size $t)) (then (i32.const -3))
      (else (if (result i32) (ref.is_null (table.get $t (local.get 0))) (then (i32.const -4))
        (else (call_indirect $t (result i32) (local.get 0)))))))`;

/** A module with a start function or without, and instructions for it and for `handle`. */
export const randomModule: fc.Arbitrary<string> = fc
  .record({
    start: fc.option(fc.array(instruction, { maxLength: 6 })),
    body: fc.array(instruction, { minLength: 1, maxLength: 24 }),
    last: ending,
    tableMaximum: fc.constantFrom('', '9'),
    memoryMaximum: fc.constantFrom('', '3'),
  })
  .map(
    ({ start, body, last, tableMaximum, memoryMaximum }) => `(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1 ${memoryMaximum}) (table $t 8 ${tableMaximum} funcref) (table $e 2 externref) (tag $tag (param i32))
  ${GLOBALS.join('\n  ')}
  (global $sum (mut i32) (i32.const 1)) (global $dropped (mut i32) (i32.const 1))
  (elem $a (i32.const 0) $one $two) (elem $s funcref (ref.func $two) (ref.null func))
  (data (i32.const 1000) "active bytes") (data $d "passive!")
  ${FUNCTIONS}
  ${start === null ? '' : `(func $start ${start.join(' ')}) (start $start)`}
  (func (export "handle")
    ${body.join('\n    ')}
    (i32.store (i32.const 0) (i32.const 16)) (i32.store (i32.const 4) (i32.const 8))
    (i32.store (i32.const 16) (global.get $sum)) (i32.store (i32.const 20) (memory.size))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    ${last}))`,
  );
