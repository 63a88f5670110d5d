/** The calls of the `fd` group that move bytes: read, write, pread, pwrite, readdir. */
/* oxlint-disable max-params -- the spec fixes the signatures, and bundling them would allocate on each call */

import type { Descriptor, DirectoryEntry } from '../filesystem/descriptor.ts';
import { ERRNO } from '../wasi/errno.ts';
import { isBeyondOffsets } from '../wasi/offsets.ts';
import { InputBuffer, OutputBuffer } from '../wasi/session/stdio.ts';
import { type HostFunctions, SIZE } from './abi.ts';
import type { Context } from './context.ts';
import type { GuestMemory } from './guest-memory.ts';
import { RIGHTS } from './rights.ts';
import { StreamedInput } from './streamed-stdio.ts';

/** Offset that stands for the descriptor's own. */
const OWN_OFFSET = -1n;

/** Units of an `iovec` that is checked and copied, of one that is read from or written to a file, and bytes of one unit. */
const IOVEC_UNITS = 4;
const FILE_IOVEC_UNITS = 100;
const BYTES_PER_UNIT = 32;
/** What is done before a guest that counts units is asked about again. */
const IOVECS_UNASKED = 1024;
const FILE_IOVECS_UNASKED = 16;
const BYTES_UNASKED = 65_536;

/**
 * `fd_read`, `fd_write`, `fd_pread`, `fd_pwrite`, `fd_readdir`. Source: WASI preview1, docs.md#fd_read, #fd_write,
 * #fd_pread, #fd_pwrite, #fd_readdir.
 */
export function createFdIoFunctions(context: Context): HostFunctions {
  const { memory } = context;
  return {
    fd_read: (fd: number, iovs: number, count: number, nread: number): number => {
      context.enter();
      const descriptor = context.table.get(fd >>> 0);
      const errno = checkTransfer(context, descriptor, iovs >>> 0, count >>> 0, nread >>> 0);
      if (errno !== ERRNO.success) return errno;
      if (!isReadable(descriptor as Descriptor)) return ERRNO.badf;
      if (descriptor instanceof StreamedInput) {
        return readStreamed(context, descriptor, iovs >>> 0, count >>> 0, nread >>> 0);
      }
      if (!(descriptor instanceof InputBuffer)) {
        return readVector(context, descriptor as Descriptor, iovs >>> 0, count >>> 0, nread >>> 0, OWN_OFFSET);
      }
      memory.view.setUint32(nread >>> 0, readInput(context, descriptor, iovs >>> 0, count >>> 0), true);
      return ERRNO.success;
    },
    fd_write: (fd: number, iovs: number, count: number, nwritten: number): number => {
      context.enter();
      const descriptor = context.table.get(fd >>> 0);
      const errno = checkTransfer(context, descriptor, iovs >>> 0, count >>> 0, nwritten >>> 0);
      if (errno !== ERRNO.success) return errno;
      if (!isWritable(descriptor as Descriptor)) return ERRNO.badf;
      if (!(descriptor instanceof OutputBuffer)) {
        return writeVector(context, descriptor as Descriptor, iovs >>> 0, count >>> 0, nwritten >>> 0, OWN_OFFSET);
      }
      memory.view.setUint32(nwritten >>> 0, writeOutput(context, descriptor, iovs >>> 0, count >>> 0), true);
      return ERRNO.success;
    },
    fd_pread: (fd: number, iovs: number, count: number, offset: bigint, nread: number): number => {
      context.enter();
      const descriptor = context.table.get(fd >>> 0);
      const errno = checkTransfer(context, descriptor, iovs >>> 0, count >>> 0, nread >>> 0);
      if (errno !== ERRNO.success) return errno;
      if (!isReadable(descriptor as Descriptor)) return ERRNO.badf;
      const from = BigInt.asUintN(64, offset);
      if (isBeyondOffsets(from)) return ERRNO.inval;
      return readVector(context, descriptor as Descriptor, iovs >>> 0, count >>> 0, nread >>> 0, from);
    },
    fd_pwrite: (fd: number, iovs: number, count: number, offset: bigint, nwritten: number): number => {
      context.enter();
      const descriptor = context.table.get(fd >>> 0);
      const errno = checkTransfer(context, descriptor, iovs >>> 0, count >>> 0, nwritten >>> 0);
      if (errno !== ERRNO.success) return errno;
      if (!isWritable(descriptor as Descriptor)) return ERRNO.badf;
      const from = BigInt.asUintN(64, offset);
      if (isBeyondOffsets(from)) return ERRNO.inval;
      return writeVector(context, descriptor as Descriptor, iovs >>> 0, count >>> 0, nwritten >>> 0, from);
    },
    fd_readdir: (fd: number, buffer: number, length: number, cookie: bigint, used: number): number => {
      context.enterLong();
      return readDirectory(context, fd >>> 0, buffer >>> 0, length >>> 0, cookie, used >>> 0);
    },
  };
}

