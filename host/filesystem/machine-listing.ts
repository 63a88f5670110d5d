/** The entries of a directory of the machine, taken at one moment, so that their cookies stay what they are. */

import { type ListedEntry, listFd, OPEN, statFd, STATX } from '../linux/files.ts';
import { requireLibc } from '../linux/libc.ts';
import { closeOwned, openIn } from '../linux/owned-fd.ts';
import { ERRNO } from '../wasi/errno.ts';
import { FILETYPE } from '../wasi/filetype.ts';
import type { DirectoryEntry } from './descriptor.ts';
import { toWasiErrno } from './machine-errno.ts';
import { terminate } from './machine-path.ts';
import { toFiletype } from './machine-stat.ts';

const DOT = Uint8Array.of(0x2e);
const DOT_DOT = Uint8Array.of(0x2e, 0x2e);

/**
 * Appends the entries of the directory, `.` and `..` first, and answers with an errno. The root of a mount is its own
 * parent: what is above it is not the guest's to know.
 */
export function listEntries(fd: number, isRoot: boolean, entries: DirectoryEntry[]): number {
  const libc = requireLibc();
  const listed: ListedEntry[] = [];
  if (listFd(libc, fd, listed) < 0 || statFd(libc, fd) < 0) {
    return toWasiErrno(libc.errno());
  }
  const ino = STATX.ino();
  const parent = isRoot ? undefined : listed.find(({ name }) => isDotDot(name));
  entries.push({ name: DOT, ino, filetype: FILETYPE.directory });
  entries.push({ name: DOT_DOT, ino: parent?.ino ?? ino, filetype: FILETYPE.directory });
  for (const entry of listed) {
    if (!isDot(entry.name) && !isDotDot(entry.name)) {
      entries.push({ name: entry.name, ino: entry.ino, filetype: toFiletype(entry.kind || findKind(fd, entry.name)) });
    }
  }
  return ERRNO.success;
}

function isDot(name: Uint8Array): boolean {
  return name.length === 1 && name[0] === 0x2e;
}

function isDotDot(name: Uint8Array): boolean {
  return name.length === 2 && name[0] === 0x2e && name[1] === 0x2e;
}

/** Asks for the kind of an entry where the file system's listing does not tell; 0 when it is gone since. */
function findKind(directory: number, name: Uint8Array): number {
  const fd = openIn(directory, terminate(name), OPEN.path | OPEN.nofollow, 0);
  if (fd < 0) {
    return 0;
  }
  const kind = statFd(requireLibc(), fd) < 0 ? 0 : STATX.kind();
  closeOwned(fd);
  return kind;
}
