/** A directory of a function's capabilities, ready to be opened once per invocation. */

import { randomFillSync } from 'node:crypto';
import type { Descriptor } from './descriptor.ts';

/** What a guest's files take from the guest's own sources. */
export interface GuestSources {
  /** Nanoseconds since the epoch. */
  readonly nowNs: () => bigint;
  readonly fillRandom: (target: Uint8Array) => void;
}

/** The machine's own, for a directory that no guest has open. */
export const MACHINE_SOURCES: GuestSources = {
  nowNs: () => BigInt(Date.now()) * 1_000_000n,
  fillRandom: (target) => {
    randomFillSync(target);
  },
};

/** A mount that is open on the machine's side, and opened for each invocation on the guest's. */
export interface MountedDirectory {
  /** Path the guest sees. */
  readonly guestPath: string;
  /**
   * The root for one invocation: a fresh tree in memory, or the machine's directory. Times of a tree in memory and what
   * devices give come from `sources`, the guest's own; without it, from the machine's.
   */
  open(sources?: GuestSources): Descriptor;
  /** Gives back what the mount holds of the machine, when the micro-VM is discarded. */
  close(): void;
}
