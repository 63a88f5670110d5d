/**
 * `path_open`: opens a path beneath a directory and gives what it opened a number and its rights.
 * Source: WASI preview1, docs.md#path_open.
 */
/* oxlint-disable max-params -- the spec fixes the signatures, and bundling them would allocate on each call */

import type { OpenRequest } from '../filesystem/descriptor.ts';
import { ERRNO } from '../wasi/errno.ts';
import { FILETYPE } from '../wasi/filetype.ts';
import { FDFLAGS_ALL, isOflagsInvalid, OFLAG, OFLAGS_ALL } from '../wasi/flags.ts';
import { type HostFunctions, LOOKUP_SYMLINK_FOLLOW } from './abi.ts';
import type { Context } from './context.ts';
import { CAPABILITY, directoryOf, locate } from './path-lookup.ts';
import { DIRECTORY_RIGHTS, FILE_RIGHTS, grant, INHERITING_RIGHTS, RIGHTS } from './rights.ts';

const ALL_RIGHTS_MASK = 0x3fff_ffffn;
/** Rights to a file's size: they need a descriptor it can be changed through, where it is a file and may be changed. */
const SIZING_RIGHTS = RIGHTS.fdAllocate | RIGHTS.fdFilestatSetSize;

/** What the open of something that cannot be written fails with. */
const NOT_CHANGEABLE: ReadonlySet<number> = new Set([ERRNO.isdir, ERRNO.rofs, ERRNO.acces, ERRNO.perm, ERRNO.txtbsy]);

interface OpenCall {
  readonly fd: number;
  readonly isFollowing: boolean;
  readonly oflags: number;
  readonly fdflags: number;
  readonly base: number;
  readonly inheriting: number;
  readonly opened: number;
}

/** `path_open`. Source: WASI preview1, docs.md#path_open. */
export function createOpenFunctions(context: Context): HostFunctions {
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
      context.enterLong();
      const isInvalid =
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
      if (isInvalid) return ERRNO.inval;
      if (!context.memory.holds(opened >>> 0, 4)) return ERRNO.fault;
      if (!context.table.hasRoom()) return ERRNO.mfile;
      return open(context, {
        fd: fd >>> 0,
        isFollowing: lookup !== 0,
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
    isFollowing: call.isFollowing,
    oflags: call.oflags,
    fdflags: call.fdflags,
    isForReading: (rights & RIGHTS.fdRead) !== 0,
    isForWriting: (rights & RIGHTS.fdWrite) !== 0 || (call.oflags & OFLAG.trunc) !== 0,
  };
  result.descriptor = undefined;
  if (request.isForWriting || (rights & SIZING_RIGHTS) === 0) return directory.open(request, result);
  const errno = directory.open({ ...request, isForWriting: true }, result);
  // A directory, and a file that cannot be changed, is opened all the same: without the use of these rights.
  return NOT_CHANGEABLE.has(errno) ? directory.open(request, result) : errno;
}
