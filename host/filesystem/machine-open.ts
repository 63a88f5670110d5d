/** What a guest asks of path_open, as flags of Linux's open. */

import { OPEN } from '../linux/files.ts';
import { ERRNO } from '../wasi/errno.ts';
import { FDFLAG, isOflagsInvalid, OFLAG } from '../wasi/flags.ts';
import type { OpenRequest } from './descriptor.ts';

/** Flags of open for a request, or the WASI errno that refuses it, negated. */
export function toOpenFlags(request: OpenRequest): number {
  const { oflags, fdflags } = request;
  if (isOflagsInvalid(oflags)) {
    return -ERRNO.inval;
  }
  // Without NONBLOCK the open of a FIFO waits for its other end; on files and directories it means nothing.
  let flags = OPEN.nonblock | OPEN.noctty | toAccess(request);
  if (!request.isFollowing) {
    flags |= OPEN.nofollow;
  }
  if ((oflags & OFLAG.directory) !== 0) {
    flags |= OPEN.directory;
  }
  if ((oflags & OFLAG.creat) !== 0) {
    flags |= (oflags & OFLAG.excl) === 0 ? OPEN.create : OPEN.create | OPEN.exclusive;
  }
  if ((oflags & OFLAG.trunc) !== 0) {
    flags |= OPEN.truncate;
  }
  return flags | toFileFlags(fdflags);
}

function toAccess(request: OpenRequest): number {
  if (!request.isForWriting) {
    return OPEN.readOnly;
  }
  return request.isForReading ? OPEN.readWrite : OPEN.writeOnly;
}

/** Linux has no RSYNC of its own: SYNC stands for it. */
function toFileFlags(fdflags: number): number {
  let flags = (fdflags & FDFLAG.append) === 0 ? 0 : OPEN.append;
  if ((fdflags & FDFLAG.dsync) !== 0) {
    flags |= OPEN.dsync;
  }
  if ((fdflags & (FDFLAG.sync | FDFLAG.rsync)) !== 0) {
    flags |= OPEN.sync;
  }
  return flags;
}
