/**
 * The C library of the machine, reached through koffi: the only file that talks to it. It declares prototypes, loads
 * them on first use and turns errno into a typed error; what the calls are for is in the files beside this one.
 * Every thread loads its own; nothing here is shared between threads.
 */

import { createRequire } from 'node:module';
import { arch, constants, platform } from 'node:os';
import type * as Koffi from 'koffi';

/** Memory a call may read or write. */
export type Bytes = ArrayBuffer | ArrayBufferView;

/**
 * Calls as the C library has them: -1 is a failure and `errno()` its number. Addresses are numbers, which Linux keeps
 * below 2^53 and which cross into C more cheaply than a bigint (an madvise took 0.69 us with a number, 0.83 us with a bigint).
 */
export interface Libc {
  readonly errno: () => number;
  readonly addressOf: (bytes: Bytes) => bigint;
  /** A buffer of memory that something else holds, and must for as long as the buffer lives. */
  readonly viewOf: (address: number, lengthBytes: number) => ArrayBuffer;
  /** Bytes that koffi takes in this thread, and keeps when it ends, for the stack and the heap of its calls; undefined if it does not. */
  readonly keptBytes: { readonly stack: number; readonly heap: number } | undefined;
  readonly clockGettime: (clock: number, time: Bytes) => number;
  readonly close: (fd: number) => number;
  readonly dup3: (fd: number, target: number, flags: number) => number;
  readonly fallocate: (fd: number, mode: number, offset: bigint, lengthBytes: bigint) => number;
  readonly fcntl: (fd: number, command: number, argument: number) => number;
  readonly fdatasync: (fd: number) => number;
  readonly fsync: (fd: number) => number;
  readonly ftruncate: (fd: number, sizeBytes: number | bigint) => number;
  readonly futimens: (fd: number, times: Bytes) => number;
  /** -1 where the C library has none. */
  readonly getcontext: (context: Bytes) => number;
  readonly getdents64: (call: number, fd: number, target: Bytes, sizeBytes: number) => number;
  readonly getrlimit: (resource: number, limits: Bytes) => number;
  readonly ioctl: (fd: number, request: number, argument: Bytes) => number;
  readonly linkat: (fromFd: number, from: Bytes, toFd: number, to: Bytes, flags: number) => number;
  readonly lseek: (fd: number, offset: bigint, whence: number) => number | bigint;
  readonly madvise: (address: number, lengthBytes: number, advice: number) => number;
  readonly mallocTrim: (padBytes: number) => number;
  readonly memfdCreate: (name: string, flags: number) => number;
  readonly mkdirat: (fd: number, path: Bytes, mode: number) => number;
  readonly mmap: (
    ...args: [address: number, lengthBytes: number, protection: number, flags: number, fd: number, offset: number]
  ) => number;
  readonly mprotect: (address: number, lengthBytes: number, protection: number) => number;
  readonly munmap: (address: number, lengthBytes: number) => number;
  readonly openat: (fd: number, path: Bytes, flags: number, mode: number) => number;
  readonly openat2: (call: number, fd: number, path: Bytes, how: Bytes, howBytes: number) => number;
  /** Returns the errno, unlike the others. */
  readonly posixFadvise: (fd: number, offset: bigint, lengthBytes: bigint, advice: number) => number;
  readonly pread: (fd: number, target: Bytes, lengthBytes: number, offset: number | bigint) => number;
  readonly prctl: (option: number, argument: number, third: number, fourth: number, fifth: number) => number;
  readonly processMadvise: (
    ...args: [call: number, pidfd: number, vector: number, count: number, advice: number, flags: number]
  ) => number;
  readonly pwrite: (fd: number, source: Bytes, lengthBytes: number, offset: number | bigint) => number;
  readonly read: (fd: number, target: Bytes, lengthBytes: number) => number;
  readonly readlinkat: (fd: number, path: Bytes, target: Bytes, lengthBytes: number) => number;
  readonly renameat: (fromFd: number, from: Bytes, toFd: number, to: Bytes) => number;
  readonly schedGetattr: (call: number, thread: number, attributes: Bytes, sizeBytes: number, flags: number) => number;
  readonly schedSetattr: (call: number, thread: number, attributes: Bytes, flags: number) => number;
  readonly setrlimit: (resource: number, limits: Bytes) => number;
  readonly strchr: (text: string, character: number) => number;
  readonly statx: (
    ...args: [call: number, fd: number, path: Bytes, flags: number, mask: number, target: Bytes]
  ) => number;
  readonly symlinkat: (contents: Bytes, fd: number, path: Bytes) => number;
  readonly sysconf: (name: number) => number;
  readonly unlinkat: (fd: number, path: Bytes, flags: number) => number;
  readonly utimensat: (fd: number, path: Bytes, times: Bytes, flags: number) => number;
  readonly write: (fd: number, source: Bytes, lengthBytes: number) => number;
}

