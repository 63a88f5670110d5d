/** Gives a directory of the machine to guests, where its paths can be resolved safely. */

import type { MachineMount } from '../capabilities/mounts/schema.ts';
import { messageOf, NebulaError } from '../errors.ts';
import { OPEN } from '../linux/files.ts';
import { libcFailure, loadLibc } from '../linux/libc.ts';
import { closeOpenedFor, closeOwned, openFor, openMachine } from '../linux/owned-fd.ts';
import type { Descriptor } from './descriptor.ts';
import { MachineDirectory } from './machine-directory.ts';
import { hasKernelResolver, resolveByKernel, resolveByWalk } from './machine-path.ts';
import type { MachineTree } from './machine-tree.ts';
import { type GuestSources, MACHINE_SOURCES, type MountedDirectory } from './mount.ts';

/** How a mount of the machine resolves paths. */
export interface MachineMountOptions {
  /** `kernel`: openat2. `walk`: component by component. Default: the kernel where it can. */
  readonly resolver?: 'kernel' | 'walk';
}

/**
 * Opens the directory of a mount; its path may lead through symlinks, those beneath it may not leave it.
 * @throws NebulaError MOUNT_UNAVAILABLE
 */
export function mountMachine(mount: MachineMount, options: MachineMountOptions = {}): MountedDirectory {
  if (loadLibc() === undefined) {
    throw unavailable(mount, `machine directories need openat: ${libcFailure() ?? 'no C library'}`);
  }
  let fd: number;
  try {
    fd = openMachine(mount.machine, OPEN.readOnly | OPEN.directory);
  } catch (error) {
    throw unavailable(mount, messageOf(error), error);
  }
  const isByKernel = options.resolver !== 'walk' && hasKernelResolver(fd);
  if (options.resolver === 'kernel' && !isByKernel) {
    closeOwned(fd);
    throw unavailable(mount, 'the kernel has no openat2, or refuses it');
  }
  return new MountedMachine(mount, fd, isByKernel);
}

function unavailable(mount: MachineMount, detail: string, cause?: unknown): NebulaError {
  return new NebulaError('MOUNT_UNAVAILABLE', { path: mount.machine, guest: mount.guest, detail }, { cause });
}

class MountedMachine implements MountedDirectory {
  readonly guestPath: string;
  readonly #tree: MachineTree;

  constructor(mount: MachineMount, fd: number, isByKernel: boolean) {
    this.guestPath = mount.guest;
    const resolve = isByKernel ? resolveByKernel : resolveByWalk;
    const isReadOnly = mount.access === 'read-only';
    this.#tree = { fd, isReadOnly, resolve, devices: mount.devices ?? [], sources: MACHINE_SOURCES };
  }

  open(sources: GuestSources = MACHINE_SOURCES): Descriptor {
    openFor(this.#tree);
    this.#tree.sources = sources;
    return new MachineDirectory(this.#tree);
  }

  close(): void {
    closeOpenedFor(this.#tree);
    if (this.#tree.fd >= 0) {
      closeOwned(this.#tree.fd);
      this.#tree.fd = -1;
    }
  }
}
