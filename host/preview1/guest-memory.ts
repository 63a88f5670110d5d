/** The guest's memory behind bounds checks: pointers are u32, and one that leads outside is errno FAULT, never an exception. */

import type { Filestat } from '../filesystem/descriptor.ts';
import { COUNT } from '../wasi/session/record-layout.ts';
import { SIZE } from './abi.ts';

const NO_MEMORY = new ArrayBuffer(0);

/** A memory of which the guest has less than there is. */
export interface Sized {
  readonly sizeBytes: number;
}

/** Views of the guest's memory, made anew when it has grown; sizes in bytes. */
export class GuestMemory {
  bytes: Uint8Array = new Uint8Array(NO_MEMORY);
  view: DataView = new DataView(NO_MEMORY);
  #memory: WebAssembly.Memory | undefined = undefined;
  #sized: Sized | undefined = undefined;
  #counts: Float64Array | undefined = undefined;

  /** Takes the memory of an instance; without one every pointer is out of bounds. Its guest may have less than all of it. */
  bind(memory: WebAssembly.Memory | undefined, sized?: Sized): void {
    this.#memory = memory;
    this.#sized = sized;
    this.refresh();
  }

  /** Has its size told there whenever it is found to have grown. */
  countIn(counts: Float64Array): void {
    this.#counts = counts;
  }

  /** Whether `length` bytes from `pointer` on are inside. Must precede every use of `bytes` and `view`. */
  holds(pointer: number, length: number): boolean {
    // A grown memory detaches its old buffer, whose views then have length 0: they fail here first.
    return pointer + length <= this.bytes.length || this.#holdsGrown(pointer, length);
  }

  #holdsGrown(pointer: number, length: number): boolean {
    this.refresh();
    return pointer + length <= this.bytes.length;
  }

  /** To be called once the memory has shrunk: what is beyond its end must not be touched. */
  refresh(): void {
    const buffer = this.#memory === undefined ? NO_MEMORY : this.#memory.buffer;
    const sizeBytes = this.#sized?.sizeBytes ?? buffer.byteLength;
    if (buffer === this.bytes.buffer && sizeBytes === this.bytes.length) return;
    this.bytes = new Uint8Array(buffer, 0, sizeBytes);
    this.view = new DataView(buffer, 0, sizeBytes);
    if (this.#counts !== undefined) this.#counts[COUNT.memoryBytes] = sizeBytes;
  }

  /**
   * Writes a `filestat`; `pointer` must be inside.
   *
   *     0 dev u64 | 8 ino u64 | 16 filetype u8 | 24 nlink u64 | 32 size u64 | 40 atim u64 | 48 mtim u64 | 56 ctim u64
   *
   * The 56 bytes of `wasi_unstable` have nlink as u32 at 20, and size and times 8 bytes earlier.
   */
  writeFilestat(pointer: number, stat: Filestat, sizeBytes: number): void {
    const view = this.view;
    view.setBigUint64(pointer, stat.dev, true);
    view.setBigUint64(pointer + 8, stat.ino, true);
    view.setBigUint64(pointer + 16, BigInt(stat.filetype), true);
    if (sizeBytes === SIZE.filestat) view.setBigUint64(pointer + 24, stat.nlink, true);
    else view.setUint32(pointer + 20, Number(BigInt.asUintN(32, stat.nlink)), true);
    const rest = pointer + sizeBytes - 32;
    view.setBigUint64(rest, stat.sizeBytes, true);
    view.setBigUint64(rest + 8, stat.atimNs, true);
    view.setBigUint64(rest + 16, stat.mtimNs, true);
    view.setBigUint64(rest + 24, stat.ctimNs, true);
  }
}
