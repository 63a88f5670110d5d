/**
 * Copy-on-write memory: an anonymous file (memfd) that holds an image, mapped privately over a WebAssembly.Memory's own
 * address, so that dropping the touched pages puts the image back. Linux only; ask `hasCow` first.
 *
 * Sources: memfd_create(2), mmap(2), madvise(2), fcntl(2) on file seals.
 */

import { fstatSync } from 'node:fs';
import { lastError, libcFailure, LinuxError, loadLibc, requireLibc } from './libc.ts';
import { pageSizeBytes } from './page-size.ts';
import { argumentError, messageOf } from '../errors.ts';
import { WASM_PAGE_BYTES } from '../wasm-page.ts';

const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
const F_ADD_SEALS = 1033;
/** F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW and F_SEAL_WRITE. */
const SEALS = 0xf;
const PROT_READ_WRITE = 3;
const MAP_PRIVATE_FIXED = 0x12;
const MADV_DONTNEED = 4;
/** What Linux moves at most in one read or write. */
const TRANSFER_BYTES = 0x7fff_f000;

/** Creates an empty anonymous file and returns its fd, closed on exec. `name` shows in /proc only. @throws LinuxError */
export function memfdCreate(name: string): number {
  const fd = requireLibc().memfdCreate(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) {
    throw lastError('create a memfd', name);
  }
  return fd;
}

/** Makes a memfd unchangeable for as long as it lives: a mapped file that shrank would kill the process. @throws LinuxError */
export function sealFd(fd: number): void {
  if (requireLibc().fcntl(fd, F_ADD_SEALS, SEALS) < 0) {
    throw lastError('seal a memfd');
  }
}

/** Writes all of `bytes` at `offset`. @throws LinuxError */
export function writeFd(fd: number, bytes: Uint8Array, offset: number): void {
  const libc = requireLibc();
  for (let done = 0; done < bytes.length; ) {
    const part = bytes.subarray(done, done + TRANSFER_BYTES);
    const count = libc.pwrite(fd, part, part.length, offset + done);
    if (count < 0) {
      throw lastError('write to a file', `fd ${fd}`);
    }
    done += count;
  }
}

/** Fills `target` from `offset` on and returns the bytes read: fewer only where the file ends. @throws LinuxError */
export function readFd(fd: number, target: Uint8Array, offset: number): number {
  const libc = requireLibc();
  let done = 0;
  while (done < target.length) {
    const part = target.subarray(done, done + TRANSFER_BYTES);
    const count = libc.pread(fd, part, part.length, offset + done);
    if (count < 0) {
      throw lastError('read a file', `fd ${fd}`);
    }
    if (count === 0) {
      break;
    }
    done += count;
  }
  return done;
}

/** Sets a file's size, in bytes; what is added reads as zero. @throws LinuxError */
export function ftruncateFd(fd: number, sizeBytes: number): void {
  if (requireLibc().ftruncate(fd, sizeBytes) < 0) {
    throw lastError('set the size of a file', `${sizeBytes} bytes`);
  }
}

/** @throws LinuxError */
export function closeFd(fd: number): void {
  if (requireLibc().close(fd) < 0) {
    throw lastError('close a file', `fd ${fd}`);
  }
}

/** Address of a buffer's first byte. A Wasm memory's stays the same as long as it can grow in its place; else V8 copies it. */
export function addressOf(bytes: ArrayBuffer | Uint8Array): number {
  return Number(requireLibc().addressOf(bytes));
}

/**
 * Maps `sizeBytes` of the file, from `offset` on, copy-on-write over the start of a Wasm memory's buffer and returns the buffer's
 * address. What the memory held there is gone. The fd may be closed afterwards.
 * @throws LinuxError; a RangeError for a size that is no multiple of the page or exceeds the buffer or the file
 */
