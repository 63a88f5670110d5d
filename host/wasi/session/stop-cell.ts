/**
 * How another thread has a guest stopped: a cell of shared memory, which the guest's account looks at when the guest comes
 * by there, and which the guest waits on when it waits for time to pass.
 */

/** What a cell says while a guest may run, what stops it, and that it was suspended: it has another cell from then on. */
export const RUN = { underWay: -1, late: -3, aborted: -4, suspended: -5 } as const;

/** Where the guest that runs next is told to stop. */
export interface StopCell {
  readonly cells: Int32Array;
  /** Which of them is the guest's. */
  index: number;
  /** What a component without a channel waits on, which whoever stops it bumps (host/component/channel/signal.ts). */
  readonly signal: Int32Array;
}
