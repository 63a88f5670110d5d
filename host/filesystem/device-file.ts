/**
 * `/dev/null`, `/dev/zero` and `/dev/urandom`, where a mount grants them by name. They are the host's own: no device of
 * the machine is opened for a guest, and what is random comes from the guest's source. Sources: null(4), random(4).
 */

import type { DeviceName } from '../capabilities/mounts/schema.ts';
import { ERRNO } from '../wasi/errno.ts';
import { FILETYPE } from '../wasi/filetype.ts';
import { changedFlags } from '../wasi/flags.ts';
import { Descriptor, type Filestat, type OpenRequest, type Result } from './descriptor.ts';
import type { GuestSources } from './mount.ts';

/** Major and minor number of each, on Linux. */
const NUMBERS: Readonly<Record<DeviceName, readonly [major: number, minor: number]>> = {
  null: [1, 3],
  zero: [1, 5],
  urandom: [1, 9],
};

/** The granted device that a device number stands for. */
export function findDevice(granted: readonly DeviceName[], major: number, minor: number): DeviceName | undefined {
  return granted.find((name) => NUMBERS[name][0] === major && NUMBERS[name][1] === minor);
}

/** An open device, whatever kind of mount it was found on. */
export class DeviceFile extends Descriptor {
  override readonly filetype: number = FILETYPE.characterDevice;
  readonly #name: DeviceName;
  readonly #isReadable: boolean;
  readonly #isWritable: boolean;
  readonly #fillRandom: GuestSources['fillRandom'];
  readonly #stat: (stat: Filestat) => void;

  /** `stat` fills in what the entry says of itself. */
  constructor(name: DeviceName, request: OpenRequest, sources: GuestSources, stat: (stat: Filestat) => void) {
    super();
    this.#name = name;
    this.#isReadable = request.isForReading;
    this.#isWritable = request.isForWriting;
    this.#fillRandom = sources.fillRandom;
    this.#stat = stat;
  }

  override read(target: Uint8Array, result: Result): number {
    if (!this.#isReadable) return ERRNO.badf;
    if (this.#name === 'urandom') this.#fillRandom(target);
    else if (this.#name === 'zero') target.fill(0);
    result.count = this.#name === 'null' ? 0 : target.length;
    return ERRNO.success;
  }

  override pread(target: Uint8Array, _offset: bigint, result: Result): number {
    return this.read(target, result);
  }

  /** Whatever is written is gone. */
  override write(source: Uint8Array, result: Result): number {
    if (!this.#isWritable) return ERRNO.badf;
    result.count = source.length;
    return ERRNO.success;
  }

  override pwrite(source: Uint8Array, _offset: bigint, result: Result): number {
    return this.write(source, result);
  }

  override seek(_delta: bigint, _whence: number, result: Result): number {
    result.offset = 0n;
    return ERRNO.success;
  }

  override stat(result: Result): number {
    this.#stat(result.stat);
    return ERRNO.success;
  }

  override setFlags(fdflags: number): number {
    const changed = changedFlags(this.fdflags, fdflags);
    if (changed === undefined) return ERRNO.inval;
    this.fdflags = changed;
    return ERRNO.success;
  }

  override advise(_offset: bigint, _length: bigint, _advice: number): number {
    return ERRNO.success;
  }

  override setTimes(_atimNs: bigint, _mtimNs: bigint, _fstflags: number): number {
    return ERRNO.perm;
  }

  override sync(): number {
    return ERRNO.inval;
  }
}