/** What koffi itself gives. */
type NotOfC = 'errno' | 'addressOf' | 'viewOf' | 'keptBytes';

/**
 * off_t and size_t are 64 bits wide on every machine `loadLibc` accepts. The calls that some C libraries lack go through
 * `syscall` and take their number first.
 */
const PROTOTYPES: Readonly<Record<Exclude<keyof Libc, NotOfC>, string>> = {
  clockGettime: 'int clock_gettime(int, void *)',
  close: 'int close(int)',
  dup3: 'int dup3(int, int, int)',
  fallocate: 'int fallocate(int, int, int64, int64)',
  fcntl: 'int fcntl(int, int, int)',
  fdatasync: 'int fdatasync(int)',
  fsync: 'int fsync(int)',
  ftruncate: 'int ftruncate(int, int64)',
  futimens: 'int futimens(int, void *)',
  getcontext: 'int getcontext(void *)',
  getdents64: 'long syscall(long, int, void *, size_t)',
  getrlimit: 'int getrlimit(int, void *)',
  ioctl: 'int ioctl(int, ulong, void *)',
  linkat: 'int linkat(int, void *, int, void *, int)',
  lseek: 'int64 lseek(int, int64, int)',
  madvise: 'int madvise(uintptr_t, size_t, int)',
  mallocTrim: 'int malloc_trim(size_t)',
  memfdCreate: 'int memfd_create(const char *, uint)',
  mkdirat: 'int mkdirat(int, void *, uint)',
  mmap: 'intptr_t mmap(uintptr_t, size_t, int, int, int, int64)',
  mprotect: 'int mprotect(uintptr_t, size_t, int)',
  munmap: 'int munmap(uintptr_t, size_t)',
  openat: 'int openat(int, void *, int, uint)',
  openat2: 'long syscall(long, int, void *, void *, size_t)',
  posixFadvise: 'int posix_fadvise(int, int64, int64, int)',
  pread: 'int64 pread(int, void *, size_t, int64)',
  prctl: 'int prctl(int, ulong, ulong, ulong, ulong)',
  processMadvise: 'long syscall(long, int, uintptr_t, size_t, int, uint)',
  pwrite: 'int64 pwrite(int, void *, size_t, int64)',
  read: 'int64 read(int, void *, size_t)',
  readlinkat: 'int64 readlinkat(int, void *, void *, size_t)',
  renameat: 'int renameat(int, void *, int, void *)',
  schedGetattr: 'long syscall(long, int, void *, uint, uint)',
  schedSetattr: 'long syscall(long, int, void *, uint)',
  setrlimit: 'int setrlimit(int, void *)',
  strchr: 'uintptr_t strchr(const char *, int)',
  statx: 'long syscall(long, int, void *, int, uint, void *)',
  symlinkat: 'int symlinkat(void *, int, void *)',
  sysconf: 'long sysconf(int)',
  unlinkat: 'int unlinkat(int, void *, int)',
  utimensat: 'int utimensat(int, void *, void *, int)',
  write: 'int64 write(int, void *, size_t)',
};

