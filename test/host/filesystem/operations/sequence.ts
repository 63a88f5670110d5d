/** Random sequences of operations on files, each the same for the same seed. */

import { INHERITING_RIGHTS, RIGHTS } from '../../../../host/preview1/rights.ts';
import { FDFLAG, OFLAG } from '../../../../host/wasi/flags.ts';
import type { Operation } from './operation.ts';

/** What every sequence begins with, by path; a folder is null. */
export const FIRST_FILES: Readonly<Record<string, string | null>> = {
  a: 'hello world',
  d: null,
  'd/b': 'b',
  'd/e': null,
};

const ROOT = 0;
const SLOTS = 5;
const LETTERS: readonly string[] = ['f', 'g', 'h', 'i', 'j', 'k'];
const NAMES = ['a', 'b', 'c', 'd', 'e'] as const;
/** All that a mount hands on. */
const ALL = BigInt(INHERITING_RIGHTS);
/** uvwasi takes the right to synchronise for one to write. */
const READ_ONLY = ALL & ~BigInt(RIGHTS.fdWrite | RIGHTS.fdAllocate | RIGHTS.fdFilestatSetSize | RIGHTS.fdDatasync);

/** mulberry32, by Tommy Ettinger: 32 bits of state. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** An integer from 0 below `end`. */
  below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let z = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return Math.floor((((z ^ (z >>> 14)) >>> 0) / 2 ** 32) * end);
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }

  /** True once in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }
}

/** The sequence of a seed. */
export function createSequence(seed: number, length: number): Operation[] {
  const random = new Random(seed);
  const sequence = [
    ...openFirst(random, 'a', 0, 1),
    ...openFirst(random, 'c', OFLAG.creat, 2),
    ...openFirst(random, 'd', 0, 3),
  ];
  while (sequence.length < length) sequence.push(...random.pick(KINDS)(random));
  return sequence.slice(0, length);
}

type Maker = (random: Random) => Operation[];

const ODD_PATHS: readonly string[] = [
  '',
  '.',
  '..',
  '/',
  '/a',
  './a',
  'a/',
  'd/',
  'd/.',
  'd/..',
  'd/../a',
  'a/..',
  'a/.',
  'd//b',
  '../a',
  'd/../..',
  'x'.repeat(255),
  'x'.repeat(256),
  `d/${'x'.repeat(255)}`,
  `${'./'.repeat(2040)}a`,
  'a\0b',
];

function path(random: Random): string {
  if (random.once(9)) return random.pick(ODD_PATHS);
  const depth = random.pick([1, 1, 1, 2, 2, 3]);
  return Array.from({ length: depth }, () => random.pick(NAMES)).join('/') + (random.once(15) ? '/' : '');
}

/** Where a path begins: mostly the mount. */
function directory(random: Random): number {
  return random.once(6) ? slot(random) : ROOT;
}

function slot(random: Random): number {
  return 1 + random.below(SLOTS);
}

function lookup(random: Random): number {
  return random.pick([0, 1]);
}

function lengths(random: Random): number[] {
  return Array.from({ length: random.pick([1, 1, 1, 1, 1, 1, 0, 2, 3]) }, () => random.pick([0, 1, 2, 3, 7, 20]));
}

function offset(random: Random): bigint {
  return random.once(25) ? random.pick([(1n << 63n) - 1n, 1n << 63n, (1n << 64n) - 1n]) : BigInt(random.below(30));
}

function rights(random: Random): bigint {
  if (!random.once(4)) return random.pick([ALL, ALL, READ_ONLY]);
  const some = [
    0n,
    BigInt(RIGHTS.fdRead),
    BigInt(RIGHTS.fdWrite),
    BigInt(RIGHTS.fdAllocate),
    BigInt(RIGHTS.fdFilestatSetSize),
    BigInt(RIGHTS.fdRead | RIGHTS.fdWrite),
    BigInt(RIGHTS.fdSeek | RIGHTS.fdTell),
  ];
  return random.pick(some) | random.pick(some);
}

/** Bits that no flag has. */
const STRAY: readonly number[] = [32, 64, 33];

function fdflags(random: Random): number {
  if (!random.once(3)) return 0;
  if (random.once(12)) return random.pick(STRAY);
  return random.pick([FDFLAG.append, FDFLAG.append, FDFLAG.nonblock, FDFLAG.sync, FDFLAG.dsync, FDFLAG.rsync, 31]);
}

function oflags(random: Random): number {
  const { creat, directory: only, excl, trunc } = OFLAG;
  if (random.once(30)) return random.pick([16, only | creat, only | trunc, only | excl, 15]);
  return random.pick([0, 0, 0, creat, creat, creat, creat | trunc, creat | excl, excl, trunc, only, only]);
}

function open(random: Random): Operation[] {
  const parameters = {
    fd: directory(random),
    lookup: lookup(random),
    path: path(random),
    oflags: oflags(random),
    base: rights(random),
    inheriting: ALL,
    fdflags: fdflags(random),
    into: slot(random),
  };
  return [{ call: 'path_open', parameters }];
}

