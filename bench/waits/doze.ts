/** A guest of WASI preview 1 that sleeps and does nothing else, in the least memory that a module can have. */

import wabt from 'wabt';

/** Source: WASI preview 1, `subscription`: userdata 0, tag 8 (0 is a clock), clock 16, timeout 24, precision 32, flags 40. */
const textOf = (sleepMs: number): string => `(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1 1)
  (func (export "_start")
    (i32.store (i32.const 16) (i32.const 1))
    (i64.store (i32.const 24) (i64.const ${sleepMs * 1e6}))
    (if (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)) (then unreachable))))`;

/** The module: a page of 64 KiB, and a sleep of so many milliseconds by the monotonic clock. */
export async function dozeModule(sleepMs: number): Promise<Uint8Array> {
  const parsed = (await wabt()).parseWat('doze.wat', textOf(sleepMs));
  try {
    return parsed.toBinary({}).buffer;
  } finally {
    parsed.destroy();
  }
}
