import { EMPTY_PATH } from '../linux/files.ts';
import { requireLibc } from '../linux/libc.ts';
import { ERRNO } from '../wasi/errno.ts';
import { LINKS_MAX, PATH_MAX_BYTES, SLASH } from '../wasi/paths.ts';
import { ESCAPE, toWasiErrno } from './machine-errno.ts';
/** Symbolic links of the machine: what they hold, and where a path leads through them. Source: symlink(7). */

/** Contents of the symlink an O_PATH fd stands for, or the WASI errno negated. */
export function readLinkFd(fd: number): Uint8Array | number {
  const target = new Uint8Array(PATH_MAX_BYTES);
  const libc = requireLibc();
  const count = libc.readlinkat(fd, EMPTY_PATH, target, target.length);
  // An empty path that is no symlink is ENOENT to the kernel; the fd is there, so what lacks is the link.
  return count < 0 ? -(libc.errno() === 2 ? ERRNO.inval : toWasiErrno(libc.errno())) : target.slice(0, count);
}

/** The path of a symlink's target: its contents, relative to the directory the link's path is in. */
export function joinPath(link: Uint8Array, contents: Uint8Array): Uint8Array {
  const directory = link.subarray(0, link.lastIndexOf(SLASH) + 1);
  const joined = new Uint8Array(directory.length + contents.length);
  joined.set(directory);
  joined.set(contents, directory.length);
  return joined;
}

/**
 * The path of what a path leads to through symlinks in its last component, or an errno. `readLink` answers with the
 * contents of the symlink that a path names, or with an errno negated: INVAL for what is none.
 */
export function expandLinks(
  path: Uint8Array,
  readLink: (path: Uint8Array) => Uint8Array | number,
): Uint8Array | number {
  let expanded = path;
  for (let links = 0; links <= LINKS_MAX; links++) {
    const contents = readLink(expanded);
    if (typeof contents === 'number') {
      if (contents === -ERRNO.inval) {
        return expanded;
      }
      // A link that leads nowhere is there, but it is no file that could be given another name.
      return contents === -ERRNO.noent && links > 0 ? ERRNO.inval : -contents;
    }
    if (contents[0] === SLASH) {
      return ESCAPE;
    }
    expanded = joinPath(expanded, contents);
  }
  return ERRNO.loop;
}
