/** A guest that changes every kind of state it has as its input tells it, and shows all of it when asked. */

/** Commands are 16 bytes: u32 operation, u32 argument, i64 value. */
export const OPERATIONS = [
  'store8',
  'i32',
  'i64',
  'f32',
  'f64',
  'v128',
  'reference',
  'table-set',
  'table-fill',
  'table-copy',
  'table-init',
  'table-grow',
  'memory-grow',
  'memory-init',
  'data-drop',
  'elem-drop',
  'close',
  'seek',
  'open',
  'random',
  'clock',
  'renumber',
  'external',
  'memory-fill',
] as const;

export type Operation = (typeof OPERATIONS)[number];

export interface Command {
  readonly operation: Operation;
  readonly argument: number;
  readonly value: bigint;
}

export function encodeCommands(commands: readonly Command[]): Uint8Array {
  const bytes = new Uint8Array(commands.length * 16);
  const view = new DataView(bytes.buffer);
  commands.forEach(({ operation, argument, value }, at) => {
    view.setUint32(at * 16, OPERATIONS.indexOf(operation), true);
    view.setUint32(at * 16 + 4, argument, true);
    view.setBigInt64(at * 16 + 8, value, true);
  });
  return bytes;
}

/** Pages the guest starts with; its initialisation zeroes what a data segment put at `ZEROED`. */
export const MEMORY_PAGES = 24;
export const ZEROED = 139_264;

const ARGUMENT = '(i32.load (i32.const 12))';
const VALUE = '(i64.load (i32.const 16))';
const PICKED = `(select (result funcref) (ref.func $one) (select (result funcref) (ref.func $two) (ref.null func)
  (i32.and ${ARGUMENT} (i32.const 1))) (i32.and ${ARGUMENT} (i32.const 2)))`;
const SLOT = `(i32.rem_u ${ARGUMENT} (i32.const 8))`;

const BODIES: Readonly<Record<Operation, string>> = {
  store8: `(i32.store8 ${ARGUMENT} (i32.wrap_i64 ${VALUE}))`,
  i32: `(global.set $i (i32.wrap_i64 ${VALUE}))`,
  i64: `(global.set $I ${VALUE})`,
  f32: `(global.set $f (f32.reinterpret_i32 (i32.wrap_i64 ${VALUE})))`,
  f64: `(global.set $F (f64.reinterpret_i64 ${VALUE}))`,
  v128: `(global.set $v (i64x2.replace_lane 1 (i64x2.splat ${VALUE}) (i64.extend_i32_s ${ARGUMENT})))`,
  reference: `(global.set $r ${PICKED})`,
  'table-set': `(table.set $t ${SLOT} ${PICKED})`,
  'table-fill': `(table.fill $t ${SLOT} ${PICKED} (i32.const 1))`,
  'table-copy': `(table.copy $t $t (i32.const 1) (i32.const 0) ${SLOT})`,
  'table-init': `(if (i32.eqz (global.get $gone)) (then (table.init $t $s ${SLOT} (i32.const 0) (i32.const 1))))`,
  'table-grow': `(drop (table.grow $t ${PICKED} (i32.const 1)))`,
  'memory-grow': '(drop (memory.grow (i32.const 1)))',
  'memory-init': `(if (i32.eqz (global.get $lost)) (then (memory.init $d ${SLOT} (i32.const 0) (i32.const 4))))`,
  'data-drop': '(data.drop $d) (global.set $lost (i32.const 1))',
  'elem-drop': '(elem.drop $s) (global.set $gone (i32.const 1))',
  close: `(drop (call $close (i32.add (i32.const 3) (i32.rem_u ${ARGUMENT} (i32.const 4)))))`,
  seek: `(drop (call $seek (i32.const 4) ${VALUE} (i32.const 0) (i32.const 24)))`,
  open: '(drop (call $open-file))',
  random: '(drop (call $random (i32.const 3000) (i32.const 64)))',
  clock: '(drop (call $clock (i32.const 0) (i64.const 0) (i32.const 3100)))',
  renumber: '(drop (call $renumber (i32.const 0) (i32.const 5)))',
  external: '(table.set $x (i32.const 0) (ref.null extern))',
  'memory-fill': `(memory.fill (i32.rem_u ${ARGUMENT} (i32.const 1500000)) (i32.wrap_i64 ${VALUE}) (i32.const 5000))`,
};

