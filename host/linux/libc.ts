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
  readonly close: (fd: number) => number;
  readonly fcntl: (fd: number, command: number, argument: number) => number;
  readonly ftruncate: (fd: number, sizeBytes: number) => number;
  readonly getrlimit: (resource: number, limits: Bytes) => number;
  readonly ioctl: (fd: number, request: number, argument: Bytes) => number;
  readonly madvise: (address: number, lengthBytes: number, advice: number) => number;
  readonly memfdCreate: (name: string, flags: number) => number;
  readonly mmap: (
    ...args: [address: number, lengthBytes: number, protection: number, flags: number, fd: number, offset: number]
  ) => number;
  readonly pread: (fd: number, target: Bytes, lengthBytes: number, offset: number) => number;
  readonly pwrite: (fd: number, source: Bytes, lengthBytes: number, offset: number) => number;
  readonly sysconf: (name: number) => number;
}

/** off_t and size_t are 64 bits wide on every machine `loadLibc` accepts. */
const PROTOTYPES: Readonly<Record<Exclude<keyof Libc, 'errno' | 'addressOf'>, string>> = {
  close: 'int close(int)',
  fcntl: 'int fcntl(int, int, int)',
  ftruncate: 'int ftruncate(int, int64)',
  getrlimit: 'int getrlimit(int, void *)',
  ioctl: 'int ioctl(int, ulong, void *)',
  madvise: 'int madvise(uintptr_t, size_t, int)',
  memfdCreate: 'int memfd_create(const char *, uint)',
  mmap: 'intptr_t mmap(uintptr_t, size_t, int, int, int, int64)',
  pread: 'int64 pread(int, void *, size_t, int64)',
  pwrite: 'int64 pwrite(int, void *, size_t, int64)',
  sysconf: 'long sysconf(int)',
};

/** Machines whose constants and layouts the files beside this one know. */
const MACHINES: readonly string[] = ['x64', 'arm64'];

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
    throw new LinuxError('loadLibc', constants.errno.ENOSYS, failure ?? 'not loaded');
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
  const calls = Object.entries(PROTOTYPES).map(([name, prototype]) => [name, library.func(prototype)] as const);
  return {
    ...(Object.fromEntries(calls) as unknown as Omit<Libc, 'errno' | 'addressOf'>),
    errno: () => koffi.errno(),
    addressOf: (bytes) => koffi.address(bytes),
  };
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
