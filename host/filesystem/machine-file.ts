/** A regular file of the machine, held by an fd. Its offset is the kernel's, so two descriptors of one fd would share it. */

import { FCNTL, OPEN, statFd, STATX } from '../linux/files.ts';
import { type Libc, requireLibc } from '../linux/libc.ts';
import { closeOwned } from '../linux/owned-fd.ts';
import { ERRNO } from '../wasi/errno.ts';
import { FILETYPE } from '../wasi/filetype.ts';
import { changedFlags, FDFLAG } from '../wasi/flags.ts';
import { OFFSET_MAX } from '../wasi/offsets.ts';
import { Descriptor, type Result } from './descriptor.ts';
import { toWasiErrno } from './machine-errno.ts';
import { setTimespecs, statInto, TIMESPECS } from './machine-stat.ts';

/** What Linux moves at most in one read or write. */
const TRANSFER_BYTES = 0x7fff_f000;
const WHENCES = 3;
/** POSIX_FADV_* by `advice` of preview1, which has random and sequential the other way round. */
const ADVICES: readonly number[] = [0, 2, 1, 3, 4, 5];

/** An open file of the machine: each call is one of Linux, and its errno as WASI names it. */
export class MachineFile extends Descriptor {
  override readonly filetype: number = FILETYPE.regularFile;
  readonly #libc: Libc = requireLibc();
  readonly #isReadOnly: boolean;
  #fd: number;

  /** `fd` becomes the descriptor's own. `isReadOnly` says that the mount is. */
  constructor(fd: number, fdflags: number, isReadOnly: boolean) {
    super();
    this.#fd = fd;
    this.fdflags = fdflags;
    this.#isReadOnly = isReadOnly;
  }

  override read(target: Uint8Array, result: Result): number {
    return this.#moved(this.#libc.read(this.#fd, target, Math.min(target.length, TRANSFER_BYTES)), result);
  }

  override write(source: Uint8Array, result: Result): number {
    return this.#moved(this.#libc.write(this.#fd, source, Math.min(source.length, TRANSFER_BYTES)), result);
  }

  override pread(target: Uint8Array, offset: bigint, result: Result): number {
    if (offset > OFFSET_MAX) {
      return ERRNO.inval;
    }
    const lengthBytes = Math.min(target.length, TRANSFER_BYTES);
    return this.#moved(this.#libc.pread(this.#fd, target, lengthBytes, offset), result);
  }

  override pwrite(source: Uint8Array, offset: bigint, result: Result): number {
    if (offset > OFFSET_MAX) {
      return ERRNO.inval;
    }
    // Linux appends even in pwrite (pwrite(2), BUGS) where POSIX and WASI write at the offset.
    const isAppending = (this.fdflags & FDFLAG.append) !== 0;
    if (isAppending) {
      this.#applyFlags(this.fdflags & ~FDFLAG.append);
    }
    const lengthBytes = Math.min(source.length, TRANSFER_BYTES);
    const errno = this.#moved(this.#libc.pwrite(this.#fd, source, lengthBytes, offset), result);
    return isAppending ? this.#applyFlags(this.fdflags) || errno : errno;
  }

  #moved(count: number, result: Result): number {
    if (count < 0) {
      return toWasiErrno(this.#libc.errno());
    }
    result.count = count;
    return ERRNO.success;
  }

  override seek(delta: bigint, whence: number, result: Result): number {
    if (whence >= WHENCES) {
      return ERRNO.inval;
    }
    const offset = this.#libc.lseek(this.#fd, delta, whence);
    if (offset < 0) {
      return toWasiErrno(this.#libc.errno());
    }
    result.offset = BigInt(offset);
    return ERRNO.success;
  }

  override stat(result: Result): number {
    return statInto(this.#libc, this.#fd, result.stat);
  }

  override setFlags(fdflags: number): number {
    const changed = changedFlags(this.fdflags, fdflags);
    if (changed === undefined) {
      return ERRNO.inval;
    }
    const errno = this.#applyFlags(changed);
    if (errno === ERRNO.success) {
      this.fdflags = changed;
    }
    return errno;
  }

  #applyFlags(fdflags: number): number {
    const append = (fdflags & FDFLAG.append) === 0 ? 0 : OPEN.append;
    const nonblock = (fdflags & FDFLAG.nonblock) === 0 ? 0 : OPEN.nonblock;
    return this.#done(this.#libc.fcntl(this.#fd, FCNTL.setFlags, append | nonblock));
  }

  #done(returned: number): number {
    return returned < 0 ? toWasiErrno(this.#libc.errno()) : ERRNO.success;
  }

  override setSize(sizeBytes: bigint): number {
    if (this.#isReadOnly) {
      return ERRNO.rofs;
    }
    return sizeBytes > OFFSET_MAX ? ERRNO.fbig : this.#done(this.#libc.ftruncate(this.#fd, sizeBytes));
  }

  override allocate(offset: bigint, length: bigint): number {
    if (this.#isReadOnly) {
      return ERRNO.rofs;
    }
    if (length === 0n) {
      return ERRNO.inval;
    }
    if (offset + length > OFFSET_MAX) {
      return ERRNO.fbig;
    }
    return this.#done(this.#libc.fallocate(this.#fd, 0, offset, length));
  }

  override advise(offset: bigint, length: bigint, advice: number): number {
    const known = ADVICES[advice];
    if (known === undefined || offset > OFFSET_MAX || length > OFFSET_MAX) {
      return ERRNO.inval;
    }
    return toWasiErrno(this.#libc.posixFadvise(this.#fd, offset, length, known));
  }

  override setTimes(atimNs: bigint, mtimNs: bigint, fstflags: number): number {
    const errno = setTimespecs(atimNs, mtimNs, fstflags);
    if (errno !== ERRNO.success) {
      return errno;
    }
    return this.#isReadOnly ? ERRNO.rofs : this.#done(this.#libc.futimens(this.#fd, TIMESPECS));
  }

  override sync(): number {
    return this.#done(this.#libc.fsync(this.#fd));
  }

  override datasync(): number {
    return this.#done(this.#libc.fdatasync(this.#fd));
  }

  /** A regular file never makes a reader wait: what is left of it, 0 at its end. */
  override readableBytes(): number {
    const offset = this.#libc.lseek(this.#fd, 0n, 1);
    if (offset < 0 || statFd(this.#libc, this.#fd) < 0) {
      return 0;
    }
    return Math.max(0, Number(STATX.sizeBytes() - BigInt(offset)));
  }

  override close(): number {
    if (this.#fd < 0) {
      return ERRNO.badf;
    }
    closeOwned(this.#fd);
    this.#fd = -1;
    return ERRNO.success;
  }
}