/** Machines whose constants and layouts the files beside this one know. */
const MACHINES: readonly string[] = ['x64', 'arm64'];

/** What only glibc has, and what is answered without it. */
const OPTIONAL: Readonly<Record<string, { readonly symbol: string; readonly answer: number }>> = {
  mallocTrim: { symbol: 'malloc_trim', answer: 0 },
  getcontext: { symbol: 'getcontext', answer: -1 },
};

/** The version of koffi of which `keptBytes` is known to be true. */
const KEEPING_VERSION = '3.3.4';

let loaded: Libc | undefined;
let failure: string | undefined;

/** The C library, or undefined where there is none to be had; `libcFailure` then says why. Never throws. */
export function loadLibc(): Libc | undefined {
  if (loaded === undefined && failure === undefined) {
    try {
      loaded = bindLibc();
    } catch (error) {
      failure = `koffi cannot be loaded: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
  return loaded;
}

/** Why `loadLibc` gave nothing, in one clause; undefined when it gave something or was not called yet. */
export function libcFailure(): string | undefined {
  return failure;
}

/**
 * The C library, for callers that were told it is there.
 * @throws LinuxError ENOSYS
 */
export function requireLibc(): Libc {
  const libc = loaded ?? loadLibc();
  if (libc === undefined) {
    throw new LinuxError('reach the C library', constants.errno.ENOSYS, failure ?? 'not loaded');
  }
  return libc;
}

function bindLibc(): Libc | undefined {
  if (platform() !== 'linux' || !MACHINES.includes(arch())) {
    failure = `the machine is ${platform()} on ${arch()}, not Linux on ${MACHINES.join(' or ')}`;
    return undefined;
  }
  const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
  // The process itself, because the C library's file name differs between glibc and musl.
  const library = koffi.load(null);
  const calls = Object.entries(PROTOTYPES).map(([name, prototype]) => {
    const missing = OPTIONAL[name];
    if (missing !== undefined && !hasSymbol(library, missing.symbol)) return [name, () => missing.answer] as const;
    return [name, library.func(prototype)] as const;
  });
  return {
    ...(Object.fromEntries(calls) as unknown as Omit<Libc, NotOfC>),
    errno: () => koffi.errno(),
    addressOf: (bytes) => koffi.address(bytes),
    viewOf: (address, lengthBytes) => koffi.view(BigInt(address), lengthBytes),
    keptBytes: keptBytesOf(koffi),
  };
}

/** Koffi's InitMemories (src/koffi/src/ffi.cc) maps both for each thread; what holds them is never deleted. */
function keptBytesOf(koffi: typeof Koffi): Libc['keptBytes'] {
  if (koffi.version !== KEEPING_VERSION) return undefined;
  const { sync_stack_size: stack, sync_heap_size: heap } = koffi.config();
  return stack === undefined || heap === undefined ? undefined : { stack, heap };
}

function hasSymbol(library: Koffi.LibraryHandle, name: string): boolean {
  try {
    library.func(`int ${name}(size_t)`);
    return true;
  } catch {
    return false;
  }
}

const ERRNO_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.errno).map(([name, errno]) => [errno, name]),
);

/** A system call that failed. `code` is the errno's name, as in errors of `node:fs`. */
export class LinuxError extends Error {
  readonly code: string;
  readonly errno: number;
  readonly call: string;

  constructor(call: string, errno: number, detail?: string) {
    const code = ERRNO_NAMES.get(errno) ?? `errno ${errno}`;
    super(`Cannot ${call}: ${code}${detail === undefined ? '' : `, ${detail}`}`);
    this.name = 'LinuxError';
    this.code = code;
    this.errno = errno;
    this.call = call;
  }
}

/** The error of the call that has just returned -1 in this thread. */
export function lastError(call: string, detail?: string): LinuxError {
  return new LinuxError(call, requireLibc().errno(), detail);
}
