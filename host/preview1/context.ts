/**
 * What the host functions of one guest share: its memory, descriptors, streams, clocks and randomness, and how it ended.
 * One per micro-VM, put back by `begin` for each invocation.
 */

import { isUtf8 } from 'node:buffer';
import { NO_BYTES, UTF8_ENCODER } from '../bytes.ts';
import type { Capabilities } from '../capabilities.ts';
import type { ComponentCall } from '../component/channel/component-call.ts';
import type { Descriptor, Result } from '../filesystem/descriptor.ts';
import type { GuestSources, MountedDirectory } from '../filesystem/mount.ts';
import { InputBuffer, OutputBuffer } from '../filesystem/stdio.ts';
import type { Limits } from '../limits.ts';
import type { Ending } from '../outcome.ts';
import type { PassOn } from '../pass-on.ts';
import { COUNT, ownCounts, type RunRecord } from '../run-record.ts';
import { CLOCKID } from '../wasi/clock-id.ts';
import { ERRNO } from '../wasi/errno.ts';
import { FILETYPE } from '../wasi/filetype.ts';
import { PATH_MAX_BYTES } from '../wasi/paths.ts';
import { RandomSource } from '../wasi/random-source.ts';
import { TimeSource } from '../wasi/time-source.ts';
import { DIRECTORY_RIGHTS, INHERITING_RIGHTS, RIGHTS, STREAM_RIGHTS } from './abi.ts';
import { FdTable } from './fd-table.ts';
import { GuestMemory } from './guest-memory.ts';
import type { MissingImport } from './missing-imports.ts';
import { STOP } from './stop.ts';
import { encodeStrings, type StringList } from './string-list.ts';

export interface Preview1Options {
  readonly programName: string;
  readonly limits: Limits;
  readonly capabilities: Capabilities;
  /** Names of the functions the guest imports; all of them when it is not known. */
  readonly imported?: ReadonlySet<string>;
  /** Functions the guest imports that nobody has: each is a trap. */
  readonly missing?: readonly MissingImport[];
}

/** What one invocation gives the guest. */
export interface GuestCall {
  readonly input: Uint8Array;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Where what it writes goes as it comes. */
  readonly passOn?: PassOn | undefined;
  /** What a component is asked for besides. */
  readonly component?: ComponentCall | undefined;
  /** Where it is kept what the guest writes and uses, in place of memory of the guest's own. */
  readonly record?: RunRecord | undefined;
}

