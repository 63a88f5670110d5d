/**
 * A directory of the machine, given to a guest. Paths are resolved beneath its fd (machine-path.ts). Calls that make or
 * remove an entry resolve its directory and then name the entry itself, so that its symlink is never followed.
 *
 * A mount gives directories, regular files and symlinks, and devices that it grants by name. FIFOs, sockets and other
 * devices can be listed, stat'ed, renamed and removed, and not opened: `acces`. Every change of a read-only mount is `rofs`.
 */

import { AT_EMPTY_PATH, AT_REMOVEDIR, EMPTY_PATH, KIND, OPEN, statFd, STATX } from '../linux/files.ts';
import { type Libc, requireLibc } from '../linux/libc.ts';
import { closeOwned } from '../linux/owned-fd.ts';
import { ERRNO } from '../wasi/errno.ts';
import { FILETYPE } from '../wasi/filetype.ts';
import { DOT } from '../wasi/paths.ts';
import {
  type Descriptor,
  DirectoryDescriptor,
  type DirectoryEntry,
  type OpenRequest,
  type Result,
} from './descriptor.ts';
import { DeviceFile, findDevice } from './device-file.ts';
import { toWasiErrno } from './machine-errno.ts';
import { MachineFile } from './machine-file.ts';
import { expandLinks, readLinkFd } from './machine-links.ts';
import { listEntries } from './machine-listing.ts';
import { toOpenFlags } from './machine-open.ts';
import { checkPath, type SplitPath, splitPath } from './machine-path.ts';
import { setTimespecs, statInto, TIMESPECS } from './machine-stat.ts';
import type { MachineTree } from './machine-tree.ts';

const DIRECTORY_MODE = 0o777;
const FILE_MODE = 0o666;

/** An open directory of the machine. Errnos are those of Linux, path_resolution(7), as WASI names them. */
export class MachineDirectory extends DirectoryDescriptor {
  readonly #libc: Libc = requireLibc();
  readonly #tree: MachineTree;
  /** Where the fd is: the tree itself for its root, which the mount closes. */
  readonly #own: { fd: number };
  #listing: DirectoryEntry[] | undefined;

  /** Without an fd it is the root of the tree; else the fd becomes the descriptor's own. */
  constructor(tree: MachineTree, fd?: number) {
    super();
    this.#tree = tree;
    this.#own = fd === undefined ? tree : { fd };
  }

