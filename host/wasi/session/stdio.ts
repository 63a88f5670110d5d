/** The guest's standard streams: byte buffers. */

import { NO_BYTES, noOutput } from '../../bytes.ts';
import { Descriptor, type Result } from '../../filesystem/descriptor.ts';
import { passOn } from '../../pass-on.ts';
import { ERRNO } from '../errno.ts';
import { FILETYPE } from '../filetype.ts';
import { COUNT } from './record-layout.ts';
import type { StreamRecord } from './run-record.ts';

/** A stream of bytes: it has no offset, no size and no times. */
export abstract class Stream extends Descriptor {
  // `characterDevice` would make a guest's libc take it for a terminal.
  override readonly filetype: number = FILETYPE.unknown;

  override pread(_target: Uint8Array, _offset: bigint, _result: Result): number {
    return ERRNO.spipe;
  }
  override pwrite(_source: Uint8Array, _offset: bigint, _result: Result): number {
    return ERRNO.spipe;
  }
  override stat(result: Result): number {
    const stat = result.stat;
    stat.dev = 0n;
    stat.ino = 0n;
    stat.filetype = this.filetype;
    stat.nlink = 0n;
    stat.sizeBytes = 0n;
    stat.atimNs = 0n;
    stat.mtimNs = 0n;
    stat.ctimNs = 0n;
    return ERRNO.success;
  }
  override setFlags(fdflags: number): number {
    this.fdflags = fdflags;
    return ERRNO.success;
  }
}

/** Bytes up to this many are copied one by one: cheaper than a view made for `set`. */
const COPY_BY_HAND_BYTES = 48;

/** stdin over the input of an invocation, which is never written to. */
export class InputBuffer extends Stream {
  /** Bytes the guest has read. */
  bytesRead = 0;
  #input: Uint8Array = NO_BYTES;
  #counts: Float64Array | undefined = undefined;

  /** Starts over with another input; what is read of it is counted. */
  reset(input: Uint8Array, counts?: Float64Array): void {
    this.#input = input;
    this.#counts = counts;
    this.bytesRead = 0;
    this.fdflags = 0;
  }

  /** Lets go of the input; `bytesRead` stays. */
  release(): void {
    this.#input = NO_BYTES;
  }

  override read(target: Uint8Array, result: Result): number {
    result.count = this.readInto(target, 0, target.length);
    return ERRNO.success;
  }

  /** Reads up to `length` bytes to `position` of `target`; answers how many. */
  readInto(target: Uint8Array, position: number, length: number): number {
    const input = this.#input;
    const start = this.bytesRead;
    const count = Math.max(0, Math.min(length, input.length - start));
    if (count === 0) return 0;
    if (count === input.length) {
      target.set(input, position);
    } else if (count <= COPY_BY_HAND_BYTES) {
      for (let i = 0; i < count; i++) target[position + i] = input[start + i] as number;
    } else {
      target.set(input.subarray(start, start + count), position);
    }
    this.bytesRead = start + count;
    if (this.#counts !== undefined) this.#counts[COUNT.inputBytes] = this.bytesRead;
    return count;
  }

  /** At its end a read does not wait either: 0 bytes are ready. */
  override readableBytes(): number {
    return Math.max(0, this.#input.length - this.bytesRead);
  }
}

/** A buffer that grew beyond this is given back after the invocation. */
const KEPT_BYTES = 1024 * 1024;
const FIRST_BYTES = 1024;

/** stdout or stderr, up to a limit. */
export class OutputBuffer extends Stream {
  readonly limit: 'outputBytes' | 'stderrBytes';
  readonly limitBytes: number;
  #buffer: Uint8Array = NO_BYTES;
  #length = 0;
  #fd: number | undefined = undefined;
  #record: StreamRecord | undefined = undefined;

  constructor(limit: 'outputBytes' | 'stderrBytes', limitBytes: number) {
    super();
    this.limit = limit;
    this.limitBytes = limitBytes;
  }

  /**
   * Starts over, empty, in memory of its own or in that of a record. What is written goes to a descriptor of this process,
   * where there is one, and is not kept.
   */
  reset(record?: StreamRecord, fd?: number): void {
    this.#length = 0;
    this.#fd = fd;
    this.fdflags = 0;
    this.#record = record;
    if (record !== undefined) this.#buffer = record.begin();
    else if (this.#buffer.length > KEPT_BYTES) this.#buffer = NO_BYTES;
  }

  override write(source: Uint8Array, result: Result): number {
    result.count = this.append(source, 0, source.length);
    return result.count < source.length ? ERRNO.nospc : ERRNO.success;
  }

  /** Appends `length` bytes from `position` of `source`; answers how many the limit let in. */
  append(source: Uint8Array, position: number, length: number): number {
    const start = this.#length;
    const count = Math.min(length, this.limitBytes - start);
    const end = start + count;
    if (this.#fd !== undefined) {
      passOn(this.#fd, source.subarray(position, position + count));
      this.#length = end;
      return count;
    }
    if (end > this.#buffer.length) this.#grow(end);
    const buffer = this.#buffer;
    if (count <= COPY_BY_HAND_BYTES) {
      for (let i = 0; i < count; i++) buffer[start + i] = source[position + i] as number;
    } else {
      buffer.set(source.subarray(position, position + count), start);
    }
    this.#length = end;
    if (this.#record !== undefined && count > 0) this.#record.written(end);
    return count;
  }

  #grow(neededBytes: number): void {
    const size = Math.min(this.limitBytes, Math.max(FIRST_BYTES, neededBytes, this.#buffer.length * 2));
    if (this.#record !== undefined) {
      this.#buffer = this.#record.grow(this.#length, size);
      return;
    }
    const grown = new Uint8Array(size);
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }

  /** A copy of what was written, owned by the caller. */
  take(): Uint8Array {
    return this.#length === 0 || this.#fd !== undefined ? noOutput() : this.#buffer.slice(0, this.#length);
  }
}
