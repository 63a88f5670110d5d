/** An open directory of an in-memory tree. Paths are resolved beneath it and never leave it. */

import { UTF8_ENCODER } from '../bytes.ts';
import { ERRNO } from '../wasi/errno.ts';
import { FILETYPE } from '../wasi/filetype.ts';
import { isOflagsInvalid, OFLAG } from '../wasi/flags.ts';
import { SLASH } from '../wasi/paths.ts';
import {
  type Descriptor,
  DirectoryDescriptor,
  type DirectoryEntry,
  type OpenRequest,
  type Result,
} from './descriptor.ts';
import { DeviceFile } from './device-file.ts';
import { MemoryFile } from './memory-file.ts';
import { DeviceNode, DirectoryNode, FileNode, LinkNode, type MemoryNode } from './memory-tree.ts';
import { type Place, walk } from './memory-walk.ts';

/** An open directory of a tree in memory, with the errnos that Linux has for the same calls. */
export class MemoryDirectory extends DirectoryDescriptor {
  #node: DirectoryNode | undefined;
  readonly #build: () => DirectoryNode;
  /** The directory as it was when it was last read from its start: a cookie counts in it. */
  #listing: DirectoryEntry[] | undefined = undefined;

  /** `build` makes the node at the first use: most invocations never look. */
  constructor(build: () => DirectoryNode) {
    super();
    this.#node = undefined;
    this.#build = build;
  }

  get node(): DirectoryNode {
    this.#node ??= this.#build();
    return this.#node;
  }

  override stat(result: Result): number {
    this.node.stat(result.stat);
    return ERRNO.success;
  }

  override setTimes(atimNs: bigint, mtimNs: bigint, fstflags: number): number {
    return this.node.setTimes(atimNs, mtimNs, fstflags);
  }

  override readEntries(cookie: bigint, entries: DirectoryEntry[], maximum: number): number {
    if (cookie === 0n || this.#listing === undefined) this.#listing = list(this.node);
    const listing = this.#listing;
    if (cookie > BigInt(listing.length)) return ERRNO.success;
    const first = Number(cookie);
    const last = Math.min(listing.length, first + maximum);
    for (let i = first; i < last; i++) entries.push(listing[i] as DirectoryEntry);
    return ERRNO.success;
  }

  override open(request: OpenRequest, result: Result): number {
    if (isOflagsInvalid(request.oflags)) return ERRNO.inval;
    const isNew = (request.oflags & OFLAG.excl) !== 0 && (request.oflags & OFLAG.creat) !== 0;
    const isCreating = (request.oflags & OFLAG.creat) !== 0;
    // As open(2) has it: what is created is a file, which a slash at the end rules out before a link there is followed.
    const hasTrailingSlash = request.path.at(-1) === SLASH;
    const isFollowing = request.isFollowing && !isNew && !(isCreating && hasTrailingSlash);
    const place = walk(this.node, request.path, isFollowing, isCreating);
    if (place.errno !== ERRNO.success) return place.errno;
    // As open(2) has it: what it creates is a file, whatever is there.
    if (isCreating && place.hasTrailingSlash) return ERRNO.isdir;
    if (place.node === undefined) return this.#openNew(request, place, result);
    if (isNew) return ERRNO.exist;
    return openExisting(place.node, request, result);
  }

  #openNew(request: OpenRequest, place: Place, result: Result): number {
    if ((request.oflags & OFLAG.creat) === 0) return ERRNO.noent;
    const node = (): FileNode => new FileNode(place.parent.tree);
    const errno = enter(place, node);
    if (errno !== ERRNO.success) return errno;
    result.descriptor = new MemoryFile(place.parent.entries.get(place.name) as FileNode, request);
    return ERRNO.success;
  }

  override statAt(path: Uint8Array, isFollowing: boolean, result: Result): number {
    const place = walk(this.node, path, isFollowing);
    if (place.errno !== ERRNO.success) return place.errno;
    if (place.node === undefined) return ERRNO.noent;
    place.node.stat(result.stat);
    return ERRNO.success;
  }

