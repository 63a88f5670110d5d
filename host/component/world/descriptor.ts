/** `descriptor` of wasi:filesystem: an open file or directory. What a path leads to is the kernel's or the tree's to say. */

import { UTF8_DECODER, UTF8_ENCODER } from '../../bytes.ts';
import { createResult, type Descriptor as File, type Result } from '../../filesystem/descriptor.ts';
import { ERRNO } from '../../wasi/errno.ts';
import { FILETYPE } from '../../wasi/filetype.ts';
import { FDFLAG, OFLAG } from '../../wasi/flags.ts';
import { PATH_MAX_BYTES, SLASH } from '../../wasi/paths.ts';
import { DirectoryEntryStream } from './directory-entries.ts';
import { settle } from './file-errors.ts';
import {
  type DescriptorStat,
  fileType,
  type FileType,
  type NewTimestamp,
  toDescriptorStat,
  toNewTimes,
} from './file-stat.ts';
import { fileSink, fileSource, OpenFile } from './file-streams.ts';
import { WasiError } from './guest-stop.ts';
import type { Host } from './host.ts';
import { InputStream, OutputStream } from './io.ts';
import { Resource } from './resource.ts';

/** `descriptor-flags`: what a file was opened for. */
export interface DescriptorFlags {
  readonly read?: boolean;
  readonly write?: boolean;
  readonly fileIntegritySync?: boolean;
  readonly dataIntegritySync?: boolean;
  readonly requestedWriteSync?: boolean;
  readonly mutateDirectory?: boolean;
}

interface PathFlags {
  readonly symlinkFollow?: boolean;
}

interface OpenFlags {
  readonly create?: boolean;
  readonly directory?: boolean;
  readonly exclusive?: boolean;
  readonly truncate?: boolean;
}

interface MetadataHash {
  readonly lower: bigint;
  readonly upper: bigint;
}

/** Most bytes one read answers. */
const READ_BYTES = 1024 * 1024;
const ADVICE: readonly string[] = ['normal', 'sequential', 'random', 'will-need', 'dont-need', 'no-reuse'];
const U64 = 0xffff_ffff_ffff_ffffn;
/** Odd 64-bit constants of splitmix64, so that neighbouring inodes give hashes far apart. */
const MIX = [0x9e37_79b9_7f4a_7c15n, 0xbf58_476d_1ce4_e5b9n] as const;

/** One per thread: a guest runs alone in it. */
const RESULT: Result = createResult();

/**
 * `descriptor`: holds one of the descriptors that the limit `openFiles` allows until it is dropped. Methods throw a
 * WasiError with an error-code.
 */
export class Descriptor extends Resource {
  readonly #open: OpenFile;
  readonly #flags: DescriptorFlags;

  constructor(host: Host, open: OpenFile, flags: DescriptorFlags) {
    super(host);
    this.#open = open;
    this.#flags = flags;
  }

