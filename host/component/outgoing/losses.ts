/**
 * How guest threads are told that a thread for outgoing requests was lost, though their own stand still: one Int32, the
 * highest number of one that was lost, in the order of their starts from 1; 0 before.
 */

/** Says that the thread of this number was lost. It only grows: whoever looked after a loss still sees the next. */
export function tellLoss(losses: SharedArrayBuffer, number: number): void {
  const cells = new Int32Array(losses);
  for (let seen = Atomics.load(cells, 0); seen < number; ) {
    const found = Atomics.compareExchange(cells, 0, seen, number);
    if (found === seen) return;
    seen = found;
  }
}

/** Whether the thread of this number was lost, or a later one. */
export function isLost(losses: SharedArrayBuffer, number: number): boolean {
  return Atomics.load(new Int32Array(losses), 0) >= number;
}
