/**
 * The `path` group. A path is read and checked here (Context.path), resolved by the directory. One that begins with `/`
 * leads out of every directory: NOTCAPABLE.
 */
/* oxlint-disable max-params -- the spec fixes the signatures, and bundling them would allocate on each call */

import type { Descriptor, OpenRequest } from '../filesystem/descriptor.ts';
import { ERRNO } from '../wasi/errno.ts';
import { FILETYPE } from '../wasi/filetype.ts';
import { FDFLAGS_ALL, isFstflagsInvalid, isOflagsInvalid, OFLAG, OFLAGS_ALL } from '../wasi/flags.ts';
import { SLASH } from '../wasi/paths.ts';
import { type AbiVariant, type HostFunctions, LOOKUP_SYMLINK_FOLLOW } from './abi.ts';
import type { Context } from './context.ts';
import { DIRECTORY_RIGHTS, FILE_RIGHTS, grant, INHERITING_RIGHTS, RIGHTS } from './rights.ts';

const ALL_RIGHTS_MASK = 0x3fff_ffffn;
/** Rights to a file's size: they need a descriptor it can be changed through, where it is a file and may be changed. */
const SIZING_RIGHTS = RIGHTS.fdAllocate | RIGHTS.fdFilestatSetSize;

/** What the open of something that cannot be written fails with. */
const NOT_CHANGEABLE: ReadonlySet<number> = new Set([ERRNO.isdir, ERRNO.rofs, ERRNO.acces, ERRNO.perm, ERRNO.txtbsy]);

const CAPABILITY = 'filesystem';

export function createPathFunctions(context: Context, variant: AbiVariant): HostFunctions {
  return {
    ...createOpenFunctions(context),
    ...createEntryFunctions(context),
    ...createPairFunctions(context),
    ...createStatFunctions(context, variant),
    ...createLinkFunctions(context),
  };
}

/**
 * Looks up the directory and reads the path into `context.pathBytes`: BADF, NOTCAPABLE when the right was given up, or
 * what the path is refused with.
 */
function locate(context: Context, fd: number, right: number, path: number, length: number): number {
  const directory = context.table.get(fd);
  let errno = checkDirectory(directory);
  if (errno !== ERRNO.success) return errno;
  errno = context.path(path, length);
  if (errno !== ERRNO.success) return errno;
  if (((directory as Descriptor).droppedBase & right) !== 0) return ERRNO.notcapable;
  return context.pathBytes[0] === SLASH ? context.settle(ERRNO.notcapable, CAPABILITY) : ERRNO.success;
}

function checkDirectory(directory: Descriptor | undefined): number {
  if (directory === undefined) return ERRNO.badf;
  return directory.filetype === FILETYPE.directory ? ERRNO.success : ERRNO.notdir;
}

function directoryOf(context: Context, fd: number): Descriptor {
  return context.table.get(fd) as Descriptor;
}

interface OpenCall {
  readonly fd: number;
  readonly followSymlinks: boolean;
  readonly oflags: number;
  readonly fdflags: number;
  readonly base: number;
  readonly inheriting: number;
  readonly opened: number;
}

function createOpenFunctions(context: Context): HostFunctions {
  return {
    path_open: (
      fd: number,
      lookup: number,
      path: number,
      length: number,
      oflags: number,
      base: bigint,
      inheriting: bigint,
      fdflags: number,
      opened: number,
    ): number => {
      context.enter();
      const invalid =
        (lookup & ~LOOKUP_SYMLINK_FOLLOW) !== 0 ||
        (oflags & ~OFLAGS_ALL) !== 0 ||
        (fdflags & ~FDFLAGS_ALL) !== 0 ||
        isOflagsInvalid(oflags);
      const right =
        RIGHTS.pathOpen |
        ((oflags & OFLAG.creat) === 0 ? 0 : RIGHTS.pathCreateFile) |
        ((oflags & OFLAG.trunc) === 0 ? 0 : RIGHTS.pathFilestatSetSize);
      const errno = locate(context, fd >>> 0, right, path >>> 0, length >>> 0);
      if (errno !== ERRNO.success) return errno;
      if (invalid) return ERRNO.inval;
      if (!context.memory.holds(opened >>> 0, 4)) return ERRNO.fault;
      if (!context.table.hasRoom()) return ERRNO.mfile;
      return open(context, {
        fd: fd >>> 0,
        followSymlinks: lookup !== 0,
        oflags,
        fdflags,
        base: Number(base & ALL_RIGHTS_MASK),
        inheriting: Number(inheriting & ALL_RIGHTS_MASK),
        opened: opened >>> 0,
      });
    },
  };
}

