/**
 * Numbers of preview1 alone: ids, sizes of structs, and where its two versions differ.
 *
 * Source: `wasi_snapshot_preview1.witx` and, for the older layouts, `wasi_unstable.witx`.
 */

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

/** A function a guest imports; one that suspends its guest may answer a promise. */
export type HostFunction = (...parameters: never[]) => number | void | Promise<number>;

/** Functions by the name a guest imports them under. */
export type HostFunctions = Readonly<Record<string, HostFunction>>;
