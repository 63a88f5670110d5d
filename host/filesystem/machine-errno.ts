/**
 * Errno of Linux (asm-generic, the same on x64 and arm64) as errno of WASI preview1.
 * Sources: include/uapi/asm-generic/errno-base.h and errno.h; `wasi_snapshot_preview1.witx`.
 */

import { ERRNO, type ErrnoName } from '../wasi/errno.ts';

/**
 * WASI names in the order of Linux's numbers, ten a line. What WASI has no name for is the nearest one that a guest's
 * libc understands, or `-`, which stands for `io`.
 */
const NAMES: readonly string[] = [
  'success perm noent srch intr io nxio 2big noexec badf',
  'child again nomem acces fault inval busy exist xdev nodev',
  'notdir isdir inval nfile mfile notty txtbsy fbig nospc spipe',
  'rofs mlink pipe dom range deadlk nametoolong nolck nosys notempty',
  'loop - nomsg idrm - - - - - -',
  '- - - - - - - - - -',
  '- nomsg timedout - - - - nolink - -',
  '- proto multihop - badmsg overflow - - - -',
  '- - - - ilseq intr - mfile notsock destaddrreq',
  'msgsize prototype noprotoopt protonosupport protonosupport notsup afnosupport afnosupport addrinuse addrnotavail',
  'netdown netunreach netreset connaborted connreset nobufs isconn notconn pipe -',
  'timedout connrefused hostunreach hostunreach already inprogress stale - - -',
  '- - dquot nxio - canceled acces acces acces acces',
  'ownerdead notrecoverable',
].flatMap((names) => names.split(' '));

const TABLE: Uint8Array = Uint8Array.from(NAMES, (name) => ERRNO[name as ErrnoName] ?? ERRNO.io);

/** What a path that leaves its mount fails with. */
export const ESCAPE: number = ERRNO.notcapable;

/** WASI errno of a Linux errno; `io` for those WASI has no word for. */
export function toWasiErrno(errno: number): number {
  return TABLE[errno] ?? ERRNO.io;
}

/** The same for a call that resolves a path beneath a directory, where EXDEV says that the path leads out of it. */
export function toPathErrno(errno: number): number {
  return errno === 18 ? ESCAPE : toWasiErrno(errno);
}
