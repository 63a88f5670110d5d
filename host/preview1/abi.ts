/**
 * Numbers of the preview1 ABI: rights, ids, flags, struct sizes.
 *
 * Source: `wasi_snapshot_preview1.witx` and, for the older layouts, `wasi_unstable.witx`.
 */

/** `rights` as bits of a number: the spec has 30 of them. */
export const RIGHTS = {
  fdDatasync: 0x1,
  fdRead: 0x2,
  fdSeek: 0x4,
  fdFdstatSetFlags: 0x8,
  fdSync: 0x10,
  fdTell: 0x20,
  fdWrite: 0x40,
  fdAdvise: 0x80,
  fdAllocate: 0x100,
  pathCreateDirectory: 0x200,
  pathCreateFile: 0x400,
  pathLinkSource: 0x800,
  pathLinkTarget: 0x1000,
  pathOpen: 0x2000,
  fdReaddir: 0x4000,
  pathReadlink: 0x8000,
  pathRenameSource: 0x10000,
  pathRenameTarget: 0x20000,
  pathFilestatGet: 0x40000,
  pathFilestatSetSize: 0x80000,
  pathFilestatSetTimes: 0x100000,
  fdFilestatGet: 0x200000,
  fdFilestatSetSize: 0x400000,
  fdFilestatSetTimes: 0x800000,
  pathSymlink: 0x1000000,
  pathRemoveDirectory: 0x2000000,
  pathUnlinkFile: 0x4000000,
  pollFdReadwrite: 0x8000000,
  sockShutdown: 0x10000000,
  sockAccept: 0x20000000,
} as const;

/** Rights that mean something on a directory. */
export const DIRECTORY_RIGHTS: number =
  RIGHTS.pathCreateDirectory |
  RIGHTS.pathCreateFile |
  RIGHTS.pathLinkSource |
  RIGHTS.pathLinkTarget |
  RIGHTS.pathOpen |
  RIGHTS.fdReaddir |
  RIGHTS.pathReadlink |
  RIGHTS.pathRenameSource |
  RIGHTS.pathRenameTarget |
  RIGHTS.pathFilestatGet |
  RIGHTS.pathFilestatSetSize |
  RIGHTS.pathFilestatSetTimes |
  RIGHTS.fdFilestatGet |
  RIGHTS.fdFilestatSetTimes |
  RIGHTS.pathSymlink |
  RIGHTS.pathRemoveDirectory |
  RIGHTS.pathUnlinkFile |
  RIGHTS.pollFdReadwrite;

/** Rights that mean something on a file. */
export const FILE_RIGHTS: number =
  RIGHTS.fdDatasync |
  RIGHTS.fdRead |
  RIGHTS.fdSeek |
  RIGHTS.fdFdstatSetFlags |
  RIGHTS.fdSync |
  RIGHTS.fdTell |
  RIGHTS.fdWrite |
  RIGHTS.fdAdvise |
  RIGHTS.fdAllocate |
  RIGHTS.fdFilestatGet |
  RIGHTS.fdFilestatSetSize |
  RIGHTS.fdFilestatSetTimes |
  RIGHTS.pollFdReadwrite;

/** What a file or directory opened beneath a preopen may be given. */
export const INHERITING_RIGHTS: number = DIRECTORY_RIGHTS | FILE_RIGHTS;

/** Rights of a standard stream besides reading or writing. */
export const STREAM_RIGHTS: number = RIGHTS.fdFdstatSetFlags | RIGHTS.fdFilestatGet | RIGHTS.pollFdReadwrite;

/** `eventtype`. */
export const EVENTTYPE = { clock: 0, fdRead: 1, fdWrite: 2 } as const;

/** `subclockflags`: the timeout is a time, not a duration. */
export const SUBCLOCK_ABSTIME = 1;

/** `lookupflags`: the last component is followed if it is a symbolic link. */
export const LOOKUP_SYMLINK_FOLLOW = 1;

/** `eventrwflags`: the other end is closed. */
export const EVENTRW_HANGUP = 1;

/** Greatest value of `advice`. */
export const ADVICE_MAX = 5;

/** Greatest value of `signal`. */
export const SIGNAL_MAX = 30;

/** Sizes of the structs a guest hands over or is handed, in bytes. */
export const SIZE = {
  dirent: 24,
  event: 32,
  fdstat: 24,
  filestat: 64,
  iovec: 8,
  prestat: 8,
  subscription: 48,
} as const;

/** Where `wasi_unstable` differs from `wasi_snapshot_preview1`. */
export interface AbiVariant {
  readonly filestatBytes: number;
  readonly subscriptionBytes: number;
  /** Offset of the clock's id within a subscription. */
  readonly clockOffset: number;
  /** The `whence` of the spec's own numbering, by the guest's. */
  readonly whence: readonly [number, number, number];
}

/** `wasi_snapshot_preview1`: whence is set, cur, end. */
export const SNAPSHOT_1: AbiVariant = {
  filestatBytes: SIZE.filestat,
  subscriptionBytes: SIZE.subscription,
  clockOffset: 16,
  whence: [0, 1, 2],
};

/** `wasi_unstable`: whence is cur, end, set; nlink has 32 bits; a clock subscription begins with an identifier. */
export const UNSTABLE: AbiVariant = {
  filestatBytes: 56,
  subscriptionBytes: 56,
  clockOffset: 24,
  whence: [1, 2, 0],
};

/** A function a guest imports. */
export type HostFunction = (...parameters: never[]) => number | void;

/** Functions by the name a guest imports them under. */
export type HostFunctions = Readonly<Record<string, HostFunction>>;
