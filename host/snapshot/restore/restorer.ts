/** One way to put an instance's memory back. Globals and tables are put back by the instance itself (snapshot/state.ts). */

import type { Strategy } from '../../definition/strategies.ts';

/** Puts the memory of one micro-VM back. */
export interface Restorer {
  readonly strategy: Strategy;
  /** Size of the memory it puts back. */
  readonly sizeBytes: number;
  /** Whether the memory it is attached to starts where huge pages cannot be used. */
  readonly isMisplaced?: boolean;
  /** Fills a new instance's memory with the snapshot. Called once, before the first run. */
  attach(memory: WebAssembly.Memory): void;
  /**
   * Told that the memory has grown, and so has another buffer. False where that is elsewhere: V8 copies a memory that cannot
   * grow in its place, and what was mapped there is no part of it.
   */
  regrown(memory: WebAssembly.Memory): boolean;
  /** Told after a run and before `restore`, while the memory still shows what the run touched. */
  observe(): void;
  /** Puts the memory back; its size is unchanged. False when it cannot. */
  restore(): boolean;
}
