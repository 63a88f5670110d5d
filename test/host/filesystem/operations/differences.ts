/**
 * What of the answers may differ, and why: each line is a difference that was looked into. Whatever no line covers is a
 * failure of the test, on one side or the other.
 */

import { FDFLAG, isOflagsInvalid, OFLAG } from '../../../../host/wasi/flags.ts';
import type { Operation, Value } from './operation.ts';
import type { Target } from './targets.ts';

export interface Difference {
  readonly of: readonly Target[];
  /** The calls; all of them without it. */
  readonly calls?: readonly string[];
  /** Errnos of the one and of what it is compared with; undefined is any. */
  readonly errnos: readonly [of: string | undefined, than: string | undefined];
  /** What more must be true of the operation. */
  readonly when?: (parameters: Operation['parameters']) => boolean;
  readonly reason: string;
}

/** What is compared with what. */
export const PAIRS: readonly (readonly [of: Target, than: Target])[] = [
  ['memory', 'machine'],
  ['memory-component', 'memory'],
  ['machine-component', 'machine'],
  ['node:wasi', 'machine'],
];

const COMPONENTS = ['memory-component', 'machine-component'] as const;
const NODE = ['node:wasi'] as const;
const MOVES = ['fd_read', 'fd_pread', 'fd_write', 'fd_pwrite'] as const;
const SET_TIMES = ['fd_filestat_set_times', 'path_filestat_set_times'] as const;

type Parameters = Operation['parameters'];

/** Bits of `fdflags`. */
const SYNC = FDFLAG.dsync | FDFLAG.rsync | FDFLAG.sync;
/** More than any file system takes. */
const LARGEST_FILE = 1n << 60n;

const lengths = (parameters: Parameters): readonly number[] => parameters['lengths'] as readonly number[];
const pathsOf = ({ path, to, contents }: Parameters): readonly Value[] =>
  [path, to, contents].filter((value) => typeof value === 'string');
const hasStrayFlags = ({ oflags, fdflags }: Parameters): boolean => (oflags as number) > 15 || (fdflags as number) > 31;

/** Dots after a name, and at the end of a path. */
const DOTS = /[^./]\/+\.\.?(\/|$)|(^|\/)\.\.?\/*$/;

/** Where an operation has two paths, or a path and a descriptor, and both are wrong. */
const TWO_PATHS = ['path_rename', 'path_link', 'path_symlink'] as const;

/** An operation after which files may differ although its answers are alike: what follows is not compared. */
export interface Parting {
  readonly of: readonly Target[];
  /** Without it, any. */
  readonly call?: string;
  /** Whether the operations before it make it one. */
  readonly after: (before: readonly Operation[], current: Operation) => boolean;
  readonly reason: string;
}

/** Whether the descriptor of an operation was used by this call since it was last given an offset. */
const isMixedWith =
  (call: string) =>
  (before: readonly Operation[], { parameters: { fd } }: Operation): boolean => {
    const isSame = (operation: Operation): boolean => operation.parameters['fd'] === fd;
    const renumbered = before.some((operation) => operation.call === 'fd_renumber');
    const since = before.findLastIndex((operation) => operation.call === 'fd_seek' && isSame(operation));
    return before.slice(since + 1).some((operation) => operation.call === call && (renumbered || isSame(operation)));
  };

export const PARTINGS: readonly Parting[] = [
  {
    of: [...COMPONENTS, ...NODE],
    call: 'fd_pwrite',
    after: (before) => before.some(({ parameters: { fdflags = 0 } }) => (fdflags as number) % 2 === FDFLAG.append),
    reason: 'Linux, wasmtime and the adapter append with pwrite too; Nebula writes at the offset, as POSIX has it',
  },
  {
    of: NODE,
    after: (before, { call, parameters: { fd, target = 0, path } }) =>
      (path !== undefined || call === 'fd_readdir') &&
      (fd !== 0 || target !== 0) &&
      before.some((earlier) => earlier.call === 'path_rename'),
    reason: 'uvwasi keeps the path of a directory: renamed, it is looked for where it was',
  },
  {
    of: COMPONENTS,
    call: 'fd_read',
    after: isMixedWith('fd_write'),
    reason: 'the adapter reads on where it has read before, wherever it has written since',
  },
  {
    of: COMPONENTS,
    call: 'fd_write',
    after: isMixedWith('fd_read'),
    reason: 'the adapter writes on where it has written before, wherever it has read since',
  },
];

