/** Calls of preview 1 as data: how the guest `file-operations` is told them, and what it says they answered. */

import { errnoName } from '../../errno-name.ts';

/** How a parameter is written: a slot is a byte, `bytes` and `lengths` begin with how many there are. */
type Kind = 'slot' | 'u8' | 'u32' | 'u64' | 'bytes' | 'lengths';

export type Value = number | bigint | string | readonly number[];

export interface Operation {
  readonly call: string;
  /** Parameters by name, in the order of the call; texts stand for their bytes, one each (latin1). */
  readonly parameters: Readonly<Record<string, Value>>;
}

export interface Answer {
  readonly errno: string;
  readonly given: Buffer;
}

const path = { path: 'bytes' } as const;
const times = { access: 'u64', modification: 'u64', fstflags: 'u32' } as const;

/** Parameters of each call as the guest reads them; the calls in the order of its numbers. */
const CALLS: Readonly<Record<string, Readonly<Record<string, Kind>>>> = {
  path_open: {
    fd: 'slot',
    lookup: 'u32',
    ...path,
    oflags: 'u32',
    base: 'u64',
    inheriting: 'u64',
    fdflags: 'u32',
    into: 'slot',
  },
  fd_close: { fd: 'slot' },
  fd_read: { fd: 'slot', lengths: 'lengths' },
  fd_pread: { fd: 'slot', lengths: 'lengths', offset: 'u64' },
  fd_write: { fd: 'slot', lengths: 'lengths', contents: 'bytes' },
  fd_pwrite: { fd: 'slot', lengths: 'lengths', contents: 'bytes', offset: 'u64' },
  fd_seek: { fd: 'slot', delta: 'u64', whence: 'u8' },
  fd_tell: { fd: 'slot' },
  fd_allocate: { fd: 'slot', offset: 'u64', length: 'u64' },
  fd_filestat_set_size: { fd: 'slot', size: 'u64' },
  fd_fdstat_get: { fd: 'slot' },
  fd_fdstat_set_flags: { fd: 'slot', fdflags: 'u32' },
  fd_fdstat_set_rights: { fd: 'slot', base: 'u64', inheriting: 'u64' },
  fd_filestat_get: { fd: 'slot' },
  fd_filestat_set_times: { fd: 'slot', ...times },
  fd_advise: { fd: 'slot', offset: 'u64', length: 'u64', advice: 'u8' },
  fd_sync: { fd: 'slot' },
  fd_datasync: { fd: 'slot' },
  fd_readdir: { fd: 'slot', room: 'u32' },
  fd_renumber: { fd: 'slot', to: 'slot' },
  path_create_directory: { fd: 'slot', ...path },
  path_remove_directory: { fd: 'slot', ...path },
  path_unlink_file: { fd: 'slot', ...path },
  path_rename: { fd: 'slot', ...path, target: 'slot', to: 'bytes' },
  path_link: { fd: 'slot', lookup: 'u32', ...path, target: 'slot', to: 'bytes' },
  path_symlink: { fd: 'slot', contents: 'bytes', ...path },
  path_readlink: { fd: 'slot', ...path, room: 'u32' },
  path_filestat_get: { fd: 'slot', lookup: 'u32', ...path },
  path_filestat_set_times: { fd: 'slot', lookup: 'u32', ...path, ...times },
  fd_prestat_get: { fd: 'slot' },
  fd_prestat_dir_name: { fd: 'slot', room: 'u32' },
};

const NUMBERS: ReadonlyMap<string, number> = new Map(Object.keys(CALLS).map((call, at) => [call, at]));

/** What the guest reads. */
export function encode(operations: readonly Operation[]): Buffer {
  return Buffer.concat(operations.flatMap((operation) => encodeOne(operation)));
}

function encodeOne({ call, parameters }: Operation): Buffer[] {
  const kinds = Object.entries(CALLS[call] ?? {});
  return [
    u8(NUMBERS.get(call) as number),
    ...kinds.map(([name, kind]) => encodeValue(kind, parameters[name] as Value)),
  ];
}

