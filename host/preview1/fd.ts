/** The `fd` group but for reading, writing and listing (fd-io.ts): stats, flags, rights, offsets, preopens. */

import { ERRNO } from '../wasi/errno.ts';
import { FILETYPE } from '../wasi/filetype.ts';
import { FDFLAGS_ALL, isFstflagsInvalid, WHENCE } from '../wasi/flags.ts';
import { isBeyondOffsets } from '../wasi/offsets.ts';
import { type AbiVariant, ADVICE_MAX, type HostFunctions, SIZE } from './abi.ts';
import type { Context } from './context.ts';
import { isDropped, keepRights, RIGHTS } from './rights.ts';

/**
 * The other functions of the `fd` group: close and renumber, stats and flags, offsets, sizes. Source: WASI preview1,
 * docs.md#fd_advise.
 */
export function createFdFunctions(context: Context, variant: AbiVariant): HostFunctions {
  return {
    ...createLifetimeFunctions(context),
    ...createStatFunctions(context, variant),
    ...createOffsetFunctions(context, variant),
    ...createSizeFunctions(context),
  };
}

function createLifetimeFunctions(context: Context): HostFunctions {
  const { table, memory } = context;
  return {
    fd_close: (fd: number): number => {
      context.enter();
      return table.close(fd >>> 0);
    },
    fd_renumber: (from: number, to: number): number => {
      context.enter();
      return table.renumber(from >>> 0, to >>> 0);
    },
    /** Writes a `prestat`: 0 tag u8 (0: directory) | 4 name length u32. BADF when the fd is no preopen. */
    fd_prestat_get: (fd: number, prestat: number): number => {
      context.enter();
      const name = table.get(fd >>> 0)?.preopenPath;
      if (name === undefined) return ERRNO.badf;
      const pointer = prestat >>> 0;
      if (!memory.holds(pointer, SIZE.prestat)) return ERRNO.fault;
      memory.view.setUint32(pointer, 0, true);
      memory.view.setUint32(pointer + 4, name.length, true);
      return ERRNO.success;
    },
    /** Writes the preopen's path without a NUL; NAMETOOLONG when it does not fit. */
    fd_prestat_dir_name: (fd: number, path: number, length: number): number => {
      context.enter();
      const name = table.get(fd >>> 0)?.preopenPath;
      if (name === undefined) return ERRNO.badf;
      if (!memory.holds(path >>> 0, length >>> 0)) return ERRNO.fault;
      if (length >>> 0 < name.length) return ERRNO.nametoolong;
      memory.bytes.set(name, path >>> 0);
      return ERRNO.success;
    },
  };
}

function createStatFunctions(context: Context, variant: AbiVariant): HostFunctions {
  const { table, memory, result } = context;
  return {
    /** Writes an `fdstat`: 0 filetype u8 | 2 flags u16 | 8 rights base u64 | 16 rights inheriting u64. */
    fd_fdstat_get: (fd: number, fdstat: number): number => {
      context.enter();
      const descriptor = table.get(fd >>> 0);
      if (descriptor === undefined) return ERRNO.badf;
      const pointer = fdstat >>> 0;
      if (!memory.holds(pointer, SIZE.fdstat)) return ERRNO.fault;
      const view = memory.view;
      view.setUint32(pointer, descriptor.filetype | (descriptor.fdflags << 16), true);
      view.setUint32(pointer + 4, 0, true);
      // A right is a bit below 2^30, so the upper halves are 0.
      view.setUint32(pointer + 8, descriptor.rightsBase, true);
      view.setUint32(pointer + 12, 0, true);
      view.setUint32(pointer + 16, descriptor.rightsInheriting, true);
      view.setUint32(pointer + 20, 0, true);
      return ERRNO.success;
    },
    fd_fdstat_set_flags: (fd: number, fdflags: number): number => {
      context.enter();
      const descriptor = table.get(fd >>> 0);
      if (descriptor === undefined) return ERRNO.badf;
      if ((fdflags & ~FDFLAGS_ALL) !== 0) return ERRNO.inval;
      if ((descriptor.droppedBase & RIGHTS.fdFdstatSetFlags) !== 0) return ERRNO.notcapable;
      return descriptor.setFlags(fdflags);
    },
    /** Rights can only be given up: NOTCAPABLE for one the fd does not have. */
    fd_fdstat_set_rights: (fd: number, base: bigint, inheriting: bigint): number => {
      context.enter();
      const descriptor = table.get(fd >>> 0);
      if (descriptor === undefined) return ERRNO.badf;
      if ((base & ~BigInt(descriptor.rightsBase)) !== 0n) return ERRNO.notcapable;
      if ((inheriting & ~BigInt(descriptor.rightsInheriting)) !== 0n) return ERRNO.notcapable;
      keepRights(descriptor, Number(base), Number(inheriting));
      return ERRNO.success;
    },
    fd_filestat_get: (fd: number, filestat: number): number => {
      context.enter();
      const descriptor = table.get(fd >>> 0);
      if (descriptor === undefined) return ERRNO.badf;
      if (!memory.holds(filestat >>> 0, variant.filestatBytes)) return ERRNO.fault;
      if ((descriptor.droppedBase & RIGHTS.fdFilestatGet) !== 0) return ERRNO.notcapable;
      const errno = descriptor.stat(result);
      if (errno === ERRNO.success) memory.writeFilestat(filestat >>> 0, result.stat, variant.filestatBytes);
      return errno;
    },
    fd_filestat_set_times: (fd: number, atim: bigint, mtim: bigint, fstflags: number): number => {
      context.enter();
      const descriptor = table.get(fd >>> 0);
      if (descriptor === undefined) return ERRNO.badf;
      if (isFstflagsInvalid(fstflags)) return ERRNO.inval;
      if ((descriptor.droppedBase & RIGHTS.fdFilestatSetTimes) !== 0) return ERRNO.notcapable;
      const errno = descriptor.setTimes(BigInt.asUintN(64, atim), BigInt.asUintN(64, mtim), fstflags);
      return context.settle(errno, 'filesystem');
    },
  };
}

