/** A guest made of plain calls: a memory filled with `?`, and the host functions called as a module would call them. */

import { type Capabilities, resolveCapabilities } from '../../../host/capabilities/capabilities.ts';
import type { MemoryMount } from '../../../host/capabilities/mounts/schema.ts';
import { mountMemory } from '../../../host/filesystem/memory-mount.ts';
import type { MountedDirectory } from '../../../host/filesystem/mount.ts';
import { resolveLimits, type Limits } from '../../../host/limits.ts';
import { ERRNO } from '../../../host/wasi/errno.ts';
import { errnoName } from '../errno-name.ts';
import { Preview1, STOP } from '../../../host/preview1/preview1.ts';
import type { GuestCall } from '../../../host/wasi/session/guest.ts';

/** Where `put` begins to place what a call is handed. */
const SCRATCH = 1024;
const QUESTION = 63;

export type Namespace = 'wasi_snapshot_preview1' | 'wasi_unstable';

export interface GuestOptions {
  readonly limits?: Partial<Limits>;
  readonly capabilities?: Partial<Capabilities>;
  readonly files?: MemoryMount['files'];
  readonly access?: MemoryMount['access'];
  readonly mounts?: readonly MountedDirectory[];
  readonly call?: Partial<GuestCall>;
  readonly namespace?: Namespace;
}

type Parameter = number | bigint;
type AnyHostFunction = (...parameters: Parameter[]) => number;

/** fd of the mount that `files` makes, guest path `/data`. */
export const ROOT = 3;

export const RIGHTS_ALL: bigint = (1n << 30n) - 1n;

export class Guest {
  readonly memory: WebAssembly.Memory = new WebAssembly.Memory({ initial: 2, maximum: 8 });
  readonly host: Preview1;
  namespace: Namespace;
  #top = SCRATCH;

  constructor(options: GuestOptions = {}) {
    const limits = resolveLimits(options.limits);
    const mounts = [...(options.mounts ?? [])];
    if (options.files !== undefined) {
      const access = options.access ?? 'read-write';
      mounts.unshift(mountMemory({ guest: '/data', files: options.files, access }, limits));
    }
    const capabilities = resolveCapabilities(options.capabilities);
    this.host = new Preview1({ programName: 'guest', limits, capabilities }, mounts);
    this.namespace = options.namespace ?? 'wasi_snapshot_preview1';
    this.host.bind(this.memory);
    this.begin(options.call);
  }

  /** Begins an invocation with a memory full of `?`. */
  begin(call: Partial<GuestCall> = {}): void {
    this.bytes.fill(QUESTION);
    this.#top = SCRATCH;
    this.host.begin({ input: new Uint8Array(0), arguments: [], environment: {}, ...call });
  }

  get bytes(): Uint8Array {
    return new Uint8Array(this.memory.buffer);
  }

  get view(): DataView {
    return new DataView(this.memory.buffer);
  }

  /** Calls a host function and answers its errno by name. */
  call(name: string, ...parameters: Parameter[]): string {
    return errnoName(this.raw(name, ...parameters));
  }

  raw(name: string, ...parameters: Parameter[]): number {
    const functions = this.host.imports[this.namespace] as Record<string, unknown>;
    return (functions[name] as AnyHostFunction)(...parameters);
  }

  /** Calls a host function and says whether it ended the guest. */
  isStoppedBy(name: string, ...parameters: Parameter[]): boolean {
    try {
      this.raw(name, ...parameters);
      return false;
    } catch (error) {
      if (error !== STOP) throw error;
      return true;
    }
  }

  /** Room for a result, 8-byte aligned, full of `?`. */
  room(sizeBytes: number): number {
    const pointer = this.#top;
    this.#top = (pointer + sizeBytes + 7) & ~7;
    this.bytes.fill(QUESTION, pointer, pointer + sizeBytes);
    return pointer;
  }

  /** Places bytes or a text; answers pointer and length. */
  put(content: string | Uint8Array): [number, number] {
    const bytes = Buffer.from(content);
    const pointer = this.room(bytes.length);
    this.bytes.set(bytes, pointer);
    return [pointer, bytes.length];
  }

  u32(pointer: number): number {
    return this.view.getUint32(pointer, true);
  }

  u64(pointer: number): bigint {
    return this.view.getBigUint64(pointer, true);
  }

  hex(pointer: number, sizeBytes: number): string {
    return Buffer.from(this.bytes.slice(pointer, pointer + sizeBytes)).toString('hex');
  }

  text(pointer: number, sizeBytes: number): string {
    return Buffer.from(this.bytes.slice(pointer, pointer + sizeBytes)).toString();
  }

