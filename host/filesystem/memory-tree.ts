/** The nodes of an in-memory file system, and what they may use of it. Nothing here knows of fds or paths. */

import { NO_BYTES } from '../bytes.ts';
import type { DeviceName } from '../capabilities/mounts/schema.ts';
import { ERRNO } from '../wasi/errno.ts';
import { FILETYPE } from '../wasi/filetype.ts';
import { FSTFLAG } from '../wasi/flags.ts';
import type { Filestat } from './descriptor.ts';
import type { GuestSources } from './mount.ts';

/** What a tree may hold, and the sources of its guest. */
export interface TreeOptions extends GuestSources {
  readonly isReadOnly: boolean;
  readonly bytes: number;
  readonly entries: number;
}

/** One file system: its device number, its usage. Files whose last name is gone count until they are closed. */
export class MemoryTree {
  readonly options: TreeOptions;
  readonly dev: bigint;
  #lastIno = 0n;
  #usedBytes = 0;
  #usedEntries = 0;

  constructor(dev: bigint, options: TreeOptions) {
    this.dev = dev;
    this.options = options;
  }

  nextIno(): bigint {
    this.#lastIno += 1n;
    return this.#lastIno;
  }

  /** Takes or gives back bytes of file data; false, and nothing taken, when the tree cannot hold them. */
  charge(bytes: number): boolean {
    if (this.#usedBytes + bytes > this.options.bytes) return false;
    this.#usedBytes += bytes;
    return true;
  }

  /** Bytes of file data that the tree can still take. */
  get roomBytes(): number {
    return this.options.bytes - this.#usedBytes;
  }

  /** Enters a node under a name; false when the tree has its number of entries. */
  enter(parent: DirectoryNode, name: string, node: MemoryNode): boolean {
    if (this.#usedEntries >= this.options.entries) return false;
    this.#usedEntries++;
    parent.entries.set(name, node);
    if (node instanceof DirectoryNode) node.parent = parent;
    node.nlink++;
    node.ctimNs = this.options.nowNs();
    parent.touch(node.ctimNs);
    return true;
  }

  /** Gives a node another name in place of the one it has. */
  move(from: DirectoryNode, oldName: string, to: DirectoryNode, newName: string, node: MemoryNode): void {
    from.entries.delete(oldName);
    to.entries.set(newName, node);
    if (node instanceof DirectoryNode) node.parent = to;
    node.ctimNs = this.options.nowNs();
    from.touch(node.ctimNs);
    to.touch(node.ctimNs);
  }

  /** Takes a name away; a file that nobody has open goes with its last name. */
  remove(parent: DirectoryNode, name: string): void {
    const node = parent.entries.get(name);
    if (node === undefined) return;
    parent.entries.delete(name);
    this.#usedEntries--;
    node.nlink--;
    node.ctimNs = this.options.nowNs();
    parent.touch(node.ctimNs);
    if (node instanceof FileNode) node.release();
  }
}

/** What every node has. */
abstract class Node {
  abstract readonly filetype: number;
  readonly tree: MemoryTree;
  readonly ino: bigint;
  /** Names it has. */
  nlink = 0;
  atimNs: bigint;
  mtimNs: bigint;
  ctimNs: bigint;

  constructor(tree: MemoryTree) {
    this.tree = tree;
    this.ino = tree.nextIno();
    this.atimNs = this.mtimNs = this.ctimNs = tree.options.nowNs();
  }

  abstract sizeBytes(): number;

  /** Notes a change of the contents. */
  touch(nowNs: bigint): void {
    this.mtimNs = nowNs;
    this.ctimNs = nowNs;
  }

  stat(stat: Filestat): void {
    stat.dev = this.tree.dev;
    stat.ino = this.ino;
    stat.filetype = this.filetype;
    stat.nlink = BigInt(this.filetype === FILETYPE.directory ? 1 : this.nlink);
    stat.sizeBytes = BigInt(this.sizeBytes());
    stat.atimNs = this.atimNs;
    stat.mtimNs = this.mtimNs;
    stat.ctimNs = this.ctimNs;
  }

  setTimes(atimNs: bigint, mtimNs: bigint, fstflags: number): number {
    if (this.tree.options.isReadOnly) return ERRNO.rofs;
    const nowNs = this.tree.options.nowNs();
    if ((fstflags & FSTFLAG.atim) !== 0) this.atimNs = atimNs;
    if ((fstflags & FSTFLAG.atimNow) !== 0) this.atimNs = nowNs;
    if ((fstflags & FSTFLAG.mtim) !== 0) this.mtimNs = mtimNs;
    if ((fstflags & FSTFLAG.mtimNow) !== 0) this.mtimNs = nowNs;
    this.ctimNs = nowNs;
    return ERRNO.success;
  }
}

/** A directory: nodes by name. */
export class DirectoryNode extends Node {
  override readonly filetype: number = FILETYPE.directory;
  readonly entries: Map<string, MemoryNode> = new Map();
  /** The directory it is in; of the root and of one that was never entered, undefined. */
  parent: DirectoryNode | undefined = undefined;
  /** Set when its name is taken away: nothing can be created in it any more. */
  isRemoved = false;

  override sizeBytes(): number {
    return 0;
  }
}

/** A symbolic link: a path, which `walk` follows. */
export class LinkNode extends Node {
  override readonly filetype: number = FILETYPE.symbolicLink;
  readonly contents: Uint8Array;

  constructor(tree: MemoryTree, contents: Uint8Array) {
    super(tree);
    this.contents = contents;
  }

  override sizeBytes(): number {
    return this.contents.length;
  }
}

/** A device that the mount grants (device-file.ts). */
export class DeviceNode extends Node {
  override readonly filetype: number = FILETYPE.characterDevice;
  readonly name: DeviceName;

  constructor(tree: MemoryTree, name: DeviceName) {
    super(tree);
    this.name = name;
  }

  override sizeBytes(): number {
    return 0;
  }
}

/** A regular file: bytes, of which the tree's limit counts the size. */
export class FileNode extends Node {
  override readonly filetype: number = FILETYPE.regularFile;
  /** Descriptors that have it open. */
  openCount = 0;
  #data: Uint8Array = NO_BYTES;
  #size = 0;
  /** The bytes belong to the capabilities: they are copied before the first write. */
  #isBorrowed = false;

  override sizeBytes(): number {
    return this.#size;
  }

  /** Takes the contents the capabilities give, without a copy. */
  borrow(contents: Uint8Array): void {
    this.#data = contents;
    this.#size = contents.length;
    this.#isBorrowed = true;
    this.tree.charge(contents.length);
  }

  /** Reads from `offset` on; answers how many bytes. */
  read(target: Uint8Array, offset: number): number {
    const count = Math.max(0, Math.min(target.length, this.#size - offset));
    target.set(this.#data.subarray(offset, offset + count));
    // As `relatime` has it: only the first read after a change is noted.
    if (count > 0 && this.atimNs <= this.mtimNs && !this.tree.options.isReadOnly) {
      this.atimNs = this.tree.options.nowNs();
    }
    return count;
  }

  /** Writes at `offset`; a gap before it reads as zeros. Answers how many bytes found room: none where the gap has none. */
  write(source: Uint8Array, offset: number): number {
    const end = Math.min(offset + source.length, Math.max(this.#size, this.#size + this.tree.roomBytes));
    if (end <= offset) return 0;
    if (end > this.#size) this.resize(end);
    const count = end - offset;
    this.#own(end).set(count === source.length ? source : source.subarray(0, count), offset);
    this.touch(this.tree.options.nowNs());
    return count;
  }

  /** Sets the size; what is gained reads as zeros. False when the tree has no room. */
  resize(size: number): boolean {
    if (!this.tree.charge(size - this.#size)) return false;
    if (size > this.#size) this.#own(size);
    else if (size === 0) this.#drop();
    else this.#own(this.#size).fill(0, size, this.#size);
    this.#size = size;
    this.touch(this.tree.options.nowNs());
    return true;
  }

  /** Gives the bytes back once nothing leads to the file. */
  release(): void {
    if (this.nlink > 0 || this.openCount > 0) return;
    this.tree.charge(-this.#size);
    this.#size = 0;
    this.#drop();
  }

  #drop(): void {
    this.#data = NO_BYTES;
    this.#isBorrowed = false;
  }

  /** Makes the data this node's own, with room for `capacity` bytes; beyond `#size` they are zero. */
  #own(capacity: number): Uint8Array {
    if (!this.#isBorrowed && capacity <= this.#data.length) return this.#data;
    const limit = Math.max(capacity, this.tree.options.bytes);
    const grown = new Uint8Array(Math.max(capacity, Math.min(limit, this.#data.length * 2)));
    grown.set(this.#data.subarray(0, this.#size));
    this.#data = grown;
    this.#isBorrowed = false;
    return grown;
  }
}

/** Whatever can have a name in a tree. */
export type MemoryNode = DirectoryNode | FileNode | LinkNode | DeviceNode;