function createOffsetFunctions(context: Context, variant: AbiVariant): HostFunctions {
  const { table, memory, result } = context;
  const seek = (fd: number, delta: bigint, whence: number, pointer: number): number => {
    const descriptor = table.get(fd);
    if (descriptor === undefined) return ERRNO.badf;
    if (!memory.holds(pointer, 8)) return ERRNO.fault;
    const errno = descriptor.seek(delta, whence, result);
    if (errno === ERRNO.success) memory.view.setBigUint64(pointer, result.offset, true);
    return errno;
  };
  return {
    fd_seek: (fd: number, delta: bigint, whence: number, offset: number): number => {
      context.enter();
      const own = variant.whence[whence];
      if (own === undefined) return table.get(fd >>> 0) === undefined ? ERRNO.badf : ERRNO.inval;
      // `fd_tell` suffices where the offset stays as it is.
      const rights = own === WHENCE.cur && delta === 0n ? RIGHTS.fdSeek | RIGHTS.fdTell : RIGHTS.fdSeek;
      if (isDropped(table.get(fd >>> 0), rights)) return ERRNO.notcapable;
      return seek(fd >>> 0, delta, own, offset >>> 0);
    },
    fd_tell: (fd: number, offset: number): number => {
      context.enter();
      if (isDropped(table.get(fd >>> 0), RIGHTS.fdSeek | RIGHTS.fdTell)) return ERRNO.notcapable;
      return seek(fd >>> 0, 0n, WHENCE.cur, offset >>> 0);
    },
    fd_advise: (fd: number, offset: bigint, length: bigint, advice: number): number => {
      context.enter();
      const descriptor = table.get(fd >>> 0);
      if (descriptor === undefined) return ERRNO.badf;
      const from = BigInt.asUintN(64, offset);
      const count = BigInt.asUintN(64, length);
      if (advice >>> 0 > ADVICE_MAX || isBeyondOffsets(from) || isBeyondOffsets(count)) return ERRNO.inval;
      if (isDropped(descriptor, RIGHTS.fdAdvise)) return ERRNO.notcapable;
      return descriptor.advise(from, count, advice);
    },
  };
}

function createSizeFunctions(context: Context): HostFunctions {
  const { table } = context;
  return {
    fd_allocate: (fd: number, offset: bigint, length: bigint): number => {
      context.enterLong();
      const descriptor = table.get(fd >>> 0);
      if (descriptor === undefined) return ERRNO.badf;
      const from = BigInt.asUintN(64, offset);
      const count = BigInt.asUintN(64, length);
      if (descriptor.filetype !== FILETYPE.regularFile) return ERRNO.badf;
      if (count === 0n || isBeyondOffsets(from) || isBeyondOffsets(count)) return ERRNO.inval;
      if (isBeyondOffsets(from + count)) return ERRNO.fbig;
      if (isDropped(descriptor, RIGHTS.fdAllocate)) return ERRNO.notcapable;
      return context.settle(descriptor.allocate(from, count), 'filesystem');
    },
    fd_filestat_set_size: (fd: number, size: bigint): number => {
      context.enterLong();
      const descriptor = table.get(fd >>> 0);
      if (descriptor === undefined) return ERRNO.badf;
      const sizeBytes = BigInt.asUintN(64, size);
      if (isBeyondOffsets(sizeBytes)) return ERRNO.inval;
      if (isDropped(descriptor, RIGHTS.fdFilestatSetSize)) return ERRNO.notcapable;
      return context.settle(descriptor.setSize(sizeBytes), 'filesystem');
    },
    fd_sync: (fd: number): number => {
      context.enterLong();
      const descriptor = table.get(fd >>> 0);
      if (descriptor === undefined) return ERRNO.badf;
      return isDropped(descriptor, RIGHTS.fdSync) ? ERRNO.notcapable : descriptor.sync();
    },
    fd_datasync: (fd: number): number => {
      context.enterLong();
      const descriptor = table.get(fd >>> 0);
      if (descriptor === undefined) return ERRNO.badf;
      return isDropped(descriptor, RIGHTS.fdDatasync) ? ERRNO.notcapable : descriptor.datasync();
    },
  };
}