function isReadable(descriptor: Descriptor): boolean {
  return (descriptor.rightsBase & RIGHTS.fdRead) !== 0;
}

function isWritable(descriptor: Descriptor): boolean {
  return (descriptor.rightsBase & RIGHTS.fdWrite) !== 0;
}

/** BADF without a descriptor, FAULT when an `iovec` (0 pointer u32 | 4 length u32) or the result is out of bounds, INVAL for a sum beyond i32. */
function checkTransfer(
  context: Context,
  descriptor: Descriptor | undefined,
  iovs: number,
  count: number,
  sum: number,
): number {
  if (descriptor === undefined) return ERRNO.badf;
  const { memory } = context;
  if (!memory.holds(iovs, count * SIZE.iovec) || !memory.holds(sum, 4)) return ERRNO.fault;
  const view = memory.view;
  let total = 0;
  for (let at = iovs; at < iovs + count * SIZE.iovec; at += SIZE.iovec) {
    const length = view.getUint32(at + 4, true);
    if (!memory.holds(view.getUint32(at, true), length)) return ERRNO.fault;
    total += length;
    pace(context, at - iovs);
  }
  // The units of the call itself stand for what is small.
  if (total >= BYTES_UNASKED) context.spend(total / BYTES_PER_UNIT);
  return total > 0xffff_ffff ? ERRNO.inval : ERRNO.success;
}

/** Charges for each so many of an array of `iovec`, of which `sizeBytes` bytes were done. */
function pace(context: Context, sizeBytes: number): void {
  const done = sizeBytes / SIZE.iovec + 1;
  if (done % IOVECS_UNASKED === 0) context.spend(IOVECS_UNASKED * IOVEC_UNITS);
}

/** The same of one `iovec` of a file's, which has so many bytes. */
function paceFile(context: Context, i: number, length: number): void {
  if ((i + 1) % FILE_IOVECS_UNASKED === 0) context.spend(FILE_IOVECS_UNASKED * FILE_IOVEC_UNITS);
  else if (length >= BYTES_UNASKED) context.ask();
}

function readInput(context: Context, input: InputBuffer, iovs: number, count: number): number {
  const { memory } = context;
  const { view } = memory;
  let total = 0;
  for (let at = iovs; at < iovs + count * SIZE.iovec; at += SIZE.iovec) {
    pace(context, at - iovs);
    // An iovec that an earlier one overwrote may point anywhere: it is read again, so it is checked again.
    const pointer = view.getUint32(at, true);
    const length = view.getUint32(at + 4, true);
    if (!memory.holds(pointer, length)) break;
    const got = input.readInto(memory.bytes, pointer, length);
    total += got;
    if (got < length) break;
  }
  return total;
}

/** Waits for the first byte alone: what has not come yet is for another call. */
function readStreamed(context: Context, input: StreamedInput, iovs: number, count: number, nread: number): number {
  const { memory, result } = context;
  let total = 0;
  for (let i = 0; i < count; i++) {
    const pointer = memory.view.getUint32(iovs + i * SIZE.iovec, true);
    const length = memory.view.getUint32(iovs + i * SIZE.iovec + 4, true);
    if (!memory.holds(pointer, length)) break;
    paceFile(context, i, length);
    const target = memory.bytes.subarray(pointer, pointer + length);
    let got = 0;
    if (total === 0) {
      const errno = input.read(target, result);
      if (errno !== ERRNO.success) return errno;
      got = result.count;
    } else got = input.readReady(target);
    total += got;
    if (got < length) break;
  }
  memory.view.setUint32(nread, total, true);
  return ERRNO.success;
}

