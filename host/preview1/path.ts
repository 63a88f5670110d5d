/**
 * The `path` group. A path is read and checked here (Context.path), resolved by the directory. One that begins with `/`
 * leads out of every directory: NOTCAPABLE.
 */
/* oxlint-disable max-params -- the spec fixes the signatures, and bundling them would allocate on each call */

import { ERRNO } from '../wasi/errno.ts';
import { isFstflagsInvalid } from '../wasi/flags.ts';
import { SLASH } from '../wasi/paths.ts';
import { type AbiVariant, type HostFunctions, LOOKUP_SYMLINK_FOLLOW } from './abi.ts';
import type { Context } from './context.ts';
import { CAPABILITY, checkDirectory, directoryOf, locate } from './path-lookup.ts';
import { createOpenFunctions } from './path-open.ts';
import { RIGHTS } from './rights.ts';

/**
 * The `path` group: entries made, removed, renamed and linked, stats and links by path. Source: WASI preview1,
 * docs.md#path_create_directory.
 */
export function createPathFunctions(context: Context, variant: AbiVariant): HostFunctions {
  return {
    ...createOpenFunctions(context),
    ...createEntryFunctions(context),
    ...createPairFunctions(context),
    ...createStatFunctions(context, variant),
    ...createLinkFunctions(context),
  };
}

function createEntryFunctions(context: Context): HostFunctions {
  return {
    path_create_directory: (fd: number, path: number, length: number): number => {
      context.enterLong();
      const errno = locate(context, fd >>> 0, RIGHTS.pathCreateDirectory, path >>> 0, length >>> 0);
      if (errno !== ERRNO.success) return errno;
      return context.settle(directoryOf(context, fd >>> 0).createDirectory(context.pathBytes), CAPABILITY);
    },
    path_remove_directory: (fd: number, path: number, length: number): number => {
      context.enterLong();
      const errno = locate(context, fd >>> 0, RIGHTS.pathRemoveDirectory, path >>> 0, length >>> 0);
      if (errno !== ERRNO.success) return errno;
      return context.settle(directoryOf(context, fd >>> 0).removeDirectory(context.pathBytes), CAPABILITY);
    },
    path_unlink_file: (fd: number, path: number, length: number): number => {
      context.enterLong();
      const errno = locate(context, fd >>> 0, RIGHTS.pathUnlinkFile, path >>> 0, length >>> 0);
      if (errno !== ERRNO.success) return errno;
      return context.settle(directoryOf(context, fd >>> 0).unlinkFile(context.pathBytes), CAPABILITY);
    },
  };
}

function createPairFunctions(context: Context): HostFunctions {
  return {
    path_rename: (
      fd: number,
      from: number,
      fromLength: number,
      targetFd: number,
      to: number,
      toLength: number,
    ): number => {
      context.enterLong();
      // Descriptors before paths, as in wasmtime.
      let errno = checkDirectory(context.table.get(fd >>> 0)) || checkDirectory(context.table.get(targetFd >>> 0));
      if (errno !== ERRNO.success) return errno;
      errno = locate(context, fd >>> 0, RIGHTS.pathRenameSource, from >>> 0, fromLength >>> 0);
      if (errno !== ERRNO.success) return errno;
      const source = context.pathBytes;
      errno = locate(context, targetFd >>> 0, RIGHTS.pathRenameTarget, to >>> 0, toLength >>> 0);
      if (errno !== ERRNO.success) return errno;
      const target = directoryOf(context, targetFd >>> 0);
      return context.settle(directoryOf(context, fd >>> 0).rename(source, target, context.pathBytes), CAPABILITY);
    },
    path_link: (
      fd: number,
      lookup: number,
      from: number,
      fromLength: number,
      targetFd: number,
      to: number,
      toLength: number,
    ): number => {
      context.enterLong();
      let errno = checkDirectory(context.table.get(fd >>> 0)) || checkDirectory(context.table.get(targetFd >>> 0));
      if (errno !== ERRNO.success) return errno;
      errno = locate(context, fd >>> 0, RIGHTS.pathLinkSource, from >>> 0, fromLength >>> 0);
      if (errno !== ERRNO.success) return errno;
      const source = context.pathBytes;
      errno = locate(context, targetFd >>> 0, RIGHTS.pathLinkTarget, to >>> 0, toLength >>> 0);
      if (errno !== ERRNO.success) return errno;
      if ((lookup & ~LOOKUP_SYMLINK_FOLLOW) !== 0) return ERRNO.inval;
      const target = directoryOf(context, targetFd >>> 0);
      const linked = directoryOf(context, fd >>> 0).link(source, lookup !== 0, target, context.pathBytes);
      return context.settle(linked, CAPABILITY);
    },
  };
}