export function mapPrivate(memory: ArrayBuffer | Uint8Array, sizeBytes: number, fd: number, offset = 0): number {
  const libc = requireLibc();
  const address = addressOf(memory);
  const pageBytes = pageSizeBytes();
  if (address % pageBytes !== 0) {
    throw argumentError('memory', `a buffer that starts at a multiple of ${pageBytes}`, address);
  }
  const fileBytes = fstatSync(fd).size;
  const limitBytes = Math.min(memory.byteLength, fileBytes - offset);
  if (!(sizeBytes > 0 && sizeBytes % pageBytes === 0 && sizeBytes <= limitBytes)) {
    throw argumentError('sizeBytes', `a multiple of ${pageBytes} from ${pageBytes} to ${limitBytes}`, sizeBytes);
  }
  const mapped = libc.mmap(address, sizeBytes, PROT_READ_WRITE, MAP_PRIVATE_FIXED, fd, offset);
  if (mapped === -1) {
    throw lastError('map a file over a memory', `${sizeBytes} bytes`);
  }
  if (mapped !== address) {
    throw new LinuxError('map a file over a memory', 0, `asked for ${address}, got ${mapped}`);
  }
  return address;
}

/**
 * Drops the private pages of a range, which then reads as the mapped file, or as zero where none is mapped.
 * Returns 0, or -1 on failure (`lastError` tells which): the hot path of a restore, so it neither checks nor throws.
 */
export function discardPages(address: number | bigint, lengthBytes: number): number {
  return requireLibc().madvise(address as number, lengthBytes, MADV_DONTNEED);
}

/**
 * Gives back the pages of a memory that nothing will read again, now and not when it is collected. Does nothing where the
 * C library cannot be reached.
 */
export function releaseMemory(memory: WebAssembly.Memory): void {
  const { buffer } = memory;
  if (loadLibc() !== undefined && buffer.byteLength > 0) discardPages(addressOf(buffer), buffer.byteLength);
}

/**
 * Gives back pages of shared memory from the byte `from` on, which then reads as zero. Only of a buffer that may grow: V8 gives it
 * pages of its own. Does nothing where the C library cannot be reached.
 */
export function releaseShared(shared: SharedArrayBuffer, from: number = 0): void {
  const pageBytes = pageSizeBytes();
  const begin = Math.ceil(from / pageBytes) * pageBytes;
  if (loadLibc() === undefined || begin >= shared.byteLength) return;
  discardPages(addressOf(new Uint8Array(shared)) + begin, shared.byteLength - begin);
}

/**
 * Has the C library give back what it holds and nobody uses: compiling a module frees more than it keeps. Takes some
 * milliseconds; does nothing where the C library cannot be reached or is not glibc.
 */
export function trimHeap(): void {
  loadLibc()?.mallocTrim(0);
}

export type CowSupport = { readonly ok: true } | { readonly ok: false; readonly reason: string };

let support: CowSupport | undefined;

/** Whether copy-on-write memories work here, found out once per thread by making, soiling and restoring a small one. */
export function hasCow(): CowSupport {
  support ??= probeCow();
  return support;
}

function probeCow(): CowSupport {
  if (loadLibc() === undefined) {
    return { ok: false, reason: libcFailure() ?? 'the C library cannot be loaded' };
  }
  let fd = -1;
  try {
    fd = memfdCreate('nebula-probe');
    writeFd(fd, new Uint8Array(WASM_PAGE_BYTES).fill(7), 0);
    sealFd(fd);
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 2 });
    const address = mapPrivate(memory.buffer, WASM_PAGE_BYTES, fd);
    new Uint8Array(memory.buffer).fill(9, 1);
    memory.grow(1);
    if (discardPages(address, WASM_PAGE_BYTES) < 0) {
      throw lastError('discard pages');
    }
    const bytes = new Uint8Array(memory.buffer);
    const exact = bytes.subarray(0, WASM_PAGE_BYTES).every((byte) => byte === 7);
    const grown = bytes.subarray(WASM_PAGE_BYTES).every((byte) => byte === 0);
    return exact && grown ? { ok: true } : { ok: false, reason: 'a discarded page did not read as its image' };
  } catch (error) {
    return { ok: false, reason: messageOf(error) };
  } finally {
    if (fd >= 0) {
      requireLibc().close(fd);
    }
  }
}
