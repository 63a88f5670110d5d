/** Modules in text that have instructions which not every Node knows: each by its instruction, and what it is. */

const REFERENCES = `(type $binary (func (param i32 i32) (result i32)))
  (type $unary (func (param i32) (result i32)))
  (elem declare func $add $double)
  (func $add (type $binary) (i32.add (local.get 0) (local.get 1)))
  (func $double (type $unary) (i32.mul (local.get 0) (i32.const 2)))`;

/** Counts `$i` from 1 to its argument, at least once, with something in the loop, and answers `$s`. */
function loops(inside: string, locals: string = ''): string {
  return `(func (export "run") (param $n i32) (result i32) (local $i i32) (local $s i32) ${locals} (loop $l
    (local.set $i (i32.add (local.get $i) (i32.const 1))) ${inside}
    (br_if $l (i32.lt_u (local.get $i) (local.get $n)))) (local.get $s))`;
}

/** A loop that counts `$k` by threes above its function's argument. */
export const QUIET: string =
  '(loop $q (br_if $q (i32.lt_u (local.tee $k (i32.add (local.get $k) (i32.const 3))) (local.get 0))))';

/** A reference that is null for every third number. */
const MAYBE = `(func $maybe (param $i i32) (result (ref null $unary))
  (if (result (ref null $unary)) (i32.rem_u (local.get $i) (i32.const 3)) (then (ref.func $double)) (else (ref.null $unary))))`;

/** Each by its instruction; each exports `run`, from an i32 to an i32, or traps. */
export const ENDING: readonly (readonly [instruction: string, what: string, fields: string])[] = [
  [
    'try_table',
    'one that catches in a loop',
    `(tag $e (param i32)) (func $throws (param i32) (if (i32.rem_u (local.get 0) (i32.const 2)) (then (throw $e (local.get 0)))))
    ${loops('(local.set $s (i32.add (local.get $s) (block $c (result i32) (try_table (catch $e $c) (call $throws (local.get $i))) (i32.const 100))))')}`,
  ],
  [
    'try_table',
    'one that nothing catches',
    `(tag $e) (tag $other) ${loops('(block $c (try_table (catch $other $c) (if (i32.eq (local.get $i) (i32.const 4)) (then (throw $e)))))')}`,
  ],
  [
    'try_table',
    'one that is left by a catch of all, of a loop in it',
    `(tag $e) ${loops('(block $c (try_table (catch_all $c) (local.set $k (i32.const 5)) (loop $m (local.set $s (i32.add (local.get $s) (i32.const 1))) (br_if $m (local.tee $k (i32.sub (local.get $k) (i32.const 1))))) (throw $e)))', '(local $k i32)')}`,
  ],
  [
    'try_table',
    'one whose branches leave the function',
    `(tag $e (param i32)) ${loops('(try_table (catch $e 1) (if (i32.eq (local.get $i) (i32.const 3)) (then (throw $e (i32.const 77)))))').replace('(loop $l', '(loop $l (nop)')}`,
  ],
  [
    'throw_ref',
    'one that throws again what a callee has thrown',
    `(tag $e (param i32)) (func $throws (param i32) (if (i32.rem_u (local.get 0) (i32.const 2)) (then (throw $e (local.get 0)))))
    (func $again (param i32) (local $x exnref)
      (local.set $x (block $c (result exnref) (try_table (catch_all_ref $c) (call $throws (local.get 0))) (return)))
      (throw_ref (local.get $x)))
    ${loops('(local.set $s (i32.add (local.get $s) (block $c (result i32) (try_table (catch $e $c) (call $again (local.get $i))) (i32.const 1000))))')}`,
  ],
  [
    'throw_ref',
    'one of nothing',
    loops('(if (i32.eq (local.get $i) (i32.const 3)) (then (throw_ref (ref.null exn))))'),
  ],
  [
    'call_ref',
    'one in a loop',
    `${REFERENCES} ${loops('(local.set $s (call_ref $binary (local.get $s) (local.get $i) (ref.func $add)))')}`,
  ],
  [
    'call_ref',
    'one between loops without calls',
    `${REFERENCES} (elem declare func $looping)
    (func $looping (type $unary) (local $k i32) ${QUIET} (i32.add (local.get 0) (local.get $k)))
    (func (export "run") (param i32) (result i32) (local $k i32)
      ${QUIET} (local.set 0 (call_ref $unary (local.get $k) (ref.func $looping))) ${QUIET} (i32.add (local.get 0) (local.get $k)))`,
  ],
  [
    'call_ref',
    'recursion by it',
    `(type $unary (func (param i32) (result i32))) (elem declare func $f)
    (func $f (export "run") (type $unary) (if (result i32) (i32.lt_s (local.get 0) (i32.const 2)) (then (local.get 0))
      (else (i32.add (call_ref $unary (i32.sub (local.get 0) (i32.const 1)) (ref.func $f)) (call_ref $unary (i32.sub (local.get 0) (i32.const 2)) (ref.func $f))))))`,
  ],
  [
    'call_ref',
    'one of null',
    `${REFERENCES} ${MAYBE} ${loops('(local.set $s (call_ref $unary (local.get $i) (call $maybe (local.get $i))))')}`,
  ],
  [
    'return_call_ref',
    'one behind a loop',
    `${REFERENCES} ${loops('(if (i32.eq (local.get $i) (i32.const 3)) (then (return_call_ref $binary (local.get $i) (local.get $s) (ref.func $add)))) (local.set $s (i32.add (local.get $s) (local.get $i)))')}`,
  ],
  [
    'return_call_ref',
    'one from a loop without calls to another',
    `${REFERENCES} (elem declare func $looping)
    (func $looping (type $unary) (local $k i32) ${QUIET} (i32.add (local.get 0) (local.get $k)))
    (func (export "run") (param i32) (result i32) (local $k i32)
      ${QUIET} (return_call_ref $unary (local.get $k) (ref.func $looping)))`,
  ],
  [
    'return_call_ref',
    'recursion by it',
    `(type $binary (func (param i32 i32) (result i32))) (elem declare func $f)
    (func $f (type $binary) (if (i32.eqz (local.get 0)) (then (return (local.get 1))))
      (return_call_ref $binary (i32.sub (local.get 0) (i32.const 1)) (i32.add (local.get 1) (i32.const 3)) (ref.func $f)))
    (func (export "run") (param i32) (result i32) (call $f (local.get 0) (i32.const 0)))`,
  ],
  [
    'br_on_null',
    'one out of a block in a loop',
    `${REFERENCES} ${MAYBE} ${loops('(block $none (local.set $s (i32.add (local.get $s) (call_ref $unary (local.get $i) (br_on_null $none (call $maybe (local.get $i)))))))')}`,
  ],
  [
    'br_on_null',
    'one out of a loop without calls',
    `${REFERENCES} (table $t 8 8 (ref null $unary)) (elem (table $t) (i32.const 0) (ref null $unary) (ref.func $double) (ref.func $double) (ref.func $double) (ref.func $double) (ref.func $double))
    (func (export "run") (param $n i32) (result i32) (local $i i32)
      (block $out (loop $l
        (drop (br_on_null $out (table.get $t (local.get $i))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $l (i32.lt_u (local.get $i) (local.get $n)))))
      (local.get $i))`,
  ],
  [
    'br_on_non_null',
    'one out of a block in a loop',
    `${REFERENCES} ${MAYBE} ${loops('(local.set $s (i32.add (local.get $s) (call_ref $unary (local.get $i) (block $some (result (ref $unary)) (br_on_non_null $some (call $maybe (local.get $i))) (ref.func $double)))))')}`,
  ],
  [
    'br_on_non_null',
    'one out of a loop without calls',
    `${REFERENCES} (table $t 8 8 (ref null $unary)) (elem (table $t) (i32.const 4) (ref null $unary) (ref.func $double))
    (func (export "run") (param $n i32) (result i32) (local $i i32)
      (call_ref $unary (i32.const 21) (block $out (result (ref $unary))
        (loop $l
          (br_on_non_null $out (table.get $t (local.get $i)))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br_if $l (i32.lt_u (local.get $i) (local.get $n))))
        (return (local.get $i)))))`,
  ],
];

