/** Flags of files, for every version of WASI, and what of them contradicts itself. */

/** `fdflags`: how an open file is written. Source: WASI preview1, docs.md#fdflags. */
export const FDFLAG = { append: 1, dsync: 2, nonblock: 4, rsync: 8, sync: 16 } as const;

/** `oflags`: how a path is opened. Source: WASI preview1, docs.md#oflags. */
export const OFLAG = { creat: 1, directory: 2, excl: 4, trunc: 8 } as const;

/** `fstflags`: which times of a file are set, and whether to now. Source: WASI preview1, docs.md#fstflags. */
export const FSTFLAG = { atim: 1, atimNow: 2, mtim: 4, mtimNow: 8 } as const;

/** `whence`: from where an offset counts. Source: WASI preview1, docs.md#whence. */
export const WHENCE = { set: 0, cur: 1, end: 2 } as const;

/** Every bit of `fdflags`. */
export const FDFLAGS_ALL = 31;

/** Every bit of `oflags`. */
export const OFLAGS_ALL = 15;

/** Every bit of `fstflags`. */
const FSTFLAGS_ALL = 15;

const ATIM_BOTH = FSTFLAG.atim | FSTFLAG.atimNow;
const MTIM_BOTH = FSTFLAG.mtim | FSTFLAG.mtimNow;
/** Flags of an open file that fcntl(F_SETFL) of Linux leaves as they were at its open. */
const SYNC_FLAGS = FDFLAG.dsync | FDFLAG.rsync | FDFLAG.sync;

/** Whether `oflags` ask for a directory and, at once, for what only a file can be: made, made anew or emptied. */
export function isOflagsInvalid(oflags: number): boolean {
  return (oflags & OFLAG.directory) !== 0 && (oflags & (OFLAG.creat | OFLAG.excl | OFLAG.trunc)) !== 0;
}

/** Whether `fstflags` has a bit the spec does not know, or asks for a time and for now at once. */
export function isFstflagsInvalid(fstflags: number): boolean {
  return (
    (fstflags & ~FSTFLAGS_ALL) !== 0 || (fstflags & ATIM_BOTH) === ATIM_BOTH || (fstflags & MTIM_BOTH) === MTIM_BOTH
  );
}

/**
 * The `fdflags` of a file after fd_fdstat_set_flags: synchronisation stays what its open asked for, so that what was
 * read can be written back, with or without those bits. Undefined where it would have to change: INVAL, as in wasmtime.
 */
export function changedFlags(current: number, fdflags: number): number | undefined {
  if ((fdflags & ~FDFLAGS_ALL) !== 0 || (fdflags & SYNC_FLAGS & ~current) !== 0) return undefined;
  return (fdflags & ~SYNC_FLAGS) | (current & SYNC_FLAGS);
}
