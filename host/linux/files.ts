/**
 * Numbers and layouts of Linux's file calls: open flags, struct statx, struct open_how, struct linux_dirent64.
 * Sources: openat2(2), statx(2), getdents64(2), utimensat(2), and the kernel's uapi headers.
 */

import { constants } from 'node:fs';
import { arch } from 'node:os';
import type { Libc } from './libc.ts';

export type OpenFlag =
  | 'readOnly'
  | 'writeOnly'
  | 'readWrite'
  | 'create'
  | 'exclusive'
  | 'truncate'
  | 'append'
  | 'nonblock'
  | 'noctty'
  | 'sync'
  | 'dsync'
  | 'directory'
  | 'nofollow'
  | 'path'
  | 'cloexec';

/** Flags of open; those that differ between x64 and arm64 come from Node, which was built for the machine. */
export const OPEN: Readonly<Record<OpenFlag, number>> = {
  readOnly: constants.O_RDONLY,
  writeOnly: constants.O_WRONLY,
  readWrite: constants.O_RDWR,
  create: constants.O_CREAT,
  exclusive: constants.O_EXCL,
  truncate: constants.O_TRUNC,
  append: constants.O_APPEND,
  nonblock: constants.O_NONBLOCK,
  noctty: constants.O_NOCTTY,
  sync: constants.O_SYNC,
  dsync: constants.O_DSYNC,
  directory: constants.O_DIRECTORY,
  nofollow: constants.O_NOFOLLOW,
  path: 0x20_0000,
  cloexec: 0x8_0000,
};

/** Commands of fcntl. */
export const FCNTL = { getFlags: 3, setFlags: 4 } as const;

export const AT_REMOVEDIR = 0x200;
export const AT_EMPTY_PATH = 0x1000;
/** Times of utimensat that are no times. */
export const UTIME_NOW = 0x3fff_ffffn;
export const UTIME_OMIT = 0x3fff_fffen;

/** An empty path: with AT_EMPTY_PATH it names the fd itself. */
export const EMPTY_PATH: Uint8Array = Uint8Array.of(0);
/** The path `.`. */
export const DOT_PATH: Uint8Array = Uint8Array.of(0x2e, 0);

const NUMBERS = {
  x64: { openat2: 437, statx: 332, getdents64: 217 },
  arm64: { openat2: 437, statx: 291, getdents64: 61 },
} as const;

/** Numbers of the calls made through `syscall`. */
export const SYSCALL: (typeof NUMBERS)[keyof typeof NUMBERS] = NUMBERS[arch() === 'arm64' ? 'arm64' : 'x64'];

const RESOLVE_NO_MAGICLINKS = 0x02;
const RESOLVE_BENEATH = 0x08;

/** Size of struct open_how, in bytes. */
export const HOW_BYTES = 24;

/** The struct open_how that `setHow` fills: flags, mode and resolve, 64 bits each. One per thread. */
export const HOW: Uint32Array = new Uint32Array(HOW_BYTES / 4);

/** Asks openat2 to stay beneath the directory and to refuse the links of /proc. */
export function setHow(flags: number, mode: number): void {
  HOW[0] = flags;
  HOW[2] = mode;
  HOW[4] = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
}

/** Kinds of file, as `S_IFMT` of a mode shifted right by 12, and as `d_type` of a directory entry. */
export const KIND = { fifo: 1, character: 2, directory: 4, block: 6, regular: 8, link: 10, socket: 12 } as const;

const STATX_BASIC_STATS = 0x7ff;
const STATX_BYTES = 256;

const statxBytes = new DataView(new ArrayBuffer(STATX_BYTES));

/** What statx told last in this thread; valid until the next `statFd`. */
export const STATX = {
  kind: (): number => statxBytes.getUint16(28, true) >> 12,
  ino: (): bigint => statxBytes.getBigUint64(32, true),
  nlink: (): number => statxBytes.getUint32(16, true),
  sizeBytes: (): bigint => statxBytes.getBigUint64(40, true),
  dev: (): bigint => (BigInt(statxBytes.getUint32(136, true)) << 32n) | BigInt(statxBytes.getUint32(140, true)),
  /** Of a device: its number. */
  rdev: (): readonly [major: number, minor: number] => [
    statxBytes.getUint32(128, true),
    statxBytes.getUint32(132, true),
  ],
  atimNs: (): bigint => timeNs(64),
  ctimNs: (): bigint => timeNs(96),
  mtimNs: (): bigint => timeNs(112),
};

function timeNs(at: number): bigint {
  return statxBytes.getBigInt64(at, true) * 1_000_000_000n + BigInt(statxBytes.getUint32(at + 8, true));
}

/** Asks for the stat of what an fd stands for, an O_PATH one included; 0, or -1 as the C library has it. */
export function statFd(libc: Libc, fd: number): number {
  return libc.statx(SYSCALL.statx, fd, EMPTY_PATH, AT_EMPTY_PATH, STATX_BASIC_STATS, statxBytes);
}

/** One entry as the kernel lists it. `kind` is 0 where the file system does not say. */
export interface ListedEntry {
  readonly name: Uint8Array;
  readonly ino: bigint;
  readonly kind: number;
}

const LISTING_BYTES = 65_536;
const NAME_AT = 19;

/** Lists a directory from its beginning into `entries`, `.` and `..` as the kernel places them; 0 or -1. */
export function listFd(libc: Libc, fd: number, entries: ListedEntry[]): number {
  if (libc.lseek(fd, 0n, 0) < 0) {
    return -1;
  }
  const buffer = new Uint8Array(LISTING_BYTES);
  const view = new DataView(buffer.buffer);
  for (;;) {
    const usedBytes = libc.getdents64(SYSCALL.getdents64, fd, buffer, LISTING_BYTES);
    if (usedBytes <= 0) {
      return usedBytes;
    }
    for (let at = 0; at < usedBytes; ) {
      const recordBytes = view.getUint16(at + 16, true);
      const name = buffer.slice(at + NAME_AT, buffer.indexOf(0, at + NAME_AT));
      entries.push({ name, ino: view.getBigUint64(at, true), kind: view.getUint8(at + 18) });
      at += recordBytes;
    }
  }
}
