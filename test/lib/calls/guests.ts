/** Modules that are called by the names of their exports. */

/** Functions of every type, which write, count, trap, exit, wait and loop; and types that no caller can give or take. */
export const LIBRARY = `(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "\\20\\00\\00\\00\\05\\00\\00\\00") (data (i32.const 32) "hello")
  (global $calls (mut i32) (i32.const 0))
  (func $write (param $fd i32)
    (drop (call $fd_write (local.get $fd) (i32.const 16) (i32.const 1) (i32.const 8))))
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "same") (param i32 i64 f32 f64) (result i32 i64 f32 f64)
    (local.get 0) (local.get 1) (local.get 2) (local.get 3))
  (func (export "count") (result i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))
    (i32.add (global.get $calls) (i32.mul (i32.const 10) (i32.load (i32.const 0)))))
  (func (export "nothing"))
  (func (export "trap") unreachable)
  (func (export "exit") (param i32) (call $write (i32.const 1)) (call $proc_exit (local.get 0)))
  (func (export "say") (result i32) (call $write (i32.const 1)) (call $write (i32.const 2)) (i32.const 7))
  (func (export "variables") (result i32) (drop (call $sizes (i32.const 4) (i32.const 8))) (i32.load (i32.const 4)))
  (func (export "spin") (call $write (i32.const 1)) (loop $l (br $l)))
  (func (export "vector") (param i32 v128))
  (func (export "reference") (result externref) (ref.null extern)))`;

/** The same way, of a module that may wait: where Node can suspend guests it has a lane of its own. */
export const WAITING = LIBRARY.replace(
  '(memory',
  '(import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32))) (memory',
).replace(
  '(func (export "nothing"))',
  // A subscription to the monotonic clock, at 64, of 10 ms.
  `(func (export "nothing"))
   (func (export "nap") (param i64) (result i64)
     (i32.store (i32.const 80) (i32.const 1)) (i64.store (i32.const 88) (local.get 0))
     (drop (call $poll (i32.const 64) (i32.const 128) (i32.const 1) (i32.const 8))) (local.get 0))`,
);
