/**
 * What an fd of a guest can stand for. Every call answers with a WASI errno, or with a value and errno 0 through the
 * `result` it was handed, so that the invocation path allocates nothing. A kind of descriptor overrides what it can do.
 *
 * Source: WASI preview1, `wasi_snapshot_preview1.witx`.
 */

import { NO_BYTES } from '../bytes.ts';
import { ERRNO } from '../wasi/errno.ts';
import { FILETYPE } from '../wasi/filetype.ts';

/** `filestat` of preview1; times in nanoseconds since the epoch. */
export interface Filestat {
  dev: bigint;
  ino: bigint;
  filetype: number;
  nlink: bigint;
  sizeBytes: bigint;
  atimNs: bigint;
  mtimNs: bigint;
  ctimNs: bigint;
}

/** One entry of a directory, `.` and `..` included and first. */
export interface DirectoryEntry {
  readonly name: Uint8Array;
  readonly ino: bigint;
  readonly filetype: number;
}

/** What a path call opens or creates. */
export interface OpenRequest {
  /** Path relative to the directory, as the guest's bytes. */
  readonly path: Uint8Array;
  readonly isFollowing: boolean;
  readonly oflags: number;
  readonly fdflags: number;
  readonly isForReading: boolean;
  readonly isForWriting: boolean;
}

/** Where a call that yields a number, a descriptor or a stat leaves it. */
export interface Result {
  count: number;
  offset: bigint;
  descriptor: Descriptor | undefined;
  stat: Filestat;
  bytes: Uint8Array;
}

/** A place for results, with nothing in it yet: made once, so that calls allocate none. */
export function createResult(): Result {
  return {
    count: 0,
    offset: 0n,
    descriptor: undefined,
    bytes: NO_BYTES,
    stat: {
      dev: 0n,
      ino: 0n,
      filetype: FILETYPE.unknown,
      nlink: 0n,
      sizeBytes: 0n,
      atimNs: 0n,
      mtimNs: 0n,
      ctimNs: 0n,
    },
  };
}

/** The base: every call is refused with the errno that suits a descriptor that cannot do it. */
export abstract class Descriptor {
  abstract readonly filetype: number;
  fdflags = 0;
  /** `rights` as fd_fdstat_get shows them: bits of preview1's `RIGHTS`, all below 2^30. Set by the fd table's owner. */
  rightsBase = 0;
  rightsInheriting = 0;
  /** Rights the guest gave up with fd_fdstat_set_rights: the only ones, besides reading and writing, that are enforced. */
  droppedBase = 0;
  droppedInheriting = 0;
  /** Path of the preopen this descriptor is, or undefined. */
  preopenPath: Uint8Array | undefined = undefined;

  /** Reads into `target` at the descriptor's own offset and moves it. */
  read(_target: Uint8Array, _result: Result): number {
    return ERRNO.badf;
  }
  write(_source: Uint8Array, _result: Result): number {
    return ERRNO.badf;
  }
  pread(_target: Uint8Array, _offset: bigint, _result: Result): number {
    return ERRNO.badf;
  }
  pwrite(_source: Uint8Array, _offset: bigint, _result: Result): number {
    return ERRNO.badf;
  }
  /** `whence`: 0 set, 1 cur, 2 end. */
  seek(_delta: bigint, _whence: number, _result: Result): number {
    return ERRNO.spipe;
  }
  stat(_result: Result): number {
    return ERRNO.badf;
  }
  setFlags(_fdflags: number): number {
    return ERRNO.badf;
  }
  setSize(_sizeBytes: bigint): number {
    return ERRNO.inval;
  }
  allocate(_offset: bigint, _length: bigint): number {
    return ERRNO.badf;
  }
  advise(_offset: bigint, _length: bigint, _advice: number): number {
    return ERRNO.badf;
  }
  setTimes(_atimNs: bigint, _mtimNs: bigint, _fstflags: number): number {
    return ERRNO.badf;
  }
  sync(): number {
    return ERRNO.success;
  }
  datasync(): number {
    return this.sync();
  }
  /** Bytes that can be read without waiting, for poll_oneoff. */
  readableBytes(): number {
    return 0;
  }

  /** Pushes entries from `cookie` on, as many as `maximum` suffices for; entry i has cookie i + 1 as its `d_next`. */
  readEntries(_cookie: bigint, _entries: DirectoryEntry[], _maximum: number): number {
    return ERRNO.notdir;
  }
  open(_request: OpenRequest, _result: Result): number {
    return ERRNO.notdir;
  }
  statAt(_path: Uint8Array, _isFollowing: boolean, _result: Result): number {
    return ERRNO.notdir;
  }
  setTimesAt(_path: Uint8Array, _isFollowing: boolean, _atimNs: bigint, _mtimNs: bigint, _fstflags: number): number {
    return ERRNO.notdir;
  }
  createDirectory(_path: Uint8Array): number {
    return ERRNO.notdir;
  }
  removeDirectory(_path: Uint8Array): number {
    return ERRNO.notdir;
  }
  unlinkFile(_path: Uint8Array): number {
    return ERRNO.notdir;
  }
  rename(_from: Uint8Array, _target: Descriptor, _to: Uint8Array): number {
    return ERRNO.notdir;
  }
  link(_from: Uint8Array, _isFollowing: boolean, _target: Descriptor, _to: Uint8Array): number {
    return ERRNO.notdir;
  }
  symlink(_contents: Uint8Array, _path: Uint8Array): number {
    return ERRNO.notdir;
  }
  /** Leaves the link's contents in `result.bytes`. */
  readlink(_path: Uint8Array, _result: Result): number {
    return ERRNO.notdir;
  }

  /** Gives back what the descriptor holds of the machine. */
  close(): number {
    return ERRNO.success;
  }
}

/**
 * A directory: BADF for every call that is about the bytes of a file, as wasmtime and the public WASI test suite have it.
 * That goes for fd_sync and fd_fdstat_set_flags too, which Linux takes on a directory.
 */
export abstract class DirectoryDescriptor extends Descriptor {
  override readonly filetype: number = FILETYPE.directory;

  override seek(_delta: bigint, _whence: number, _result: Result): number {
    return ERRNO.badf;
  }
  override setSize(_sizeBytes: bigint): number {
    return ERRNO.badf;
  }
  override sync(): number {
    return ERRNO.badf;
  }
}