  readViaStream(offset: bigint): InputStream {
    this.#require('read');
    return new InputStream(this.host, fileSource(this.host, this.#open.share(), offset, RESULT));
  }

  writeViaStream(offset: bigint): OutputStream {
    this.#require('write');
    return new OutputStream(this.host, fileSink(this.host, this.#open.share(), offset, RESULT));
  }

  appendViaStream(): OutputStream {
    this.#require('write');
    return new OutputStream(this.host, fileSink(this.host, this.#open.share(), undefined, RESULT));
  }

  advise(offset: bigint, length: bigint, advice: string): void {
    this.#settle(this.#file.advise(offset, length, ADVICE.indexOf(advice)));
  }

  syncData(): void {
    this.#settle(this.#file.datasync());
  }

  sync(): void {
    this.#settle(this.#file.sync());
  }

  getFlags(): DescriptorFlags {
    this.host.enterLong();
    return this.#flags;
  }

  getType(): FileType {
    this.host.enterLong();
    return fileType(this.#file.filetype);
  }

  setSize(sizeBytes: bigint): void {
    this.#settle(this.#file.setSize(sizeBytes));
  }

  setTimes(access: NewTimestamp, modification: NewTimestamp): void {
    const { atimNs, mtimNs, flags } = toNewTimes(access, modification);
    this.#settle(this.#file.setTimes(atimNs, mtimNs, flags));
  }

  read(length: bigint, offset: bigint): [Uint8Array, boolean] {
    this.#require('read');
    const most = length > BigInt(READ_BYTES) ? READ_BYTES : Number(length);
    const buffer = new Uint8Array(most);
    this.#settle(this.#file.pread(buffer, offset, RESULT));
    const { count } = RESULT;
    return [count === most ? buffer : buffer.slice(0, count), count === 0];
  }

  write(bytes: Uint8Array, offset: bigint): bigint {
    this.#require('write');
    this.#settle(this.#file.pwrite(bytes, offset, RESULT));
    return BigInt(RESULT.count);
  }

  readDirectory(): DirectoryEntryStream {
    this.host.enterLong();
    if (this.#file.filetype !== FILETYPE.directory) throw new WasiError('not-directory');
    return new DirectoryEntryStream(this.host, this.#open.share());
  }

  stat(): DescriptorStat {
    this.#settle(this.#file.stat(RESULT));
    return toDescriptorStat(RESULT.stat);
  }

  isSameObject(other: Descriptor): boolean {
    this.host.enterLong();
    const [mine, theirs] = [this.#identity(), other.#identity()];
    return mine.dev === theirs.dev && mine.ino === theirs.ino;
  }

  metadataHash(): MetadataHash {
    this.#settle(this.#file.stat(RESULT));
    return hashOf(RESULT);
  }

  metadataHashAt(flags: PathFlags, path: string): MetadataHash {
    this.#settle(this.#file.statAt(this.#path(path), flags.symlinkFollow === true, RESULT));
    return hashOf(RESULT);
  }

  statAt(flags: PathFlags, path: string): DescriptorStat {
    this.#settle(this.#file.statAt(this.#path(path), flags.symlinkFollow === true, RESULT));
    return toDescriptorStat(RESULT.stat);
  }

  setTimesAt(flags: PathFlags, path: string, access: NewTimestamp, modification: NewTimestamp): void {
    const times = toNewTimes(access, modification);
    const follow = flags.symlinkFollow === true;
    this.#settle(this.#file.setTimesAt(this.#path(path), follow, times.atimNs, times.mtimNs, times.flags));
  }

  createDirectoryAt(path: string): void {
    this.#settle(this.#file.createDirectory(this.#path(path)));
  }

  removeDirectoryAt(path: string): void {
    this.#settle(this.#file.removeDirectory(this.#path(path)));
  }

  unlinkFileAt(path: string): void {
    this.#settle(this.#file.unlinkFile(this.#path(path)));
  }

  linkAt(flags: PathFlags, from: string, target: Descriptor, to: string): void {
    // oxlint-disable-next-line unicorn/consistent-destructuring -- another object's private field
    const directory = target.#file;
    this.#settle(this.#file.link(this.#path(from), flags.symlinkFollow === true, directory, target.#path(to)));
  }

  renameAt(from: string, target: Descriptor, to: string): void {
    this.#settle(this.#file.rename(this.#path(from), target.#file, target.#path(to)));
  }

  symlinkAt(contents: string, path: string): void {
    this.#settle(this.#file.symlink(this.#path(contents), this.#path(path)));
  }

  readlinkAt(path: string): string {
    this.#settle(this.#file.readlink(this.#path(path), RESULT));
    return UTF8_DECODER.decode(RESULT.bytes);
  }

  openAt(pathFlags: PathFlags, path: string, openFlags: OpenFlags, asked: DescriptorFlags): Descriptor {
    // What is opened neither to be read nor to be written can be read, as in wasmtime.
    const flags = asked.write === true ? asked : { ...asked, read: true };
    const bytes = this.#path(path);
    const { limits } = this.host.options;
    if (this.host.openFiles + STANDARD_STREAMS >= limits.openFiles) throw new WasiError('quota');
    // Nothing may end the guest between what opens a file and what holds it.
    this.host.enterLong();
    RESULT.descriptor = undefined;
    const errno = this.#file.open(
      {
        path: bytes,
        isFollowing: pathFlags.symlinkFollow === true,
        oflags: toOflags(openFlags),
        fdflags: toFdflags(flags),
        isForReading: flags.read === true,
        isForWriting: flags.write === true || openFlags.truncate === true,
      },
      RESULT,
    );
    settle(this.host, errno);
    const opened = RESULT.descriptor as File | undefined;
    RESULT.descriptor = undefined;
    if (opened === undefined) throw new WasiError('io');
    return new Descriptor(this.host, new OpenFile(this.host, opened), flags);
  }

  protected override release(): void {
    this.#open.leave();
  }

  get #file(): File {
    return this.#open.file;
  }

  #identity(): { readonly dev: bigint; readonly ino: bigint } {
    this.#settle(this.#file.stat(RESULT));
    const { dev, ino } = RESULT.stat;
    return { dev, ino };
  }

  /** Counts the call and throws what an errno means. */
  #settle(errno: number): void {
    this.host.enterLong();
    settle(this.host, errno);
  }

  #require(right: 'read' | 'write'): void {
    this.host.enterLong();
    if (this.#file.filetype === FILETYPE.directory) throw new WasiError('is-directory');
    if (this.#flags[right] !== true) throw new WasiError('bad-descriptor');
  }

  /** A path's bytes; one that begins with `/` leads out of every directory. */
  #path(path: string): Uint8Array {
    if (this.#file.filetype !== FILETYPE.directory) throw new WasiError('not-directory');
    if (path === '') throw new WasiError('no-entry');
    if (path.includes('\0')) throw new WasiError('invalid');
    const bytes = UTF8_ENCODER.encode(path);
    if (bytes.length >= PATH_MAX_BYTES) throw new WasiError('name-too-long');
    if (bytes[0] === SLASH) settle(this.host, ERRNO.notcapable);
    return bytes;
  }
}

/** stdin, stdout and stderr count as open files, as in preview1. */
const STANDARD_STREAMS = 3;

function toOflags(flags: OpenFlags): number {
  return (
    (flags.create === true ? OFLAG.creat : 0) |
    (flags.directory === true ? OFLAG.directory : 0) |
    (flags.exclusive === true ? OFLAG.excl : 0) |
    (flags.truncate === true ? OFLAG.trunc : 0)
  );
}

function toFdflags(flags: DescriptorFlags): number {
  return (
    (flags.fileIntegritySync === true ? FDFLAG.sync : 0) |
    (flags.dataIntegritySync === true ? FDFLAG.dsync : 0) |
    (flags.requestedWriteSync === true ? FDFLAG.rsync : 0)
  );
}

function hashOf({ stat }: Result): MetadataHash {
  const lower = (stat.ino * MIX[0]) ^ (stat.dev * MIX[1]) ^ stat.mtimNs;
  const upper = (stat.dev * MIX[0]) ^ (stat.ino * MIX[1]) ^ stat.sizeBytes;
  return { lower: lower & U64, upper: upper & U64 };
}