export class Context {
  readonly memory: GuestMemory = new GuestMemory();
  readonly table: FdTable;
  readonly stdin: InputBuffer = new InputBuffer();
  readonly stdout: OutputBuffer;
  readonly stderr: OutputBuffer;
  readonly time: TimeSource;
  readonly random: RandomSource;
  readonly reads: { random: boolean; clock: boolean } = { random: false, clock: false };
  readonly result: Result = emptyResult();
  readonly options: Preview1Options;
  arguments: StringList;
  environment: StringList;
  /** The path `path` has read last. */
  pathBytes: Uint8Array = NO_BYTES;
  ending: Ending | undefined = undefined;
  #counts: Float64Array = ownCounts();
  #stopped = false;
  readonly #mounts: readonly MountedDirectory[];
  readonly #guestPaths: readonly Uint8Array[];
  /** Times of files are the guest's clock's: a fixed clock must not be told apart from them. So is what devices give. */
  readonly #sources: GuestSources = {
    nowNs: () => this.time.nowNs(CLOCKID.realtime),
    fillRandom: (target) => {
      this.reads.random = true;
      this.random.fill(target, 0, target.length);
    },
  };
  #lastArguments: readonly string[] | undefined = undefined;
  #lastEnvironment: Readonly<Record<string, string>> | undefined = undefined;

  constructor(options: Preview1Options, mounts: readonly MountedDirectory[]) {
    const { limits, capabilities } = options;
    this.options = options;
    this.table = new FdTable(limits.openFiles);
    this.stdout = new OutputBuffer('outputBytes', limits.outputBytes);
    this.stderr = new OutputBuffer('stderrBytes', limits.stderrBytes);
    this.time = new TimeSource(capabilities.clocks);
    this.random = new RandomSource(capabilities.random);
    this.arguments = encodeStrings([options.programName]);
    this.environment = encodeStrings([]);
    this.#mounts = mounts;
    this.#guestPaths = mounts.map((mount) => UTF8_ENCODER.encode(mount.guestPath));
  }

  begin(call: GuestCall): void {
    this.ending = undefined;
    this.#stopped = false;
    this.#count(call.record?.counts);
    this.reads.random = false;
    this.reads.clock = false;
    this.random.restart();
    if (call.arguments !== this.#lastArguments) {
      this.#lastArguments = call.arguments;
      this.arguments = encodeStrings([this.options.programName, ...call.arguments]);
    }
    if (call.environment !== this.#lastEnvironment) {
      this.#lastEnvironment = call.environment;
      this.environment = encodeStrings(Object.entries(call.environment).map(([key, value]) => `${key}=${value}`));
    }
    this.stdin.reset(call.input, this.#counts);
    this.stdout.reset(call.record?.stdout, call.passOn?.stdout);
    this.stderr.reset(call.record?.stderr, call.passOn?.stderr);
    grant(this.stdin, STREAM_RIGHTS | RIGHTS.fdRead, 0);
    grant(this.stdout, STREAM_RIGHTS | RIGHTS.fdWrite, 0);
    grant(this.stderr, STREAM_RIGHTS | RIGHTS.fdWrite, 0);
    this.table.reset(this.stdin, this.stdout, this.stderr);
    call.record?.begin();
    if (this.#mounts.length > 0) this.#openMounts();
  }

  /** Calls from the guest since `begin`. */
  get hostCalls(): number {
    return this.#counts[COUNT.hostCalls] as number;
  }

  /** Counts in the memory of a record, or in its own. */
  #count(counts: Float64Array | undefined): void {
    if (counts !== undefined) this.#counts = counts;
    this.#counts[COUNT.hostCalls] = 0;
    this.#counts[COUNT.inputBytes] = 0;
    this.#counts[COUNT.bodyBytes] = 0;
    this.memory.countIn(this.#counts);
  }

  #openMounts(): void {
    for (let i = 0; i < this.#mounts.length; i++) {
      const root = (this.#mounts[i] as MountedDirectory).open(this.#sources);
      root.preopenPath = this.#guestPaths[i];
      root.fdflags = 0;
      grant(root, DIRECTORY_RIGHTS, INHERITING_RIGHTS);
      this.table.add(root);
    }
  }

  /** Closes what the guest left open and lets go of the input. */
  end(): void {
    this.table.clear();
    this.stdin.release();
    this.pathBytes = NO_BYTES;
  }

  /** Called first by each host function. */
  enter(): void {
    // A guest with exception handling can catch STOP: it gets no further.
    if (this.#stopped) throw STOP;
    this.#counts[COUNT.hostCalls] = this.hostCalls + 1;
  }

  /**
   * Ends the guest: the host function throws what this answers. It is thrown there because each JavaScript frame between
   * throw and guest adds to what it costs (1.4 us from the host function itself, 3.2 us from one frame below).
   */
  stop(ending: Ending): typeof STOP {
    this.ending = ending;
    this.#stopped = true;
    return STOP;
  }

  /** Passes an errno on; one that says a capability is missing ends the guest where the manifest asks for that. */
  settle(errno: number, capability: string): number {
    if (errno === ERRNO.success || this.options.capabilities.denial === 'errno') return errno;
    if (errno === ERRNO.notcapable || errno === ERRNO.rofs) throw this.stop({ kind: 'denied', capability });
    return errno;
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

/** Gives a descriptor its rights, none of them dropped. */
export function grant(descriptor: Descriptor, base: number, inheriting: number): void {
  descriptor.rightsBase = base;
  descriptor.rightsInheriting = inheriting;
  descriptor.droppedBase = 0;
  descriptor.droppedInheriting = 0;
}

function emptyResult(): Result {
  return {
    count: 0,
    offset: 0n,
    descriptor: undefined,
    bytes: NO_BYTES,
    stat: {
      dev: 0n,
      ino: 0n,
      filetype: FILETYPE.unknown,
      nlink: 0n,
      sizeBytes: 0n,
      atimNs: 0n,
      mtimNs: 0n,
      ctimNs: 0n,
    },
  };
}