/** Each goes on for ever by its instruction. */
export const ENDLESS: readonly (readonly [instruction: string, what: string, fields: string])[] = [
  [
    'try_table',
    'a catch that goes back',
    '(tag $e) (func (export "run") (loop $l (try_table (catch $e $l) (throw $e))))',
  ],
  [
    'try_table',
    'a catch of all of what a callee throws, which goes back',
    '(tag $e) (func $t (throw $e)) (func (export "run") (loop $l (try_table (catch_all $l) (call $t))))',
  ],
  [
    'try_table',
    'a loop in what catches all',
    '(func (export "run") (loop $o (try_table (catch_all $o) (loop $l (br $l)))))',
  ],
  [
    'try_table',
    'recursion in what catches all',
    '(func $f (loop $o (try_table (catch_all $o) (call $f)))) (func (export "run") (call $f))',
  ],
  [
    'throw_ref',
    'one that is caught and thrown again',
    `(tag $e) (func $again (throw_ref (block $c (result exnref) (try_table (catch_all_ref $c) (throw $e)) (unreachable))))
    (func (export "run") (loop $l (try_table (catch_all $l) (call $again))))`,
  ],
  [
    'throw_ref',
    'one in the function that catches it',
    `(tag $e) (func (export "run") (local $x exnref)
      (local.set $x (block $c (result exnref) (try_table (catch_all_ref $c) (throw $e)) (unreachable)))
      (loop $l (try_table (catch_all $l) (throw_ref (local.get $x)))))`,
  ],
  [
    'call_ref',
    'recursion',
    '(type $v (func)) (elem declare func $f) (func $f (export "run") (type $v) (call_ref $v (ref.func $f)))',
  ],
  [
    'call_ref',
    'one in a loop',
    '(type $v (func)) (elem declare func $s) (func $s (type $v)) (func (export "run") (loop $l (call_ref $v (ref.func $s)) (br $l)))',
  ],
  [
    'return_call_ref',
    'a tail call of itself',
    '(type $v (func)) (elem declare func $f) (func $f (export "run") (type $v) (return_call_ref $v (ref.func $f)))',
  ],
  [
    'return_call_ref',
    'two functions in turn',
    `(type $v (func)) (elem declare func $f $g) (func $f (export "run") (type $v) (return_call_ref $v (ref.func $g)))
    (func $g (type $v) (return_call_ref $v (ref.func $f)))`,
  ],
  [
    'br_on_null',
    'one that goes back',
    '(type $v (func)) (func (export "run") (local $f (ref null $v)) (loop $l (drop (br_on_null $l (local.get $f)))))',
  ],
  [
    'br_on_null',
    'one that does not leave its loop',
    '(type $v (func)) (elem declare func $s) (func $s (type $v)) (func (export "run") (local $f (ref null $v)) (local.set $f (ref.func $s)) (block $o (loop $l (drop (br_on_null $o (local.get $f))) (br $l))))',
  ],
  [
    'br_on_non_null',
    'one that does not leave its loop',
    '(type $v (func)) (func (export "run") (local $f (ref null $v)) (drop (block $o (result (ref $v)) (loop $l (br_on_non_null $o (local.get $f)) (br $l)))))',
  ],
];
