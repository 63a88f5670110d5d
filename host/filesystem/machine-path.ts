/**
 * Resolves a guest's path beneath a directory fd of the machine, so that neither `..`, a symlink nor a race leaves it.
 * Two resolvers with one meaning: the kernel's openat2, and where that is refused a walk that opens one component at a
 * time, never follows a link of the kernel's and expands symlinks itself.
 */

import { DOT_PATH, KIND, OPEN, statFd, STATX } from '../linux/files.ts';
import { requireLibc } from '../linux/libc.ts';
import { closeOwned, openBeneath, openIn } from '../linux/owned-fd.ts';
import { ERRNO } from '../wasi/errno.ts';
import { DOT, LINKS_MAX, PATH_MAX_BYTES, SLASH } from '../wasi/paths.ts';
import { ESCAPE, toPathErrno, toWasiErrno } from './machine-errno.ts';
import { readLinkFd } from './machine-links.ts';

/**
 * Opens `path` (NUL at its end) beneath `directory` with the flags of open: an fd to be closed with `closeOwned`, or
 * the WASI errno negated.
 */
export type Resolver = (directory: number, path: Uint8Array, flags: number, mode: number) => number;

/** Directories a walk holds open at once. */
const DEPTH = 256;
/** How often openat2 is asked again when a rename beside a `..` made it unsure (EAGAIN). */
const ATTEMPTS = 64;
const EAGAIN = 11;
const ELOOP = 40;
const ENOTDIR = 20;

/** Asks the kernel to resolve the path beneath the directory. */
export const resolveByKernel: Resolver = (directory, path, flags, mode) => {
  let fd = openBeneath(directory, path, flags, mode);
  for (let attempt = 1; fd === -EAGAIN && attempt < ATTEMPTS; attempt++) {
    fd = openBeneath(directory, path, flags, mode);
  }
  return fd < 0 ? -toPathErrno(-fd) : fd;
};

/** A guest's path with a NUL at its end, or the errno that refuses it, negated. */
export function checkPath(path: Uint8Array): Uint8Array | number {
  if (path.length === 0) {
    return -ERRNO.noent;
  }
  if (path.length >= PATH_MAX_BYTES) {
    return -ERRNO.nametoolong;
  }
  if (path.includes(0)) {
    return -ERRNO.inval;
  }
  if (path[0] === SLASH) {
    return -ESCAPE;
  }
  return terminate(path);
}

/** A copy with a NUL at its end. */
export function terminate(bytes: Uint8Array): Uint8Array {
  const terminated = new Uint8Array(bytes.length + 1);
  terminated.set(bytes);
  return terminated;
}

/** A path split before its last component. */
export interface SplitPath {
  /** Path of the directory, `.` when there is none; NUL at its end. */
  readonly parent: Uint8Array;
  /** The last component without slashes, and as it was written; NUL at the end of both. */
  readonly base: Uint8Array;
  readonly entry: Uint8Array;
  readonly hasTrailingSlash: boolean;
  /** Whether the last component is `.` or `..`, which name no entry that could be made or removed. */
  readonly isDots: boolean;
}

/** Splits a path that `checkPath` accepted. */
export function splitPath(path: Uint8Array): SplitPath {
  let end = path.length - 1;
  while (end > 0 && path[end - 1] === SLASH) {
    end--;
  }
  const slash = end === 0 ? -1 : path.lastIndexOf(SLASH, end - 1);
  const base = terminate(path.subarray(slash + 1, end));
  return {
    parent: slash < 0 ? DOT_PATH : terminate(path.subarray(0, slash + 1)),
    base,
    entry: path.subarray(slash + 1),
    hasTrailingSlash: end < path.length - 1,
    isDots: isDot(base) || isDotDot(base),
  };
}

function isDot(name: Uint8Array): boolean {
  return name.length === 2 && name[0] === DOT;
}

function isDotDot(name: Uint8Array): boolean {
  return name.length === 3 && name[0] === DOT && name[1] === DOT;
}

/** Opens component by component, holding the fd of every directory on the way, so that `..` is the one it came from. */
export const resolveByWalk: Resolver = (directory, path, flags, mode) => {
  const walk: Walk = { above: [], top: directory, pending: splitNames(path.subarray(0, -1)), links: 0 };
  try {
    return walkToEnd(walk, flags, mode);
  } finally {
    for (const fd of walk.above.slice(1)) {
      closeOwned(fd);
    }
    if (walk.above.length > 0) {
      closeOwned(walk.top);
    }
  }
};

/** The `.` that a slash at a path's end stands for; what is created cannot be named so. */
const TRAILING: Uint8Array = Uint8Array.of(DOT, 0);