/** What most sequences begin with: something to work upon is open. */
function openFirst(random: Random, path: string, oflags: number, into: number): Operation[] {
  if (random.once(4)) return [];
  const base = path === 'd' ? READ_ONLY : ALL;
  const flags = path === 'c' ? fdflags(random) : 0;
  return [
    {
      call: 'path_open',
      parameters: { fd: ROOT, lookup: 1, path, oflags, base, inheriting: ALL, fdflags: flags, into },
    },
  ];
}

function move(call: string): Maker {
  return (random) => {
    const pieces = lengths(random);
    const sum = pieces.reduce((total, length) => total + length, 0);
    const isWrite = call.endsWith('write');
    const contents = Array.from({ length: sum }, () => random.pick(LETTERS)).join('');
    const parameters = {
      fd: slot(random),
      lengths: pieces,
      ...(isWrite ? { contents } : {}),
      ...(call.startsWith('fd_p') ? { offset: offset(random) } : {}),
    };
    return [{ call, parameters }];
  };
}

const NOW: readonly number[] = [0, 1, 2, 4, 5, 8, 10, 3, 12, 16];
const TIMES: readonly bigint[] = [0n, 1n, 999_999_999n, 1_000_000_000n, 123_456_789_123_456_789n];

function setTimes(random: Random): Operation[] {
  const times = {
    access: random.pick(TIMES),
    modification: random.pick(TIMES),
    fstflags: random.pick(NOW),
  };
  if (random.once(2)) {
    const fd = slot(random);
    return [
      { call: 'fd_filestat_set_times', parameters: { fd, ...times } },
      { call: 'fd_filestat_get', parameters: { fd } },
    ];
  }
  const place = { fd: directory(random), lookup: lookup(random), path: path(random) };
  return [
    { call: 'path_filestat_set_times', parameters: { ...place, ...times } },
    { call: 'path_filestat_get', parameters: place },
  ];
}

const withFd =
  (call: string, more: (random: Random) => Operation['parameters'] = () => ({})): Maker =>
  (random) => [{ call, parameters: { fd: slot(random), ...more(random) } }];

const withPath =
  (call: string, more: (random: Random) => Operation['parameters'] = () => ({})): Maker =>
  (random) => [{ call, parameters: { fd: directory(random), path: path(random), ...more(random) } }];

const seek = withFd('fd_seek', (random) => ({
  delta: random.once(20) ? random.pick([-(1n << 63n), (1n << 63n) - 1n]) : BigInt(random.below(40) - 12),
  whence: random.pick([0, 1, 2, 2, 1, 0, 3]),
}));

/** One for each kind of operation, more than one for those that others build upon. */
const KINDS: readonly Maker[] = [
  ...Array.from({ length: 12 }, () => open),
  ...Array.from({ length: 4 }, () => move('fd_write')),
  ...Array.from({ length: 3 }, () => move('fd_read')),
  ...Array.from({ length: 2 }, () => move('fd_pread')),
  ...Array.from({ length: 2 }, () => move('fd_pwrite')),
  seek,
  seek,
  withFd('fd_tell'),
  withFd('fd_close'),
  withFd('fd_allocate', (random) => ({ offset: offset(random), length: offset(random) })),
  withFd('fd_filestat_set_size', (random) => ({ size: random.once(25) ? 1n << 63n : BigInt(random.below(30)) })),
  withFd('fd_fdstat_get'),
  withFd('fd_fdstat_set_flags', (random) => ({ fdflags: fdflags(random) })),
  withFd('fd_filestat_get'),
  withFd('fd_filestat_get'),
  setTimes,
  setTimes,
  withFd('fd_advise', (random) => ({ offset: offset(random), length: offset(random), advice: random.below(7) })),
  withFd('fd_sync'),
  withFd('fd_datasync'),
  withFd('fd_readdir', (random) => ({ room: random.pick([300, 320, 4096]) })),
  (random) => [{ call: 'fd_readdir', parameters: { fd: ROOT, room: random.pick([300, 320, 4096]) } }],
  withFd('fd_renumber', (random) => ({ to: slot(random) })),
  withPath('path_create_directory'),
  withPath('path_create_directory'),
  withPath('path_remove_directory'),
  withPath('path_unlink_file'),
  withPath('path_unlink_file'),
  withPath('path_rename', (random) => ({ target: directory(random), to: path(random) })),
  withPath('path_rename', (random) => ({ target: directory(random), to: path(random) })),
  withPath('path_link', (random) => ({ lookup: lookup(random), target: directory(random), to: path(random) })),
  withPath('path_symlink', (random) => ({ contents: path(random) })),
  withPath('path_symlink', (random) => ({ contents: path(random) })),
  withPath('path_readlink', (random) => ({ room: random.pick([0, 1, 30, 5000]) })),
  withPath('path_filestat_get', (random) => ({ lookup: lookup(random) })),
  withPath('path_filestat_get', (random) => ({ lookup: lookup(random) })),
  withFd('fd_prestat_get'),
  withFd('fd_prestat_dir_name', () => ({ room: 5 })),
];
