/**
 * A memory that is put back to the size it had, though V8's never shrinks: the pages beyond are closed (linux/closed-pages.ts)
 * until its guest grows again. Which instructions keep to that size, and how they are told: module/memory-size.ts.
 */

import { addressOf } from '../linux/memory.ts';
import { canClosePages, closePages, openPages } from '../linux/closed-pages.ts';
import { requireLibc } from '../linux/libc.ts';
import { asResizeFunction } from '../module/resize-function.ts';
import { STATE } from '../module/state-names.ts';
import { WASM_PAGE_BYTES } from '../wasm-page.ts';

/** Buffers of different sizes that are kept for when the memory has that size again. */
const MOST_BUFFERS = 8;

/** What keeps a memory for as long as a buffer of it is there that V8 does not know to be of it. */
const memoryOf = new WeakMap<ArrayBuffer, WebAssembly.Memory>();

export class SizedMemory {
  readonly memory: WebAssembly.Memory;
  readonly #size: WebAssembly.Global<'i32'>;
  readonly #closes: WebAssembly.Global<'i32'>;
  readonly #resize: WebAssembly.Table;
  readonly #buffers: Map<number, ArrayBuffer> = new Map();
  #address = 0;
  /** Bytes that are open, once pages were closed; those behind are closed as far as V8 had any then. */
  #openBytes = -1;
  #closedEnd = 0;
  /** Bytes of V8's buffer when that was looked at last. */
  #bufferBytes = 0;
  #isBroken = false;

  constructor(memory: WebAssembly.Memory, exports: WebAssembly.Exports) {
    this.memory = memory;
    this.#size = exports[STATE.size] as WebAssembly.Global<'i32'>;
    this.#closes = exports[STATE.closes] as WebAssembly.Global<'i32'>;
    this.#resize = exports[STATE.resize] as WebAssembly.Table;
  }

  /** Of an instance of a rewritten module; undefined where its memory has no size of its own. */
  static of(exports: WebAssembly.Exports): SizedMemory | undefined {
    return STATE.size in exports ? new SizedMemory(exports[STATE.memory] as WebAssembly.Memory, exports) : undefined;
  }

  /** What the guest has of it. */
  get sizeBytes(): number {
    return this.#openBytes < 0 ? this.memory.buffer.byteLength : this.#openBytes;
  }

  /** Whether pages of it were ever closed. */
  get hasShrunk(): boolean {
    return this.#openBytes >= 0;
  }

  /** Whether it cannot be put back any more. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** A buffer of what the guest has. */
  get buffer(): ArrayBuffer {
    if (this.#openBytes < 0) return this.memory.buffer;
    let buffer = this.#buffers.get(this.#openBytes);
    if (buffer === undefined) {
      if (this.#buffers.size >= MOST_BUFFERS) this.#buffers.clear();
      buffer = this.#openBytes === 0 ? new ArrayBuffer(0) : requireLibc().viewOf(this.#address, this.#openBytes);
      memoryOf.set(buffer, this.memory);
      this.#buffers.set(this.#openBytes, buffer);
    }
    return buffer;
  }

  /** Grows to at least a size, before the guest runs for the first time. */
  grow(sizeBytes: number): void {
    const missing = sizeBytes - this.memory.buffer.byteLength;
    if (missing <= 0) return;
    this.memory.grow(missing / WASM_PAGE_BYTES);
    this.#size.value = sizeBytes / WASM_PAGE_BYTES;
  }

  /** Takes back what the guest grew beyond a size; its own global is put back already. False where that cannot be done. */
  shrink(sizeBytes: number): boolean {
    if (this.#isBroken || !canClosePages()) return false;
    if (this.#openBytes < 0) {
      this.#address = addressOf(this.memory.buffer);
      this.#bufferBytes = this.memory.buffer.byteLength;
      this.#openBytes = this.#bufferBytes;
      this.#resize.set(
        0,
        asResizeFunction((pages) => (this.#resizeTo((pages >>> 0) * WASM_PAGE_BYTES) ? 1 : 0)),
      );
      this.#closes.value = 1;
    }
    return this.#resizeTo(sizeBytes) && !this.#isBroken;
  }

  /** Has just so much open: called by the guest's code, too, as it grows. False where that cannot be had. */
  #resizeTo(sizeBytes: number): boolean {
    const { byteLength } = this.memory.buffer;
    if (byteLength !== this.#bufferBytes && this.#hasMoved(byteLength)) return true;
    const from = this.#openBytes;
    // What V8 grew by is open.
    const closedTo = Math.min(sizeBytes, this.#closedEnd);
    const isDone =
      sizeBytes < from
        ? closePages(this.#address + sizeBytes, from - sizeBytes)
        : closedTo <= from || openPages(this.#address + from, closedTo - from);
    if (!isDone) {
      this.#isBroken = true;
      return false;
    }
    this.#openBytes = sizeBytes;
    this.#closedEnd = byteLength;
    return true;
  }

  /** Whether V8 has copied the memory to another place, where all of it is open: its guest grew to just that. */
  #hasMoved(byteLength: number): boolean {
    this.#bufferBytes = byteLength;
    const address = addressOf(this.memory.buffer);
    if (address === this.#address) return false;
    this.#isBroken = true;
    this.#address = address;
    this.#openBytes = byteLength;
    this.#closedEnd = byteLength;
    this.#buffers.clear();
    return true;
  }
}
