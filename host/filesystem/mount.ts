/** A directory of a function's capabilities, ready to be opened once per invocation. */

import type { Descriptor } from './descriptor.ts';

export interface MountedDirectory {
  /** Path the guest sees. */
  readonly guestPath: string;
  /**
   * The root for one invocation: a fresh tree in memory, or the machine's directory. A tree in memory takes its times
   * from `nowNs` (nanoseconds since the epoch), the guest's own clock; without it, from the machine's.
   */
  open(nowNs?: () => bigint): Descriptor;
  /** Gives back what the mount holds of the machine, when the micro-VM is discarded. */
  close(): void;
}