const dispatch = OPERATIONS.map(
  (operation, at) => `(if (i32.eq (i32.load (i32.const 8)) (i32.const ${at})) (then ${BODIES[operation]}))`,
).join('\n      ');

/** Adds an i32 to what is shown. */
const show = (value: string): string =>
  `(i32.store (local.get $at) ${value}) (local.set $at (i32.add (local.get $at) (i32.const 4)))`;

const called = Array.from({ length: 8 }, (_, slot) =>
  show(`(if (result i32) (ref.is_null (table.get $t (i32.const ${slot}))) (then (i32.const -1))
    (else (call_indirect $t (result i32) (i32.const ${slot}))))`),
).join('\n    ');

/**
 * `handle` reads commands from stdin and obeys them; without any it shows its state on stdout. Fds 4 to 6 are what opening
 * a file three times gives.
 */
export const STATEFUL_GUEST: string = `(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_seek" (func $seek (param i32 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_tell" (func $tell (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_renumber" (func $renumber (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
  (memory (export "memory") ${MEMORY_PAGES} ${MEMORY_PAGES + 5}) (table $t 8 12 funcref) (table $x 1 externref)
  (global $i (mut i32) (i32.const 1)) (global $I (mut i64) (i64.const -2))
  (global $f (mut f32) (f32.const nan:0x200001)) (global $F (mut f64) (f64.const -nan:0x4000000000001))
  (global $v (mut v128) (v128.const i64x2 3 4)) (global $r (mut funcref) (ref.func $two))
  (global $lost (mut i32) (i32.const 0)) (global $gone (mut i32) (i32.const 0))
  (elem (i32.const 0) $one $two) (elem $s funcref (ref.func $two)) (elem declare func $one $two)
  (data (i32.const 2000) "file") (data $d "passive!") (data (i32.const ${ZEROED}) "zeroed by the initialisation")
  (data (i32.const ${MEMORY_PAGES * 65_536 - 8}) "the end!")
  (func $one (result i32) (i32.const 1)) (func $two (result i32) (i32.const 2))
  (func $open-file (result i32) (call $path_open (i32.const 3) (i32.const 0) (i32.const 2000) (i32.const 4)
    (i32.const 0) (i64.const 0x3fffffff) (i64.const 0) (i32.const 0) (i32.const 32)))
  (func (export "_initialize")
    (memory.fill (i32.const ${ZEROED}) (i32.const 0) (i32.const 28)) (i32.store (i32.const 70000) (i32.const 7))
    (global.set $I (i64.const 0x7ff0000000000001)) (table.set $t (i32.const 5) (ref.func $one))
    (global.set $f (f32.reinterpret_i32 (i32.const 0x7fa00005))))
  (func $show (local $at i32) (local.set $at (i32.const 4096))
    ${show('(memory.size)')} ${show('(table.size $t)')} ${called}
    ${show('(i32.load (i32.const 70000))')} ${show(`(i32.load (i32.const ${ZEROED}))`)}
    ${show('(call $tell (i32.const 4) (i32.const 3200))')} ${show('(call $open-file)')} ${show('(i32.load (i32.const 32))')}
    ${show('(call $tell (i32.const 4) (i32.const 3200))')} ${show('(i32.load (i32.const 3200))')}
    (memory.init $d (i32.const 3300) (i32.const 0) (i32.const 8)) ${show('(i32.load (i32.const 3304))')}
    (table.init $t $s (i32.const 6) (i32.const 0) (i32.const 1)) ${show('(ref.is_null (table.get $t (i32.const 6)))')}
    (i32.store (i32.const 0) (i32.const 4096)) (i32.store (i32.const 4) (i32.sub (local.get $at) (i32.const 4096)))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 40))))
  (func (export "handle") (local $any i32)
    (drop (call $open-file)) (drop (call $open-file)) (drop (call $open-file))
    (loop $next
      (i32.store (i32.const 0) (i32.const 8)) (i32.store (i32.const 4) (i32.const 16))
      (if (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 40)) (then (return)))
      (if (i32.ne (i32.load (i32.const 40)) (i32.const 16))
        (then (if (i32.eqz (local.get $any)) (then (call $show))) (return)))
      (local.set $any (i32.const 1))
      ${dispatch}
      (br $next))))`;
