/** What the open directories of one mount of the machine have in common. */

import type { DeviceName } from '../capabilities/mounts/schema.ts';
import type { Resolver } from './machine-path.ts';
import type { GuestSources } from './mount.ts';

/** A directory of the machine that a guest was given, whatever it has open of it. */
export interface MachineTree {
  /** fd of the mount's root; -1 once the mount is closed. */
  fd: number;
  readonly isReadOnly: boolean;
  readonly resolve: Resolver;
  readonly devices: readonly DeviceName[];
  /** Those of the guest that has it open. */
  sources: GuestSources;
}
