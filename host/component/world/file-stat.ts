/** Stats and times of wasi:filesystem. */

import type { Filestat } from '../../filesystem/descriptor.ts';
import { FILETYPE } from '../../wasi/filetype.ts';
import { FSTFLAG } from '../../wasi/flags.ts';
import { type Datetime, NS_PER_S, toDatetime } from './clocks.ts';

/** `descriptor-type`. */
export type FileType =
  | 'unknown'
  | 'block-device'
  | 'character-device'
  | 'directory'
  | 'regular-file'
  | 'symbolic-link'
  | 'socket';

const TYPES: ReadonlyMap<number, FileType> = new Map([
  [FILETYPE.blockDevice, 'block-device'],
  [FILETYPE.characterDevice, 'character-device'],
  [FILETYPE.directory, 'directory'],
  [FILETYPE.regularFile, 'regular-file'],
  [FILETYPE.socketDgram, 'socket'],
  [FILETYPE.socketStream, 'socket'],
  [FILETYPE.symbolicLink, 'symbolic-link'],
]);

/** `descriptor-type` of preview1's filetype. */
export function fileType(filetype: number): FileType {
  return TYPES.get(filetype) ?? 'unknown';
}

/** `descriptor-stat`: sizes in bytes, times since the epoch. */
export interface DescriptorStat {
  readonly type: FileType;
  readonly linkCount: bigint;
  readonly size: bigint;
  readonly dataAccessTimestamp: Datetime;
  readonly dataModificationTimestamp: Datetime;
  readonly statusChangeTimestamp: Datetime;
}

/** What preview 1 says of a file, as WASI 0.2 has it. */
export function toDescriptorStat(stat: Filestat): DescriptorStat {
  return {
    type: fileType(stat.filetype),
    linkCount: stat.nlink,
    size: stat.sizeBytes,
    dataAccessTimestamp: toDatetime(stat.atimNs),
    dataModificationTimestamp: toDatetime(stat.mtimNs),
    statusChangeTimestamp: toDatetime(stat.ctimNs),
  };
}

/** `new-timestamp`: what a time is set to. */
export type NewTimestamp =
  | { readonly tag: 'no-change' }
  | { readonly tag: 'now' }
  | { readonly tag: 'timestamp'; readonly val: Datetime };

/** Two new times as preview 1 has them: nanoseconds, and flags that say which are set. */
export interface NewTimes {
  readonly atimNs: bigint;
  readonly mtimNs: bigint;
  /** `fstflags` of preview1. */
  readonly flags: number;
}

/** The times that `set-times` is given, as preview 1 has them. */
export function toNewTimes(access: NewTimestamp, modification: NewTimestamp): NewTimes {
  return {
    atimNs: toNs(access),
    mtimNs: toNs(modification),
    flags: flagOf(access, FSTFLAG.atim, FSTFLAG.atimNow) | flagOf(modification, FSTFLAG.mtim, FSTFLAG.mtimNow),
  };
}

function toNs(time: NewTimestamp): bigint {
  return time.tag === 'timestamp' ? time.val.seconds * NS_PER_S + BigInt(time.val.nanoseconds) : 0n;
}

function flagOf(time: NewTimestamp, given: number, now: number): number {
  if (time.tag === 'timestamp') return given;
  return time.tag === 'now' ? now : 0;
}