  override stat(result: Result): number {
    return statInto(this.#libc, this.#own.fd, result.stat);
  }

  override setTimes(atimNs: bigint, mtimNs: bigint, fstflags: number): number {
    const errno = setTimespecs(atimNs, mtimNs, fstflags);
    if (errno !== ERRNO.success) {
      return errno;
    }
    return this.#tree.isReadOnly ? ERRNO.rofs : this.#done(this.#libc.futimens(this.#own.fd, TIMESPECS));
  }

  override readEntries(cookie: bigint, entries: DirectoryEntry[], maximum: number): number {
    if (cookie === 0n || this.#listing === undefined) {
      const listing: DirectoryEntry[] = [];
      const errno = listEntries(this.#own.fd, this.#own === this.#tree, listing);
      if (errno !== ERRNO.success) {
        return errno;
      }
      this.#listing = listing;
    }
    const first = cookie > this.#listing.length ? this.#listing.length : Number(cookie);
    const end = Math.min(this.#listing.length, first + maximum);
    for (let index = first; index < end; index++) {
      entries.push(this.#listing[index] as DirectoryEntry);
    }
    return ERRNO.success;
  }

  override open(request: OpenRequest, result: Result): number {
    const flags = toOpenFlags(request);
    if (flags < 0) {
      return -flags;
    }
    return this.#tree.isReadOnly ? this.#openReadOnly(request, flags, result) : this.#openPath(request, flags, result);
  }

  /** What is not there cannot be made, and what is there cannot be written: in this order, as POSIX has it. */
  #openReadOnly(request: OpenRequest, flags: number, result: Result): number {
    const changes = OPEN.create | OPEN.exclusive | OPEN.truncate | OPEN.append | OPEN.writeOnly | OPEN.readWrite;
    const errno = this.#openPath(request, flags & ~changes, result);
    if (errno !== ERRNO.success) {
      return errno === ERRNO.noent && (flags & OPEN.create) !== 0 ? ERRNO.rofs : errno;
    }
    const opened = result.descriptor as Descriptor;
    const isExclusive = (flags & OPEN.create) !== 0 && (flags & OPEN.exclusive) !== 0;
    // Devices are written on file systems that are read-only too.
    const isWritable = opened instanceof DeviceFile || (!request.isForWriting && (flags & OPEN.truncate) === 0);
    if (!isExclusive && isWritable) {
      return ERRNO.success;
    }
    opened.close();
    result.descriptor = undefined;
    if (isExclusive) {
      return ERRNO.exist;
    }
    return opened.filetype === FILETYPE.directory ? ERRNO.isdir : ERRNO.rofs;
  }

  #openPath(request: OpenRequest, flags: number, result: Result): number {
    const fd = this.#resolve(request.path, flags, (flags & OPEN.create) === 0 ? 0 : FILE_MODE);
    if (fd < 0) {
      return -fd;
    }
    const kind = statFd(this.#libc, fd) < 0 ? -1 : STATX.kind();
    const device = kind === KIND.character ? findDevice(this.#tree.devices, ...STATX.rdev()) : undefined;
    if (device !== undefined) {
      const stat = { ...result.stat };
      statInto(this.#libc, fd, stat);
      closeOwned(fd);
      const { sources } = this.#tree;
      result.descriptor = new DeviceFile(device, request, sources, (into) => Object.assign(into, stat));
      return ERRNO.success;
    }
    if (kind !== KIND.regular && kind !== KIND.directory) {
      closeOwned(fd);
      return kind < 0 ? ERRNO.io : ERRNO.acces;
    }
    const { isReadOnly } = this.#tree;
    result.descriptor =
      kind === KIND.directory ? new MachineDirectory(this.#tree, fd) : new MachineFile(fd, request.fdflags, isReadOnly);
    return ERRNO.success;
  }

  override statAt(path: Uint8Array, isFollowing: boolean, result: Result): number {
    return this.#atPath(path, isFollowing, (fd) => statInto(this.#libc, fd, result.stat));
  }

  override setTimesAt(
    path: Uint8Array,
    isFollowing: boolean,
    atimNs: bigint,
    mtimNs: bigint,
    fstflags: number,
  ): number {
    const errno = setTimespecs(atimNs, mtimNs, fstflags);
    if (errno !== ERRNO.success) {
      return errno;
    }
    return this.#atPath(path, isFollowing, (fd) =>
      this.#tree.isReadOnly ? ERRNO.rofs : this.#done(this.#libc.utimensat(fd, EMPTY_PATH, TIMESPECS, AT_EMPTY_PATH)),
    );
  }

  override readlink(path: Uint8Array, result: Result): number {
    const contents = this.#readLink(path);
    if (typeof contents === 'number') {
      return -contents;
    }
    result.bytes = contents;
    return ERRNO.success;
  }

  /** The contents of a symlink, or the errno negated. */
  #readLink(path: Uint8Array): Uint8Array | number {
    const fd = this.#resolve(path, OPEN.path | OPEN.nofollow, 0);
    if (fd < 0) {
      return fd;
    }
    const contents = readLinkFd(fd);
    closeOwned(fd);
    return contents;
  }

  override createDirectory(path: Uint8Array): number {
    return this.#atParent(path, ERRNO.exist, (parent, { entry }) =>
      this.#done(this.#libc.mkdirat(parent, entry, DIRECTORY_MODE)),
    );
  }

  override removeDirectory(path: Uint8Array): number {
    return this.#atParent(
      path,
      ({ base }) => (base[1] === DOT ? ERRNO.notempty : ERRNO.inval),
      (parent, { entry }) => this.#done(this.#libc.unlinkat(parent, entry, AT_REMOVEDIR)),
    );
  }

  override unlinkFile(path: Uint8Array): number {
    return this.#atParent(path, ERRNO.isdir, (parent, { entry }) => this.#done(this.#libc.unlinkat(parent, entry, 0)));
  }

  override rename(from: Uint8Array, target: Descriptor, to: Uint8Array): number {
    if (!(target instanceof MachineDirectory)) {
      return target.filetype === FILETYPE.directory ? ERRNO.xdev : ERRNO.notdir;
    }
    return this.#atParent(from, ERRNO.busy, (fromParent, fromSplit) =>
      target.#atParent(to, ERRNO.busy, (toParent, toSplit) =>
        this.#done(this.#libc.renameat(fromParent, fromSplit.entry, toParent, toSplit.entry)),
      ),
    );
  }