interface Walk {
  /** Directories above `top`; the first is the caller's. */
  readonly above: number[];
  top: number;
  /** Components left, the next one last; TRAILING for a slash at the end. Each ends in NUL. */
  pending: Uint8Array[];
  links: number;
}

/** The components of a path, last first. */
function splitNames(path: Uint8Array): Uint8Array[] {
  const names: Uint8Array[] = [];
  for (let at = 0; at <= path.length; ) {
    const slash = path.indexOf(SLASH, at);
    const end = slash < 0 ? path.length : slash;
    if (end > at) {
      names.push(terminate(path.subarray(at, end)));
    }
    at = end + 1;
  }
  if (path.at(-1) === SLASH) {
    names.push(TRAILING);
  }
  return names.toReversed();
}

function walkToEnd(walk: Walk, flags: number, mode: number): number {
  for (;;) {
    const name = walk.pending.pop() ?? DOT_PATH;
    const isLast = walk.pending.length === 0;
    let errno: number = ERRNO.success;
    if (isDotDot(name)) {
      errno = ascend(walk);
      if (errno === ERRNO.success && isLast) {
        return openLast(walk, DOT_PATH, flags, mode);
      }
    } else if (isLast) {
      const fd = openLast(walk, name, flags, mode);
      if (fd !== EXPANDED) {
        return fd;
      }
    } else if (!isDot(name)) {
      const isNewName = (flags & OPEN.create) !== 0 && walk.pending[0] === TRAILING && walk.pending.length === 1;
      errno = isNewName ? ERRNO.isdir : descend(walk, name);
    }
    if (errno !== ERRNO.success) {
      return -errno;
    }
  }
}

function ascend(walk: Walk): number {
  const parent = walk.above.pop();
  if (parent === undefined) {
    return ESCAPE;
  }
  closeOwned(walk.top);
  walk.top = parent;
  return ERRNO.success;
}

function descend(walk: Walk, name: Uint8Array): number {
  if (walk.above.length >= DEPTH) {
    return ERRNO.nametoolong;
  }
  const fd = openIn(walk.top, name, OPEN.path | OPEN.nofollow, 0);
  if (fd < 0) {
    return toWasiErrno(-fd);
  }
  const libc = requireLibc();
  const kind = statFd(libc, fd) < 0 ? -1 : STATX.kind();
  if (kind === KIND.directory) {
    walk.above.push(walk.top);
    walk.top = fd;
    return ERRNO.success;
  }
  const errno = kind === KIND.link ? expand(walk, readLinkFd(fd)) : kind < 0 ? ERRNO.io : ERRNO.notdir;
  closeOwned(fd);
  return errno;
}

/** What `openLast` answers when the last component was a symlink that is now expanded. */
const EXPANDED = -1000;

/** Opens the last component, never through a link of the kernel's: an fd, the errno negated, or EXPANDED. */
function openLast(walk: Walk, name: Uint8Array, flags: number, mode: number): number {
  const isFollowing = (flags & OPEN.nofollow) === 0 && (flags & OPEN.exclusive) === 0;
  const fd = openIn(walk.top, name, flags | OPEN.nofollow, mode);
  if (!isFollowing) {
    return fd < 0 ? -toWasiErrno(-fd) : fd;
  }
  if (fd >= 0 && (flags & OPEN.path) === 0) {
    return fd;
  }
  if (fd < 0 && fd !== -ELOOP && fd !== -ENOTDIR) {
    return -toWasiErrno(-fd);
  }
  const link = fd >= 0 ? fd : openIn(walk.top, name, OPEN.path | OPEN.nofollow, 0);
  if (link < 0) {
    return -toWasiErrno(-link);
  }
  if (statFd(requireLibc(), link) === 0 && STATX.kind() !== KIND.link) {
    if (fd >= 0) {
      return fd;
    }
    closeOwned(link);
    return -toWasiErrno(-fd);
  }
  const errno = expand(walk, readLinkFd(link));
  closeOwned(link);
  return errno === ERRNO.success ? EXPANDED : -errno;
}

/** Puts a symlink's contents before the components that are left. */
function expand(walk: Walk, contents: Uint8Array | number): number {
  walk.links++;
  if (typeof contents === 'number') {
    return -contents;
  }
  if (walk.links > LINKS_MAX) {
    return ERRNO.loop;
  }
  if (contents.length === 0) {
    return ERRNO.noent;
  }
  if (contents[0] === SLASH) {
    return ESCAPE;
  }
  walk.pending.push(...splitNames(contents));
  return ERRNO.success;
}

/** Whether the kernel resolves paths beneath a directory here: openat2 is there and no filter refuses it. */
export function hasKernelResolver(directory: number): boolean {
  const fd = openBeneath(directory, DOT_PATH, OPEN.path | OPEN.directory, 0);
  if (fd >= 0) {
    closeOwned(fd);
  }
  return fd >= 0;
}
