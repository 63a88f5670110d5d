/** A guest that writes and never ends: for what is told of one that was stopped. */

import { assemble } from './wat.ts';

/** Bytes of one write to stdout: one character each, `a` to `z` from write to write. */
export const CHUNK_BYTES = 1000;

/** A module that writes `err` to stderr, so many chunks to stdout, reads 3 bytes of its input, grows by a page and loops. */
export function loudLoop(chunks: number): Promise<Uint8Array<ArrayBuffer>> {
  return loud(chunks, '', '(loop $forever (br $forever))');
}

/** The same, but that it sleeps for a minute in place of the loop. */
export function loudSleep(chunks: number): Promise<Uint8Array<ArrayBuffer>> {
  return loud(
    chunks,
    '(import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))',
    `(i32.store (i32.const 144) (i32.const 1))
     (i64.store (i32.const 152) (i64.const 60000000000))
     (drop (call $poll (i32.const 128) (i32.const 256) (i32.const 1) (i32.const 320)))`,
  );
}

function loud(chunks: number, imports: string, end: string): Promise<Uint8Array<ArrayBuffer>> {
  return assemble(`(module
    ${imports}
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 64) "err")
    (func (export "_start") (local $at i32)
      ;; One vector, at 0: where and how much.
      (i32.store (i32.const 0) (i32.const 64))
      (i32.store (i32.const 4) (i32.const 3))
      (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))
      (i32.store (i32.const 0) (i32.const 128))
      (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
      (drop (memory.grow (i32.const 1)))
      (i32.store (i32.const 0) (i32.const 1024))
      (i32.store (i32.const 4) (i32.const ${CHUNK_BYTES}))
      (block $done
        (loop $more
          (br_if $done (i32.ge_u (local.get $at) (i32.const ${chunks})))
          (memory.fill (i32.const 1024)
            (i32.add (i32.const 97) (i32.rem_u (local.get $at) (i32.const 26)))
            (i32.const ${CHUNK_BYTES}))
          (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br $more)))
      ${end}))`);
}

/** What it has written once it loops. */
export function loudOutput(chunks: number): string {
  return Array.from({ length: chunks }, (_, at) => String.fromCharCode(97 + (at % 26)).repeat(CHUNK_BYTES)).join('');
}