function createStatFunctions(context: Context, variant: AbiVariant): HostFunctions {
  const { memory, result } = context;
  return {
    path_filestat_get: (fd: number, lookup: number, path: number, length: number, filestat: number): number => {
      context.enterLong();
      let errno = locate(context, fd >>> 0, RIGHTS.pathFilestatGet, path >>> 0, length >>> 0);
      if (errno !== ERRNO.success) return errno;
      if ((lookup & ~LOOKUP_SYMLINK_FOLLOW) !== 0) return ERRNO.inval;
      if (!memory.holds(filestat >>> 0, variant.filestatBytes)) return ERRNO.fault;
      errno = directoryOf(context, fd >>> 0).statAt(context.pathBytes, lookup !== 0, result);
      if (errno !== ERRNO.success) return context.settle(errno, CAPABILITY);
      memory.writeFilestat(filestat >>> 0, result.stat, variant.filestatBytes);
      return errno;
    },
    path_filestat_set_times: (
      fd: number,
      lookup: number,
      path: number,
      length: number,
      atim: bigint,
      mtim: bigint,
      fstflags: number,
    ): number => {
      context.enterLong();
      let errno = locate(context, fd >>> 0, RIGHTS.pathFilestatSetTimes, path >>> 0, length >>> 0);
      if (errno !== ERRNO.success) return errno;
      if ((lookup & ~LOOKUP_SYMLINK_FOLLOW) !== 0 || isFstflagsInvalid(fstflags)) return ERRNO.inval;
      const atimNs = BigInt.asUintN(64, atim);
      const mtimNs = BigInt.asUintN(64, mtim);
      const directory = directoryOf(context, fd >>> 0);
      errno = directory.setTimesAt(context.pathBytes, lookup !== 0, atimNs, mtimNs, fstflags);
      return context.settle(errno, CAPABILITY);
    },
  };
}

function createLinkFunctions(context: Context): HostFunctions {
  const { memory, result } = context;
  return {
    /** Contents that begin with `/` are refused: followed by the machine they would lead out of the mount. */
    path_symlink: (contents: number, contentsLength: number, fd: number, path: number, length: number): number => {
      context.enterLong();
      let errno = checkDirectory(context.table.get(fd >>> 0));
      if (errno !== ERRNO.success) return errno;
      errno = context.path(contents >>> 0, contentsLength >>> 0);
      if (errno !== ERRNO.success) return errno;
      const bytes = context.pathBytes;
      errno = locate(context, fd >>> 0, RIGHTS.pathSymlink, path >>> 0, length >>> 0);
      if (errno !== ERRNO.success) return errno;
      if (bytes[0] === SLASH) return context.settle(ERRNO.notcapable, CAPABILITY);
      return context.settle(directoryOf(context, fd >>> 0).symlink(bytes, context.pathBytes), CAPABILITY);
    },
    /** A buffer that is too short gets the beginning, as of readlink(2). */
    path_readlink: (
      fd: number,
      path: number,
      length: number,
      buffer: number,
      bufferLength: number,
      used: number,
    ): number => {
      context.enterLong();
      let errno = locate(context, fd >>> 0, RIGHTS.pathReadlink, path >>> 0, length >>> 0);
      if (errno !== ERRNO.success) return errno;
      if (!memory.holds(buffer >>> 0, bufferLength >>> 0) || !memory.holds(used >>> 0, 4)) return ERRNO.fault;
      errno = directoryOf(context, fd >>> 0).readlink(context.pathBytes, result);
      if (errno !== ERRNO.success) return context.settle(errno, CAPABILITY);
      const count = Math.min(result.bytes.length, bufferLength >>> 0);
      memory.bytes.set(result.bytes.subarray(0, count), buffer >>> 0);
      memory.view.setUint32(used >>> 0, count, true);
      return ERRNO.success;
    },
  };
}