  override link(from: Uint8Array, isFollowing: boolean, target: Descriptor, to: Uint8Array): number {
    if (!(target instanceof MachineDirectory)) {
      return target.filetype === FILETYPE.directory ? ERRNO.xdev : ERRNO.notdir;
    }
    const path = isFollowing ? expandLinks(from, (link) => this.#readLink(link)) : from;
    if (typeof path === 'number') {
      return path;
    }
    return this.#atParent(path, ERRNO.perm, (fromParent, { base, hasTrailingSlash }) => {
      if (hasTrailingSlash) {
        // With its slash it can only be a directory, and those have no hard links.
        return this.#atPath(path, true, () => ERRNO.perm);
      }
      return target.#atNewEntry(to, (toParent, entry) =>
        this.#done(this.#libc.linkat(fromParent, base, toParent, entry, 0)),
      );
    });
  }

  /** Contents are checked as a path is: absolute ones are refused, because what follows them outside of Nebula would leave the mount. */
  override symlink(contents: Uint8Array, path: Uint8Array): number {
    const checked = checkPath(contents);
    if (typeof checked === 'number') {
      return -checked;
    }
    return this.#atNewEntry(path, (parent, entry) => this.#done(this.#libc.symlinkat(checked, parent, entry)));
  }

  override close(): number {
    this.#listing = undefined;
    if (this.#own === this.#tree) {
      return ERRNO.success;
    }
    if (this.#own.fd < 0) {
      return ERRNO.badf;
    }
    closeOwned(this.#own.fd);
    this.#own.fd = -1;
    return ERRNO.success;
  }

  #done(returned: number): number {
    return returned < 0 ? toWasiErrno(this.#libc.errno()) : ERRNO.success;
  }

  /** An fd of what the path names, or the errno negated. */
  #resolve(path: Uint8Array, flags: number, mode: number): number {
    const checked = checkPath(path);
    return typeof checked === 'number' ? checked : this.#tree.resolve(this.#own.fd, checked, flags, mode);
  }

  /** Does something with an O_PATH fd of what the path names. */
  #atPath(path: Uint8Array, isFollowing: boolean, act: (fd: number) => number): number {
    const fd = this.#resolve(path, OPEN.path | (isFollowing ? 0 : OPEN.nofollow), 0);
    if (fd < 0) {
      return -fd;
    }
    const errno = act(fd);
    closeOwned(fd);
    return errno;
  }

  /** Does something to an entry of its directory. `refusal` is the errno of a path that ends in `.` or `..`. */
  #atParent(
    path: Uint8Array,
    refusal: number | ((split: SplitPath) => number),
    act: (parent: number, split: SplitPath) => number,
  ): number {
    const checked = checkPath(path);
    if (typeof checked === 'number') {
      return -checked;
    }
    const split = splitPath(checked);
    if (split.isDots) {
      return this.#atPath(path, true, () => (typeof refusal === 'number' ? refusal : refusal(split)));
    }
    const parent = this.#tree.resolve(this.#own.fd, split.parent, OPEN.path | OPEN.directory, 0);
    if (parent < 0) {
      return -parent;
    }
    // As on a file system mounted read-only: a directory that is not there, or not within reach, is told first.
    const errno = this.#tree.isReadOnly ? ERRNO.rofs : act(parent, split);
    closeOwned(parent);
    return errno;
  }

  /** Makes an entry that is no directory, which a slash at its end rules out. */
  #atNewEntry(path: Uint8Array, act: (parent: number, entry: Uint8Array) => number): number {
    return this.#atParent(path, ERRNO.exist, (parent, { base, hasTrailingSlash }) =>
      hasTrailingSlash ? this.#atPath(path, true, () => ERRNO.exist) : act(parent, base),
    );
  }
}