  override setTimesAt(
    path: Uint8Array,
    isFollowing: boolean,
    atimNs: bigint,
    mtimNs: bigint,
    fstflags: number,
  ): number {
    const place = walk(this.node, path, isFollowing);
    if (place.errno !== ERRNO.success) return place.errno;
    return place.node === undefined ? ERRNO.noent : place.node.setTimes(atimNs, mtimNs, fstflags);
  }

  override createDirectory(path: Uint8Array): number {
    const place = walk(this.node, path, false, true);
    if (place.errno !== ERRNO.success) return place.errno;
    if (place.node !== undefined) return ERRNO.exist;
    return enter(place, () => new DirectoryNode(place.parent.tree));
  }

  override removeDirectory(path: Uint8Array): number {
    const place = walk(this.node, path, false, true);
    const { node, name, parent, errno } = place;
    if (errno !== ERRNO.success) return errno;
    if (node === undefined) return ERRNO.noent;
    if (!(node instanceof DirectoryNode)) return ERRNO.notdir;
    if (name === '.') return ERRNO.inval;
    if (name === '..' || node.entries.size > 0) return ERRNO.notempty;
    if (parent.tree.options.isReadOnly) return ERRNO.rofs;
    parent.tree.remove(parent, name);
    node.isRemoved = true;
    return ERRNO.success;
  }

  override unlinkFile(path: Uint8Array): number {
    const place = walk(this.node, path, false, true);
    if (place.errno !== ERRNO.success) return place.errno;
    if (place.node === undefined) return ERRNO.noent;
    if (place.node instanceof DirectoryNode) return ERRNO.isdir;
    if (place.hasTrailingSlash) return ERRNO.notdir;
    if (place.parent.tree.options.isReadOnly) return ERRNO.rofs;
    place.parent.tree.remove(place.parent, place.name);
    return ERRNO.success;
  }

  override symlink(contents: Uint8Array, path: Uint8Array): number {
    const place = walk(this.node, path, false, true);
    if (place.errno !== ERRNO.success) return place.errno;
    if (place.node !== undefined) return existing(place);
    if (place.hasTrailingSlash) return ERRNO.noent;
    return enter(place, () => new LinkNode(place.parent.tree, contents));
  }

  override readlink(path: Uint8Array, result: Result): number {
    const place = walk(this.node, path, false);
    if (place.errno !== ERRNO.success) return place.errno;
    if (place.node === undefined) return ERRNO.noent;
    if (!(place.node instanceof LinkNode)) return ERRNO.inval;
    result.bytes = place.node.contents;
    return ERRNO.success;
  }

  override link(from: Uint8Array, isFollowing: boolean, target: Descriptor, to: Uint8Array): number {
    if (!(target instanceof MemoryDirectory)) return ERRNO.xdev;
    const source = walk(this.node, from, isFollowing);
    if (source.errno !== ERRNO.success) return source.errno;
    const node = source.node;
    // A link that leads nowhere is there, but it is no file that could be given another name.
    if (node === undefined) {
      const isLink = isFollowing && walk(this.node, from, false).node instanceof LinkNode;
      return isLink ? ERRNO.inval : ERRNO.noent;
    }
    const place = walk(target.node, to, false, true);
    if (place.errno !== ERRNO.success) return place.errno;
    if (place.node !== undefined) return existing(place);
    if (node instanceof DirectoryNode) return ERRNO.perm;
    if (place.hasTrailingSlash) return ERRNO.noent;
    return node.tree === place.parent.tree ? enter(place, () => node) : ERRNO.xdev;
  }

  override rename(from: Uint8Array, target: Descriptor, to: Uint8Array): number {
    if (!(target instanceof MemoryDirectory)) return ERRNO.xdev;
    const source = walk(this.node, from, false, true);
    if (source.errno !== ERRNO.success) return source.errno;
    const place = walk(target.node, to, false, true);
    if (place.errno !== ERRNO.success) return place.errno;
    const errno = checkRename(source, place);
    if (errno !== ERRNO.success || source.node === place.node) return errno;
    const { tree } = source.parent;
    const moved = source.node as MemoryNode;
    if (place.node !== undefined) {
      if (place.node instanceof DirectoryNode) place.node.isRemoved = true;
      tree.remove(place.parent, place.name);
    }
    tree.move(source.parent, source.name, place.parent, place.name, moved);
    return ERRNO.success;
  }
}

