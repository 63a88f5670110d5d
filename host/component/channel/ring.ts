/** One direction of a channel: frames, which one side writes and the other reads. Neither side ever blocks in it. */

import { CELL, CELLS, RING_BYTES } from './channel.ts';
import { bump } from './signal.ts';

const FRAME_HEADER_BYTES = 5;

/** Kinds of frames: a piece of body; a part of a message (message.ts), and the last part of it. */
export const FRAME = { piece: 1, part: 2, last: 3 } as const;

/**
 * States of a ring: its writer may write more, or has ended it; it broke off, which how the guest ended explains; or the
 * guest gave the response up and may still run.
 */
export const RING = { open: 0, ended: 1, broken: 2, givenUp: 3 } as const;

/** What is written to a ring at once. */
export interface Frame {
  /** One of FRAME. */
  readonly kind: number;
  readonly bytes: Uint8Array;
}

/** The request's ring or the response's, as either side sees it. */
export class Ring {
  readonly #cells: Int32Array;
  readonly #data: Uint8Array;
  readonly #sizeBytes: number;
  readonly #cell: number;
  /** Cells of those who wait for bytes, and of those who wait for room. */
  readonly #readerSignal: number;
  readonly #writerSignal: number;

  constructor(channel: SharedArrayBuffer, direction: 'request' | 'response') {
    const isRequest = direction === 'request';
    this.#cells = new Int32Array(channel, 0, CELLS);
    this.#sizeBytes = isRequest ? RING_BYTES : channel.byteLength - CELLS * 4 - RING_BYTES;
    this.#data = new Uint8Array(channel, CELLS * 4 + (isRequest ? 0 : RING_BYTES), this.#sizeBytes);
    this.#cell = isRequest ? CELL.request : CELL.response;
    this.#readerSignal = isRequest ? CELL.guestSignal : CELL.callerSignal;
    this.#writerSignal = isRequest ? CELL.callerSignal : CELL.guestSignal;
  }

  /** One of RING. */
  get state(): number {
    return Atomics.load(this.#cells, this.#cell + 2);
  }

  /** Bytes the next frame may have. */
  room(): number {
    return Math.max(0, this.#sizeBytes - this.sizeBytes - FRAME_HEADER_BYTES);
  }

  /** Bytes that were written and not read, with what frames take of them. */
  get sizeBytes(): number {
    return (Atomics.load(this.#cells, this.#cell) - Atomics.load(this.#cells, this.#cell + 1)) >>> 0;
  }

  /** Whether `read` has something. */
  hasFrame(): boolean {
    return Atomics.load(this.#cells, this.#cell) !== Atomics.load(this.#cells, this.#cell + 1);
  }

  /** Writes one frame; its bytes must fit into `room`. */
  write(kind: number, bytes: Uint8Array): void {
    const start = Atomics.load(this.#cells, this.#cell);
    const { length } = bytes;
    this.#put(start, [kind, length & 255, (length >>> 8) & 255, (length >>> 16) & 255, length >>> 24]);
    this.#put(start + FRAME_HEADER_BYTES, bytes);
    Atomics.store(this.#cells, this.#cell, (start + FRAME_HEADER_BYTES + length) | 0);
    bump(this.#cells, this.#readerSignal);
  }

  /** The next frame, its bytes copied; undefined when there is none. */
  read(): Frame | undefined {
    if (!this.hasFrame()) return undefined;
    const start = Atomics.load(this.#cells, this.#cell + 1);
    const header = this.#get(start, FRAME_HEADER_BYTES);
    const length = new DataView(header.buffer).getUint32(1, true);
    const bytes = this.#get(start + FRAME_HEADER_BYTES, length);
    Atomics.store(this.#cells, this.#cell + 1, (start + FRAME_HEADER_BYTES + length) | 0);
    bump(this.#cells, this.#writerSignal);
    return { kind: header[0] as number, bytes };
  }

  /** Ends or breaks it, for both sides to see; what was ended or broken before stays so. */
  close(state: number): void {
    Atomics.compareExchange(this.#cells, this.#cell + 2, RING.open, state);
    bump(this.#cells, this.#readerSignal);
    bump(this.#cells, this.#writerSignal);
  }

  #put(position: number, bytes: ArrayLike<number>): void {
    const at = position & (this.#sizeBytes - 1);
    const first = Math.min(bytes.length, this.#sizeBytes - at);
    if (first === bytes.length) {
      this.#data.set(bytes, at);
      return;
    }
    const all = Uint8Array.from(bytes);
    this.#data.set(all.subarray(0, first), at);
    this.#data.set(all.subarray(first), 0);
  }

  #get(position: number, length: number): Uint8Array {
    const at = position & (this.#sizeBytes - 1);
    const first = Math.min(length, this.#sizeBytes - at);
    const bytes = new Uint8Array(length);
    bytes.set(this.#data.subarray(at, at + first));
    if (first < length) bytes.set(this.#data.subarray(0, length - first), first);
    return bytes;
  }
}