/** What is opened neither to be read nor to be written can be read, as in wasmtime. */
function toBaseRights(base: number): number {
  return (base & (RIGHTS.fdRead | RIGHTS.fdWrite)) === 0 ? base | RIGHTS.fdRead : base;
}

/** Opens and gives the rights asked for, less those the directory does not hand on and those that mean nothing for the type. */
function open(context: Context, call: OpenCall): number {
  const { result } = context;
  const directory = directoryOf(context, call.fd);
  const base = toBaseRights(call.base);
  const errno = openWith(context, call, base & ~directory.droppedInheriting);
  if (errno !== ERRNO.success) return context.settle(errno, CAPABILITY);
  const opened = result.descriptor;
  if (opened === undefined) return ERRNO.io;
  result.descriptor = undefined;
  const meaningful = opened.filetype === FILETYPE.directory ? DIRECTORY_RIGHTS : FILE_RIGHTS;
  const held = directory.rightsInheriting;
  grant(opened, base & held & meaningful, call.inheriting & held & INHERITING_RIGHTS);
  opened.fdflags = call.fdflags;
  opened.droppedBase = directory.droppedInheriting;
  opened.droppedInheriting = directory.droppedInheriting;
  context.memory.view.setUint32(call.opened, context.table.add(opened), true);
  return ERRNO.success;
}

/** Leaves what it opens in the context's result. */
function openWith(context: Context, call: OpenCall, rights: number): number {
  const { result } = context;
  const directory = directoryOf(context, call.fd);
  const request: OpenRequest = {
    path: context.pathBytes,
    followSymlinks: call.followSymlinks,
    oflags: call.oflags,
    fdflags: call.fdflags,
    read: (rights & RIGHTS.fdRead) !== 0,
    write: (rights & RIGHTS.fdWrite) !== 0 || (call.oflags & OFLAG.trunc) !== 0,
  };
  result.descriptor = undefined;
  if (request.write || (rights & SIZING_RIGHTS) === 0) return directory.open(request, result);
  const errno = directory.open({ ...request, write: true }, result);
  // A directory, and a file that cannot be changed, is opened all the same: without the use of these rights.
  return NOT_CHANGEABLE.has(errno) ? directory.open(request, result) : errno;
}

function createEntryFunctions(context: Context): HostFunctions {
  return {
    path_create_directory: (fd: number, path: number, length: number): number => {
      context.enter();
      const errno = locate(context, fd >>> 0, RIGHTS.pathCreateDirectory, path >>> 0, length >>> 0);
      if (errno !== ERRNO.success) return errno;
      return context.settle(directoryOf(context, fd >>> 0).createDirectory(context.pathBytes), CAPABILITY);
    },
    path_remove_directory: (fd: number, path: number, length: number): number => {
      context.enter();
      const errno = locate(context, fd >>> 0, RIGHTS.pathRemoveDirectory, path >>> 0, length >>> 0);
      if (errno !== ERRNO.success) return errno;
      return context.settle(directoryOf(context, fd >>> 0).removeDirectory(context.pathBytes), CAPABILITY);
    },
    path_unlink_file: (fd: number, path: number, length: number): number => {
      context.enter();
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
      context.enter();
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
      context.enter();
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
      context.enter();
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
      context.enter();
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
      context.enter();
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
      context.enter();
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