  /** An array of iovecs over rooms of the given sizes; answers its pointer and the rooms. */
  iovecs(...sizes: number[]): { iovs: number; count: number; rooms: number[] } {
    const rooms = sizes.map((size) => this.room(size));
    const iovs = this.room(sizes.length * 8);
    rooms.forEach((pointer, i) => {
      this.view.setUint32(iovs + i * 8, pointer, true);
      this.view.setUint32(iovs + i * 8 + 4, sizes[i] as number, true);
    });
    return { iovs, count: sizes.length, rooms };
  }

  write(fd: number, content: string): string {
    const [pointer, length] = this.put(content);
    const iovs = this.room(8);
    this.view.setUint32(iovs, pointer, true);
    this.view.setUint32(iovs + 4, length, true);
    return this.call('fd_write', fd, iovs, 1, this.room(4));
  }

  /** What one fd_read of `length` bytes gives, or the errno's name in angle brackets. */
  read(fd: number, length: number): string {
    const { iovs, rooms } = this.iovecs(length);
    const nread = this.room(4);
    const errno = this.call('fd_read', fd, iovs, 1, nread);
    return errno === 'success' ? this.text(rooms[0] as number, this.u32(nread)) : `<${errno}>`;
  }

  /** Opens with all rights but writing unless asked for; answers the fd or the errno's name. */
  open(path: string, options: OpenOptions = {}): number | string {
    const rights = options.rights ?? RIGHTS_ALL & ~0b1_0100_0000n & ~(1n << 22n) & ~1n;
    const base = options.write === true ? RIGHTS_ALL : rights;
    const opened = this.room(4);
    const [pointer, length] = this.put(path);
    const errno = this.raw(
      'path_open',
      options.fd ?? ROOT,
      options.follow === false ? 0 : 1,
      pointer,
      length,
      options.oflags ?? 0,
      base,
      options.inheriting ?? RIGHTS_ALL,
      options.fdflags ?? 0,
      opened,
    );
    return errno === ERRNO.success ? this.u32(opened) : errnoName(errno);
  }

  /** Opens what must be there. */
  mustOpen(path: string, options: OpenOptions = {}): number {
    const fd = this.open(path, options);
    if (typeof fd === 'string') throw new Error(`cannot open ${path}: ${fd}`);
    return fd;
  }

  /** Calls a function that takes an fd and one path. */
  path(name: string, path: string, fd: number = ROOT): string {
    return this.call(name, fd, ...this.put(path));
  }

  symlink(contents: string, path: string): string {
    return this.call('path_symlink', ...this.put(contents), ROOT, ...this.put(path));
  }

  rename(from: string, to: string): string {
    return this.call('path_rename', ROOT, ...this.put(from), ROOT, ...this.put(to));
  }

  link(from: string, to: string, lookup = 0): string {
    return this.call('path_link', ROOT, lookup, ...this.put(from), ROOT, ...this.put(to));
  }

  /** The filestat of a path, or the errno's name. */
  stat(path: string, lookup = 0): Stat | string {
    const pointer = this.room(64);
    const errno = this.call('path_filestat_get', ROOT, lookup, ...this.put(path), pointer);
    return errno === 'success' ? this.statAt(pointer) : errno;
  }

  fdStat(fd: number): Stat | string {
    const pointer = this.room(64);
    const errno = this.call('fd_filestat_get', fd, pointer);
    return errno === 'success' ? this.statAt(pointer) : errno;
  }

  statAt(pointer: number): Stat {
    return {
      dev: this.u64(pointer),
      ino: this.u64(pointer + 8),
      filetype: this.bytes[pointer + 16] as number,
      nlink: this.u64(pointer + 24),
      size: this.u64(pointer + 32),
      atim: this.u64(pointer + 40),
      mtim: this.u64(pointer + 48),
      ctim: this.u64(pointer + 56),
    };
  }

  /** flags, rights base, rights inheriting. */
  fdstat(fd: number): [number, bigint, bigint] {
    const pointer = this.room(24);
    this.raw('fd_fdstat_get', fd, pointer);
    return [this.view.getUint16(pointer + 2, true), this.u64(pointer + 8), this.u64(pointer + 16)];
  }
}

export interface OpenOptions {
  readonly fd?: number;
  readonly follow?: boolean;
  readonly oflags?: number;
  readonly fdflags?: number;
  readonly write?: boolean;
  readonly rights?: bigint;
  readonly inheriting?: bigint;
}

export interface Stat {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly filetype: number;
  readonly nlink: bigint;
  readonly size: bigint;
  readonly atim: bigint;
  readonly mtim: bigint;
  readonly ctim: bigint;
}