export const DIFFERENCES: readonly Difference[] = [
  {
    of: COMPONENTS,
    errnos: ['perm', 'notcapable'],
    reason: 'wasi:filesystem has one error for both: not-permitted',
  },
  { of: COMPONENTS, calls: ['fd_allocate'], errnos: ['notsup', undefined], reason: 'wasi:filesystem cannot allocate' },
  {
    of: COMPONENTS,
    calls: MOVES,
    errnos: ['success', undefined],
    when: (parameters) => lengths(parameters).length === 0,
    reason: 'without a piece the adapter answers before it looks at the descriptor',
  },
  {
    of: COMPONENTS,
    calls: MOVES,
    errnos: ['success', 'success'],
    when: (parameters) => lengths(parameters).length > 1,
    reason: 'the adapter moves the first piece that is not empty, as preview 1 allows',
  },
  {
    of: COMPONENTS,
    calls: ['fd_advise', 'fd_fdstat_set_flags', ...SET_TIMES],
    errnos: ['inval', 'badf'],
    reason: 'the adapter checks values before it looks at the descriptor',
  },
  {
    of: COMPONENTS,
    calls: ['fd_advise'],
    errnos: ['badf', 'inval'],
    reason: 'the adapter hands values on unchecked, and a directory takes no advice of any kind',
  },
  {
    of: COMPONENTS,
    calls: ['path_filestat_set_times'],
    errnos: ['inval', undefined],
    reason: 'the adapter checks values before it looks at the path',
  },
  {
    of: COMPONENTS,
    calls: ['fd_filestat_set_times'],
    errnos: ['badf', 'success'],
    reason: 'the adapter sets no times of an open directory',
  },
  {
    of: COMPONENTS,
    calls: ['fd_filestat_set_size'],
    errnos: ['inval', 'success'],
    reason: 'wasi:filesystem has no rights to sizes: it opens for writing what is asked to be written',
  },
  {
    of: COMPONENTS,
    calls: ['fd_fdstat_set_flags'],
    errnos: ['inval', 'success'],
    when: ({ fdflags }) => ((fdflags as number) & SYNC) !== 0,
    reason: 'the adapter refuses every bit of synchronisation',
  },
  {
    of: COMPONENTS,
    calls: ['fd_fdstat_get'],
    errnos: ['success', 'success'],
    reason: 'the adapter keeps no flags of a directory',
  },
  {
    of: COMPONENTS,
    calls: ['fd_seek'],
    errnos: ['badf', 'inval'],
    when: ({ whence }) => (whence as number) > 2,
    reason: 'the adapter tells that a directory has no offset before it looks at where from',
  },
  {
    of: COMPONENTS,
    calls: ['fd_seek'],
    errnos: ['success', 'inval'],
    when: ({ delta }) => (delta as bigint) > LARGEST_FILE,
    reason: 'the adapter keeps offsets itself, up to what has 63 bits',
  },
  {
    of: COMPONENTS,
    calls: ['fd_filestat_set_size'],
    errnos: [undefined, 'inval'],
    when: ({ size }) => (size as bigint) > LARGEST_FILE,
    reason: 'the adapter hands sizes on unchecked, and which of two things is wrong is told by the file',
  },
  {
    of: NODE,
    errnos: ['notcapable', undefined],
    reason: 'uvwasi asks for a right at each call, which wasmtime gave up',
  },
  {
    of: NODE,
    errnos: ['inval', 'noent'],
    when: (parameters) => pathsOf(parameters).includes(''),
    reason: 'uvwasi calls an empty path invalid; POSIX says that it names nothing',
  },
  {
    of: NODE,
    errnos: [undefined, undefined],
    when: (parameters) => pathsOf(parameters).some((path) => DOTS.test(path as string)),
    reason: 'uvwasi takes dots out of a path by its text: what is before them need be no directory, nor be there',
  },
  {
    of: NODE,
    calls: ['fd_advise', 'fd_pread', 'fd_pwrite', 'fd_prestat_get', ...SET_TIMES],
    errnos: ['inval', 'badf'],
    reason: 'uvwasi checks values before it looks at the descriptor',
  },
  {
    of: NODE,
    calls: ['fd_fdstat_get'],
    errnos: ['success', 'success'],
    reason: 'uvwasi tells flags of the machine, shifted into those of preview 1',
  },
  {
    of: NODE,
    calls: ['fd_renumber'],
    errnos: ['success', 'badf'],
    when: ({ fd, to }) => fd === to,
    reason: 'uvwasi looks at no descriptor that is to become itself; wasmtime and dup2 say that it is none',
  },
  {
    of: NODE,
    calls: ['fd_filestat_get', 'path_filestat_get'],
    errnos: ['success', 'success'],
    reason: 'libuv sets times as floating-point seconds, and uvwasi both when one was asked for',
  },
  {
    of: NODE,
    calls: ['path_open'],
    errnos: [undefined, 'inval'],
    when: (parameters) => hasStrayFlags(parameters) || isOflagsInvalid(parameters['oflags'] as number),
    reason: 'uvwasi hands flags on to the machine as far as it knows them, whose kernel says what it likes of the rest',
  },
  {
    of: NODE,
    calls: ['path_open'],
    errnos: ['isdir', 'success'],
    reason: 'uvwasi opens for writing what has rights to sizes or to synchronise',
  },
  {
    of: NODE,
    calls: ['path_open'],
    errnos: [undefined, undefined],
    when: ({ path }) => (path as string).endsWith('/'),
    reason: 'uvwasi takes a slash at the end away',
  },
  {
    of: NODE,
    calls: ['path_open'],
    errnos: [undefined, 'loop'],
    when: ({ lookup }) => lookup === 0,
    reason: 'uvwasi follows a link at the end of a path where it was told not to',
  },
  {
    of: NODE,
    calls: ['path_open'],
    errnos: [undefined, 'notdir'],
    when: ({ lookup, oflags }) => lookup === 0 && ((oflags as number) & OFLAG.directory) !== 0,
    reason: 'uvwasi follows a link at the end of a path where it was told not to',
  },
  {
    of: NODE,
    calls: ['fd_fdstat_set_flags', 'fd_sync', 'fd_datasync'],
    errnos: ['success', 'badf'],
    reason: 'Linux flushes directories and takes flags for them; wasmtime does neither',
  },
  {
    of: NODE,
    calls: ['fd_advise', 'fd_allocate'],
    errnos: [undefined, 'inval'],
    when: ({ offset, length }) => (offset as bigint) > LARGEST_FILE || (length as bigint) > LARGEST_FILE,
    reason: 'uvwasi lets numbers beyond 63 bits become negative',
  },
  {
    of: NODE,
    calls: ['fd_fdstat_set_flags'],
    errnos: ['success', 'inval'],
    when: ({ fdflags }) => (fdflags as number) > 31,
    reason: 'uvwasi looks at the flags it knows',
  },
  {
    of: NODE,
    calls: ['fd_fdstat_set_flags'],
    errnos: ['success', 'inval'],
    when: ({ fdflags }) => ((fdflags as number) & SYNC) !== 0,
    reason: 'Linux takes bits of synchronisation and leaves them as they were; wasmtime says that they are invalid',
  },
  {
    of: NODE,
    calls: ['path_open', 'path_filestat_get', 'path_filestat_set_times'],
    errnos: ['success', 'notdir'],
    reason: 'uvwasi takes slashes and dots at the end of what a link holds away',
  },
  {
    of: NODE,
    calls: ['path_readlink'],
    errnos: ['nobufs', 'success'],
    when: ({ room }) => (room as number) < 4096,
    reason: 'uvwasi refuses a buffer that is too short; readlink(2) and wasmtime give what fits',
  },
  {
    of: NODE,
    calls: ['fd_allocate'],
    errnos: ['success', 'inval'],
    when: ({ length }) => length === 0n,
    reason: 'uvwasi allocates by ftruncate, which takes nothing for nothing; posix_fallocate calls it invalid',
  },
  {
    of: NODE,
    calls: ['fd_allocate'],
    errnos: ['inval', 'fbig'],
    reason: 'uvwasi allocates by ftruncate, which has another word for what is too large',
  },
  {
    of: NODE,
    calls: ['path_open'],
    errnos: [undefined, 'exist'],
    reason: 'uvwasi follows a link before it insists that nothing has its name',
  },
  {
    of: NODE,
    calls: ['path_symlink'],
    errnos: ['perm', 'notcapable'],
    reason: 'uvwasi has another word for contents that lead out of the mount',
  },
  {
    of: ['memory'],
    calls: ['fd_allocate', 'fd_filestat_set_size', 'fd_pwrite', 'fd_write'],
    errnos: ['nospc', 'success'],
    reason: 'a mount in memory has a limit',
  },
  {
    of: COMPONENTS,
    calls: SET_TIMES,
    errnos: [undefined, 'inval'],
    when: ({ fstflags }) => (fstflags as number) > 15,
    reason: 'the adapter knows no stray bits: it looks at those it knows',
  },
  {
    of: COMPONENTS,
    calls: ['path_open'],
    errnos: [undefined, 'inval'],
    when: hasStrayFlags,
    reason: 'the adapter knows no stray bits: it looks at those it knows',
  },
];

/** The line that covers a difference, or undefined. */
export function findDifference(
  [of]: readonly [Target, Target],
  { call, parameters }: Operation,
  errnos: readonly [string, string],
): Difference | undefined {
  const isBothFailing = errnos.every((errno) => errno !== 'success');
  if (isBothFailing && (TWO_PATHS as readonly string[]).includes(call)) {
    return WHICH_FIRST;
  }
  return DIFFERENCES.find(
    (difference) =>
      difference.of.includes(of) &&
      (difference.calls?.includes(call) ?? true) &&
      difference.errnos.every((errno, at) => errno === undefined || errno === errnos[at]) &&
      (difference.when?.(parameters) ?? true),
  );
}

const WHICH_FIRST: Difference = {
  of: ['memory', ...COMPONENTS, ...NODE],
  errnos: [undefined, undefined],
  reason: 'of two paths that are both wrong, a file system may tell either',
};
