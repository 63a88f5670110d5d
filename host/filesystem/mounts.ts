/** Opens all mounts of a function, or none. */

import type { Mount } from '../capabilities/mounts/schema.ts';
import type { Limits } from '../limits.ts';
import { mountMachine } from './machine-mount.ts';
import { mountMemory } from './memory-mount.ts';
import type { MountedDirectory } from './mount.ts';

/** @throws NebulaError MOUNT_UNAVAILABLE */
export function mountAll(mounts: readonly Mount[], limits: Limits): MountedDirectory[] {
  const mounted: MountedDirectory[] = [];
  try {
    for (const mount of mounts) mounted.push('machine' in mount ? mountMachine(mount) : mountMemory(mount, limits));
    return mounted;
  } catch (error) {
    closeAll(mounted);
    throw error;
  }
}

/** Gives back what they hold of the machine. */
export function closeAll(mounted: readonly MountedDirectory[]): void {
  for (const directory of mounted) directory.close();
}
