/** The session of a guest of preview1, and what only preview1 has: its memory, its descriptors by number, its paths. */

import { isUtf8 } from 'node:buffer';
import { NO_BYTES, UTF8_ENCODER } from '../bytes.ts';
import { createResult, type Result } from '../filesystem/descriptor.ts';
import type { MountedDirectory } from '../filesystem/mount.ts';
import { ERRNO } from '../wasi/errno.ts';
import { PATH_MAX_BYTES } from '../wasi/paths.ts';
import { Session, type SessionCall, type SessionOptions } from '../wasi/session/session.ts';
import { FdTable } from './fd-table.ts';
import { GuestMemory } from './guest-memory.ts';
import { DIRECTORY_RIGHTS, grant, INHERITING_RIGHTS, RIGHTS, STREAM_RIGHTS } from './rights.ts';
import { STOP } from './stop.ts';
import { StreamedInput, StreamedOutput } from './streamed-stdio.ts';
import { encodeStrings, type StringList } from './string-list.ts';

/** What the host functions of one guest share; `context.enter()` comes first in each of them. */
export class Context extends Session<typeof STOP> {
  readonly memory: GuestMemory = new GuestMemory();
  readonly table: FdTable;
  readonly result: Result = createResult();
  /** The program's name and the arguments. */
  argv: StringList;
  environ: StringList = encodeStrings([]);
  /** The path `path` has read last. */
  pathBytes: Uint8Array = NO_BYTES;
  readonly #guestPaths: readonly Uint8Array[];
  /** Whether descriptors are those of the invocation before. */
  #isKept = false;

  constructor(options: SessionOptions, mounts: readonly MountedDirectory[]) {
    super(options, mounts, STOP);
    this.table = new FdTable(options.limits.openFiles);
    this.argv = encodeStrings([options.programName]);
    this.#guestPaths = mounts.map((mount) => UTF8_ENCODER.encode(mount.guestPath));
  }

  override begin(call: SessionCall): void {
    if (call.arguments !== this.arguments) {
      this.argv = encodeStrings([this.options.programName, ...call.arguments]);
    }
    if (call.environment !== this.environment) {
      this.environ = encodeStrings(Object.entries(call.environment).map(([key, value]) => `${key}=${value}`));
    }
    super.begin(call, this.memory.bytes.length);
    this.memory.countIn(this.counts);
    if (this.#isKept) return;
    const { streams } = call;
    const stdin = streams?.input === true ? new StreamedInput(this, streams.channel) : this.stdin;
    const stdout = streams?.output === true ? new StreamedOutput(this, streams.channel) : this.stdout;
    grant(stdin, STREAM_RIGHTS | RIGHTS.fdRead, 0);
    grant(stdout, STREAM_RIGHTS | RIGHTS.fdWrite, 0);
    grant(this.stderr, STREAM_RIGHTS | RIGHTS.fdWrite, 0);
    this.table.reset(stdin, stdout, this.stderr);
    if (this.mounts.length > 0) this.#openMounts();
  }

  #openMounts(): void {
    for (let i = 0; i < this.mounts.length; i++) {
      const root = (this.mounts[i] as MountedDirectory).open(this.sources);
      root.preopenPath = this.#guestPaths[i];
      root.fdflags = 0;
      grant(root, DIRECTORY_RIGHTS, INHERITING_RIGHTS);
      this.table.add(root);
    }
  }

  /** In place of `end`: what the guest has opened stays open for the next invocation. */
  keep(): void {
    super.end();
    this.pathBytes = NO_BYTES;
    this.#isKept = true;
  }

  /** Closes what the guest left open besides. */
  override end(): void {
    super.end();
    this.#isKept = false;
    this.table.clear();
    this.pathBytes = NO_BYTES;
  }

  /**
   * Reads a path into `pathBytes`: FAULT outside of the memory, NOENT when empty, NAMETOOLONG, INVAL with a NUL in it,
   * ILSEQ when it is not UTF-8.
   */
  path(pointer: number, length: number): number {
    const memory = this.memory;
    if (!memory.holds(pointer, length)) return ERRNO.fault;
    if (length === 0) return ERRNO.noent;
    if (length >= PATH_MAX_BYTES) return ERRNO.nametoolong;
    const bytes = memory.bytes.slice(pointer, pointer + length);
    if (bytes.includes(0)) return ERRNO.inval;
    if (!isUtf8(bytes)) return ERRNO.ilseq;
    this.pathBytes = bytes;
    return ERRNO.success;
  }
}