function encodeValue(kind: Kind, value: Value): Buffer {
  switch (kind) {
    case 'slot':
    case 'u8':
      return u8(value as number);
    case 'u32':
      return u32(value as number);
    case 'u64': {
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64LE(BigInt.asUintN(64, value as bigint));
      return bytes;
    }
    case 'bytes': {
      const bytes = Buffer.from(value as string, 'latin1');
      return Buffer.concat([u32(bytes.length), bytes]);
    }
    case 'lengths': {
      const lengths = value as readonly number[];
      return Buffer.concat([u8(lengths.length), ...lengths.map((length) => u32(length))]);
    }
    default:
      return kind satisfies never;
  }
}

function u8(value: number): Buffer {
  return Buffer.of(value);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** What the guest wrote, an answer for each operation it came to. */
export function decode(answers: Uint8Array): Answer[] {
  const bytes = Buffer.from(answers.buffer, answers.byteOffset, answers.length);
  const decoded: Answer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32LE(at + 2);
    decoded.push({ errno: errnoName(bytes.readUInt16LE(at)), given: bytes.subarray(at + 6, at + 6 + length) });
    at += 6 + length;
  }
  return decoded;
}

/** An operation in words, for messages. */
export function describe({ call, parameters }: Operation): string {
  const shown = Object.entries(parameters).map(([name, value]) => `${name} ${showValue(value)}`);
  return `${call} ${shown.join(', ')}`;
}

function showValue(value: Value): string {
  if (typeof value !== 'string') return String(value);
  return value.length > 60
    ? `${JSON.stringify(value.slice(0, 20))} and ${value.length - 20} more`
    : JSON.stringify(value);
}

const FILETYPES: readonly string[] = [
  'unknown',
  'block',
  'character',
  'directory',
  'file',
  'datagram',
  'stream',
  'link',
];
/** Times that a sequence sets are before this one; what is after it is when something happened. */
const SET_TIMES_END = 10n ** 18n;
const DIRENT_BYTES = 24;

/** An answer in words, without what differs from file system to file system: inodes, order of entries, sizes of directories. */
export function say({ call }: Operation, { errno, given }: Answer): string {
  if (errno !== 'success') return errno;
  switch (call) {
    case 'fd_read':
    case 'fd_pread':
    case 'path_readlink':
    case 'fd_prestat_dir_name':
      return `success ${given.length} ${given.toString('latin1')}`;
    case 'fd_write':
    case 'fd_pwrite':
      return `success ${given.readUInt32LE()}`;
    case 'fd_seek':
    case 'fd_tell':
      return `success ${given.readBigUInt64LE()}`;
    case 'fd_fdstat_get':
      return `success ${FILETYPES[given[0] as number]} flags ${given.readUInt16LE(2)}`;
    case 'fd_filestat_get':
    case 'path_filestat_get':
      return `success ${sayFilestat(given)}`;
    case 'fd_readdir':
      return `success ${entriesOf(given).toSorted().join(', ')}`;
    default:
      return 'success';
  }
}

function sayFilestat(given: Buffer): string {
  const filetype = FILETYPES[given[16] as number] as string;
  const isDirectory = filetype === 'directory';
  const size = isDirectory ? '' : ` size ${given.readBigUInt64LE(32)} links ${given.readBigUInt64LE(24)}`;
  const modified = given.readBigUInt64LE(48);
  return `${filetype}${size} modified ${modified < SET_TIMES_END ? modified : 'lately'}`;
}

function entriesOf(given: Buffer): string[] {
  const entries: string[] = [];
  for (let at = 0; at < given.length; ) {
    const length = given.readUInt32LE(at + 16);
    const name = given.toString('latin1', at + DIRENT_BYTES, at + DIRENT_BYTES + length);
    // Whether the directory itself and the one above are told is not all hosts' way.
    if (name !== '.' && name !== '..') entries.push(`${FILETYPES[given[at + 20] as number]} ${JSON.stringify(name)}`);
    at += DIRENT_BYTES + length;
  }
  return entries;
}
