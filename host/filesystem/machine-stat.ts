/** Stats and times of the machine's files as WASI has them. */

import { KIND, statFd, STATX, UTIME_NOW, UTIME_OMIT } from '../linux/files.ts';
import type { Libc } from '../linux/libc.ts';
import { ERRNO } from '../wasi/errno.ts';
import { FILETYPE } from '../wasi/filetype.ts';
import { FSTFLAG, isFstflagsInvalid } from '../wasi/flags.ts';
import type { Filestat } from './descriptor.ts';
import { toWasiErrno } from './machine-errno.ts';

const FILETYPES: Readonly<Record<number, number>> = {
  [KIND.character]: FILETYPE.characterDevice,
  [KIND.directory]: FILETYPE.directory,
  [KIND.block]: FILETYPE.blockDevice,
  [KIND.regular]: FILETYPE.regularFile,
  [KIND.link]: FILETYPE.symbolicLink,
  [KIND.socket]: FILETYPE.socketStream,
};

/** `filetype` of a kind of file; a FIFO, which WASI has no word for, is unknown. */
export function toFiletype(kind: number): number {
  return FILETYPES[kind] ?? FILETYPE.unknown;
}

/** Fills `stat` with that of an fd, an O_PATH one included, and answers with an errno. */
export function statInto(libc: Libc, fd: number, stat: Filestat): number {
  if (statFd(libc, fd) < 0) {
    return toWasiErrno(libc.errno());
  }
  stat.dev = STATX.dev();
  stat.ino = STATX.ino();
  stat.filetype = toFiletype(STATX.kind());
  stat.nlink = BigInt(STATX.nlink());
  stat.sizeBytes = STATX.sizeBytes();
  stat.atimNs = STATX.atimNs();
  stat.mtimNs = STATX.mtimNs();
  stat.ctimNs = STATX.ctimNs();
  return ERRNO.success;
}

const SECOND_NS = 1_000_000_000n;
const { atim, atimNow, mtim, mtimNow } = FSTFLAG;

/** Two struct timespec, of access and of modification, that `setTimespecs` fills. One per thread. */
export const TIMESPECS: BigInt64Array = new BigInt64Array(4);

/** Puts times in nanoseconds into `TIMESPECS`, as `fstflags` has them; `inval` for flags that contradict each other. */
export function setTimespecs(atimNs: bigint, mtimNs: bigint, fstflags: number): number {
  if (isFstflagsInvalid(fstflags)) {
    return ERRNO.inval;
  }
  setTimespec(0, atimNs, (fstflags & atim) !== 0, (fstflags & atimNow) !== 0);
  setTimespec(2, mtimNs, (fstflags & mtim) !== 0, (fstflags & mtimNow) !== 0);
  return ERRNO.success;
}

function setTimespec(at: number, timeNs: bigint, isGiven: boolean, isNow: boolean): void {
  TIMESPECS[at] = isGiven ? timeNs / SECOND_NS : 0n;
  TIMESPECS[at + 1] = isGiven ? timeNs % SECOND_NS : isNow ? UTIME_NOW : UTIME_OMIT;
}