function writeOutput(context: Context, output: OutputBuffer, iovs: number, count: number): number {
  const { bytes, view } = context.memory;
  let total = 0;
  for (let at = iovs; at < iovs + count * SIZE.iovec; at += SIZE.iovec) {
    pace(context, at - iovs);
    const length = view.getUint32(at + 4, true);
    const taken = output.append(bytes, view.getUint32(at, true), length);
    total += taken;
    if (taken < length) throw context.stopForOutput(output);
  }
  return total;
}

function readVector(
  context: Context,
  descriptor: Descriptor,
  iovs: number,
  count: number,
  nread: number,
  offset: bigint,
): number {
  const { memory, result } = context;
  let total = 0;
  for (let i = 0; i < count; i++) {
    const pointer = memory.view.getUint32(iovs + i * SIZE.iovec, true);
    const length = memory.view.getUint32(iovs + i * SIZE.iovec + 4, true);
    if (!memory.holds(pointer, length)) break;
    paceFile(context, i, length);
    const target = memory.bytes.subarray(pointer, pointer + length);
    const errno =
      offset === OWN_OFFSET
        ? descriptor.read(target, result)
        : descriptor.pread(target, offset + BigInt(total), result);
    if (errno !== ERRNO.success) {
      if (total > 0) break;
      return errno;
    }
    total += result.count;
    if (result.count < length) break;
  }
  memory.view.setUint32(nread, total, true);
  return ERRNO.success;
}

function writeVector(
  context: Context,
  descriptor: Descriptor,
  iovs: number,
  count: number,
  nwritten: number,
  offset: bigint,
): number {
  const { memory, result } = context;
  let total = 0;
  for (let i = 0; i < count; i++) {
    const pointer = memory.view.getUint32(iovs + i * SIZE.iovec, true);
    const length = memory.view.getUint32(iovs + i * SIZE.iovec + 4, true);
    paceFile(context, i, length);
    const source = memory.bytes.subarray(pointer, pointer + length);
    const errno =
      offset === OWN_OFFSET
        ? descriptor.write(source, result)
        : descriptor.pwrite(source, offset + BigInt(total), result);
    if (errno !== ERRNO.success) {
      if (total > 0) break;
      return context.settle(errno, 'filesystem');
    }
    total += result.count;
    if (result.count < length) break;
  }
  memory.view.setUint32(nwritten, total, true);
  return ERRNO.success;
}

const HEADER: DataView = new DataView(new ArrayBuffer(SIZE.dirent));
const HEADER_BYTES: Uint8Array = new Uint8Array(HEADER.buffer);

/**
 * Writes entries one after the other, each a `dirent` and its name; the last may be cut, and then the buffer is full.
 *
 *     0 next u64 | 8 ino u64 | 16 name length u32 | 20 filetype u8 | 24 name
 */
function readDirectory(
  context: Context,
  fd: number,
  buffer: number,
  length: number,
  cookie: bigint,
  used: number,
): number {
  const { memory } = context;
  const descriptor = context.table.get(fd);
  if (descriptor === undefined) return ERRNO.badf;
  if (!memory.holds(buffer, length) || !memory.holds(used, 4)) return ERRNO.fault;
  if ((descriptor.droppedBase & RIGHTS.fdReaddir) !== 0) return ERRNO.notcapable;
  const first = BigInt.asUintN(64, cookie);
  const entries: DirectoryEntry[] = [];
  const errno = descriptor.readEntries(first, entries, Math.ceil(length / (SIZE.dirent + 1)));
  if (errno !== ERRNO.success) return errno;
  let position = 0;
  for (let i = 0; i < entries.length && position < length; i++) {
    const entry = entries[i] as DirectoryEntry;
    HEADER.setBigUint64(0, first + BigInt(i) + 1n, true);
    HEADER.setBigUint64(8, entry.ino, true);
    HEADER.setUint32(16, entry.name.length, true);
    HEADER.setUint32(20, entry.filetype, true);
    position += place(memory, HEADER_BYTES, buffer + position, length - position);
    position += place(memory, entry.name, buffer + position, length - position);
  }
  memory.view.setUint32(used, position, true);
  return ERRNO.success;
}

function place(memory: GuestMemory, source: Uint8Array, pointer: number, room: number): number {
  const count = Math.min(source.length, room);
  memory.bytes.set(count === source.length ? source : source.subarray(0, count), pointer);
  return count;
}
