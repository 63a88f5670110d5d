/** The directory and the path that each function of the `path` group begins with. */

import type { Descriptor } from '../filesystem/descriptor.ts';
import { ERRNO } from '../wasi/errno.ts';
import { FILETYPE } from '../wasi/filetype.ts';
import { SLASH } from '../wasi/paths.ts';
import type { Context } from './context.ts';

/** What a guest lacks where a path is refused, as a `denied` outcome names it. */
export const CAPABILITY = 'filesystem';

/**
 * Looks up the directory and reads the path into `context.pathBytes`: BADF, NOTCAPABLE when the right was given up, or
 * what the path is refused with.
 */
export function locate(context: Context, fd: number, right: number, path: number, length: number): number {
  const directory = context.table.get(fd);
  let errno = checkDirectory(directory);
  if (errno !== ERRNO.success) return errno;
  errno = context.path(path, length);
  if (errno !== ERRNO.success) return errno;
  if (((directory as Descriptor).droppedBase & right) !== 0) return ERRNO.notcapable;
  return context.pathBytes[0] === SLASH ? context.settle(ERRNO.notcapable, CAPABILITY) : ERRNO.success;
}

/** BADF for a number that is not open, NOTDIR for what is no directory. */
export function checkDirectory(directory: Descriptor | undefined): number {
  if (directory === undefined) return ERRNO.badf;
  return directory.filetype === FILETYPE.directory ? ERRNO.success : ERRNO.notdir;
}

/** The directory of a number that `locate` or `checkDirectory` has found to be one. */
export function directoryOf(context: Context, fd: number): Descriptor {
  return context.table.get(fd) as Descriptor;
}
