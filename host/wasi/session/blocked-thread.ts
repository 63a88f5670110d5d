/** What a thread tells of its guest while that waits: whoever owns the thread can tell it from one that computes. */

/** Whether the guest waits; one Int32, that of the thread or of nobody. */
let cell: Int32Array = new Int32Array(1);

/** Has this thread tell in `shared`, one Int32: 1 while its guest waits, 0 else. */
export function tellWaiting(shared: SharedArrayBuffer): void {
  cell = new Int32Array(shared);
}

/** `Atomics.wait` for a guest. */
export function waitBlocked(signal: Int32Array, at: number, seen: number, timeoutMs: number): void {
  Atomics.store(cell, 0, 1);
  Atomics.wait(signal, at, seen, timeoutMs);
  Atomics.store(cell, 0, 0);
}
