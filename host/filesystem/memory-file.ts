/** An open file of an in-memory tree. */

import { ERRNO } from '../wasi/errno.ts';
import { FILETYPE } from '../wasi/filetype.ts';
import { changedFlags, FDFLAG, WHENCE } from '../wasi/flags.ts';
import { OFFSET_MAX } from '../wasi/offsets.ts';
import { Descriptor, type OpenRequest, type Result } from './descriptor.ts';
import type { FileNode } from './memory-tree.ts';

/** Offsets are numbers here: beyond this they would lose precision, and no tree is that large. */
const LARGEST_OFFSET = BigInt(Number.MAX_SAFE_INTEGER);

/** A file of a tree in memory, opened to be read or written, with an offset of its own. */
export class MemoryFile extends Descriptor {
  override readonly filetype: number = FILETYPE.regularFile;
  readonly #node: FileNode;
  readonly #isReadable: boolean;
  readonly #isWritable: boolean;
  #offset = 0;

  constructor(node: FileNode, request: OpenRequest) {
    super();
    this.#node = node;
    this.#isReadable = request.isForReading;
    this.#isWritable = request.isForWriting;
    node.openCount++;
  }

  override read(target: Uint8Array, result: Result): number {
    if (!this.#isReadable) return ERRNO.badf;
    result.count = this.#node.read(target, this.#offset);
    this.#offset += result.count;
    return ERRNO.success;
  }

  override pread(target: Uint8Array, offset: bigint, result: Result): number {
    if (!this.#isReadable) return ERRNO.badf;
    if (offset + BigInt(target.length) > OFFSET_MAX) return ERRNO.inval;
    result.count = offset > LARGEST_OFFSET ? 0 : this.#node.read(target, Number(offset));
    return ERRNO.success;
  }

  override write(source: Uint8Array, result: Result): number {
    const isAppending = (this.fdflags & FDFLAG.append) !== 0;
    const offset = isAppending ? this.#node.sizeBytes() : this.#offset;
    const errno = this.#writeAt(source, offset, result);
    // Nothing written moves nothing, not to the end either.
    if (errno === ERRNO.success && result.count > 0) this.#offset = offset + result.count;
    return errno;
  }

  /** With `append` it still writes where it is told to, as POSIX has it. */
  override pwrite(source: Uint8Array, offset: bigint, result: Result): number {
    if (offset + BigInt(source.length) > OFFSET_MAX) return ERRNO.inval;
    if (offset > LARGEST_OFFSET && source.length > 0) return ERRNO.fbig;
    return this.#writeAt(source, Number(offset), result);
  }

  #writeAt(source: Uint8Array, offset: number, result: Result): number {
    if (!this.#isWritable) return ERRNO.badf;
    result.count = this.#node.write(source, offset);
    return result.count === 0 && source.length > 0 ? ERRNO.nospc : ERRNO.success;
  }

  override seek(delta: bigint, whence: number, result: Result): number {
    const origin = whence === WHENCE.set ? 0 : whence === WHENCE.cur ? this.#offset : this.#node.sizeBytes();
    const target = BigInt(origin) + delta;
    if (target < 0n) return ERRNO.inval;
    // As Linux has it beyond the largest file.
    if (target > LARGEST_OFFSET) return ERRNO.inval;
    this.#offset = Number(target);
    result.offset = target;
    return ERRNO.success;
  }

  override stat(result: Result): number {
    this.#node.stat(result.stat);
    return ERRNO.success;
  }

  override setFlags(fdflags: number): number {
    const changed = changedFlags(this.fdflags, fdflags);
    if (changed === undefined) return ERRNO.inval;
    this.fdflags = changed;
    return ERRNO.success;
  }

  override setSize(sizeBytes: bigint): number {
    if (!this.#isWritable) return ERRNO.inval;
    if (sizeBytes > LARGEST_OFFSET) return ERRNO.fbig;
    return this.#node.resize(Number(sizeBytes)) ? ERRNO.success : ERRNO.nospc;
  }

  override allocate(offset: bigint, length: bigint): number {
    if (!this.#isWritable) return ERRNO.badf;
    const end = offset + length;
    if (end > LARGEST_OFFSET) return ERRNO.fbig;
    if (end <= BigInt(this.#node.sizeBytes())) return ERRNO.success;
    return this.#node.resize(Number(end)) ? ERRNO.success : ERRNO.nospc;
  }

  override advise(offset: bigint, length: bigint, _advice: number): number {
    return offset > OFFSET_MAX || length > OFFSET_MAX ? ERRNO.inval : ERRNO.success;
  }

  override setTimes(atimNs: bigint, mtimNs: bigint, fstflags: number): number {
    return this.#node.setTimes(atimNs, mtimNs, fstflags);
  }

  override readableBytes(): number {
    return Math.max(0, this.#node.sizeBytes() - this.#offset);
  }

  override close(): number {
    this.#node.openCount--;
    this.#node.release();
    return ERRNO.success;
  }
}