/** What a new name is refused with when something has it: NOTDIR where a slash asks for a directory. */
function existing(place: Place): number {
  return place.hasTrailingSlash && !(place.node instanceof DirectoryNode) ? ERRNO.notdir : ERRNO.exist;
}

/** Enters a new name: NOENT in a directory that is gone, ROFS, NOSPC. */
function enter(place: Place, create: () => MemoryNode): number {
  const { parent } = place;
  if (parent.isRemoved) return ERRNO.noent;
  if (parent.tree.options.isReadOnly) return ERRNO.rofs;
  return parent.tree.enter(parent, place.name, create()) ? ERRNO.success : ERRNO.nospc;
}

function openExisting(node: MemoryNode, request: OpenRequest, result: Result): number {
  // As of open(2): a link that is not followed is no directory, before it is no file.
  if (node instanceof LinkNode) return (request.oflags & OFLAG.directory) === 0 ? ERRNO.loop : ERRNO.notdir;
  if (node instanceof DirectoryNode) {
    if (request.isForWriting || (request.oflags & (OFLAG.creat | OFLAG.trunc)) !== 0) return ERRNO.isdir;
    result.descriptor = new MemoryDirectory(() => node);
    return ERRNO.success;
  }
  if ((request.oflags & OFLAG.directory) !== 0) return ERRNO.notdir;
  if (node instanceof DeviceNode) {
    // Devices are written on file systems that are read-only too.
    result.descriptor = new DeviceFile(node.name, request, node.tree.options, (stat) => node.stat(stat));
    return ERRNO.success;
  }
  if (request.isForWriting && node.tree.options.isReadOnly) return ERRNO.rofs;
  if ((request.oflags & OFLAG.trunc) !== 0) {
    if (node.tree.options.isReadOnly) return ERRNO.rofs;
    node.resize(0);
  }
  result.descriptor = new MemoryFile(node, request);
  return ERRNO.success;
}

/** What rename(2) refuses, in its order. */
function checkRename(source: Place, place: Place): number {
  const moved = source.node;
  const replaced = place.node;
  if (source.name === '.' || source.name === '..' || place.name === '.' || place.name === '..') return ERRNO.busy;
  if (moved === undefined) return ERRNO.noent;
  if (source.parent.tree !== place.parent.tree) return ERRNO.xdev;
  if (source.parent.tree.options.isReadOnly) return ERRNO.rofs;
  if (place.parent.isRemoved) return ERRNO.noent;
  if (moved instanceof DirectoryNode) {
    if (isWithin(moved, place.parent)) return ERRNO.inval;
    if (replaced === undefined || replaced === moved) return ERRNO.success;
    if (!(replaced instanceof DirectoryNode)) return ERRNO.notdir;
    return replaced.entries.size > 0 ? ERRNO.notempty : ERRNO.success;
  }
  if (source.hasTrailingSlash) return ERRNO.notdir;
  if (replaced instanceof DirectoryNode) return ERRNO.isdir;
  return place.hasTrailingSlash ? ERRNO.notdir : ERRNO.success;
}

function isWithin(tree: DirectoryNode, searched: DirectoryNode): boolean {
  for (let node: DirectoryNode | undefined = searched; node !== undefined; node = node.parent) {
    if (node === tree) return true;
  }
  return false;
}

function list(node: DirectoryNode): DirectoryEntry[] {
  // What is above the root is not the guest's to know: its `..` is told as itself.
  const listing: DirectoryEntry[] = [
    { name: UTF8_ENCODER.encode('.'), ino: node.ino, filetype: FILETYPE.directory },
    { name: UTF8_ENCODER.encode('..'), ino: (node.parent ?? node).ino, filetype: FILETYPE.directory },
  ];
  for (const [name, entry] of node.entries) {
    listing.push({ name: UTF8_ENCODER.encode(name), ino: entry.ino, filetype: entry.filetype });
  }
  return listing;
}
