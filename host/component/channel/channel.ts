/**
 * A request and its response on their way between two threads, while the guest runs: two rings of frames in one
 * SharedArrayBuffer. The guest's thread waits for the other with Atomics.wait; the caller's never blocks.
 *
 * Layout: 16 Int32 cells, then the request's ring, then the response's. Cell 0 is bumped for the guest, cell 1 for the
 * caller; each ring has three cells: bytes written, bytes read (both wrap at 2^32), state. Cell 8 says that the guest
 * runs, or waits for the other side, cell 9 that it is to stop. A frame is its kind (1 byte), its length (4, little-endian)
 * and its bytes; it becomes visible as a whole.
 */

import { UTF8_DECODER, UTF8_ENCODER } from '../../bytes.ts';

const CELLS = 16;
const FRAME_HEADER_BYTES = 5;
/** Bytes of the request's ring, and the least of the response's; a power of two, as the response's is. */
export const RING_BYTES: number = 128 * 1024;

const GUEST_SIGNAL = 0;
const CALLER_SIGNAL = 1;
const REQUEST_CELL = 2;
const RESPONSE_CELL = 5;
const GUEST_CELL = 8;
const STOP_CELL = 9;

/** Kinds of frames: a piece of body; a piece of a head, of trailers or of a value, and the last piece of it. */
export const FRAME = { data: 1, part: 2, last: 3 } as const;

/**
 * States of a ring: its writer may write more, or has ended it; it broke off, which how the guest ended explains; or the
 * guest gave the response up and may still run.
 */
export const RING = { open: 0, ended: 1, broken: 2, givenUp: 3 } as const;

export interface Frame {
  readonly kind: number;
  readonly bytes: Uint8Array;
}

export class Ring {
  readonly #cells: Int32Array;
  readonly #data: Uint8Array;
  readonly #sizeBytes: number;
  readonly #cell: number;
  /** Cells of those who wait for bytes, and of those who wait for room. */
  readonly #readerSignal: number;
  readonly #writerSignal: number;

  constructor(buffer: SharedArrayBuffer, direction: 'request' | 'response') {
    const isRequest = direction === 'request';
    this.#cells = new Int32Array(buffer, 0, CELLS);
    this.#sizeBytes = isRequest ? RING_BYTES : buffer.byteLength - CELLS * 4 - RING_BYTES;
    this.#data = new Uint8Array(buffer, CELLS * 4 + (isRequest ? 0 : RING_BYTES), this.#sizeBytes);
    this.#cell = isRequest ? REQUEST_CELL : RESPONSE_CELL;
    this.#readerSignal = isRequest ? GUEST_SIGNAL : CALLER_SIGNAL;
    this.#writerSignal = isRequest ? CALLER_SIGNAL : GUEST_SIGNAL;
  }

  get state(): number {
    return Atomics.load(this.#cells, this.#cell + 2);
  }

  /** Bytes the next frame may have. */
  room(): number {
    const used = (Atomics.load(this.#cells, this.#cell) - Atomics.load(this.#cells, this.#cell + 1)) >>> 0;
    return Math.max(0, this.#sizeBytes - used - FRAME_HEADER_BYTES);
  }

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
    this.#signal(this.#readerSignal);
  }

  /** The next frame, its bytes copied; undefined when there is none. */
  read(): Frame | undefined {
    if (!this.hasFrame()) return undefined;
    const start = Atomics.load(this.#cells, this.#cell + 1);
    const header = this.#get(start, FRAME_HEADER_BYTES);
    const length = new DataView(header.buffer).getUint32(1, true);
    const bytes = this.#get(start + FRAME_HEADER_BYTES, length);
    Atomics.store(this.#cells, this.#cell + 1, (start + FRAME_HEADER_BYTES + length) | 0);
    this.#signal(this.#writerSignal);
    return { kind: header[0] as number, bytes };
  }

  /** Ends or breaks it, for both sides to see; what was ended or broken before stays so. */
  close(state: number): void {
    Atomics.compareExchange(this.#cells, this.#cell + 2, RING.open, state);
    this.#signal(this.#readerSignal);
    this.#signal(this.#writerSignal);
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

  #signal(cell: number): void {
    Atomics.add(this.#cells, cell, 1);
    Atomics.notify(this.#cells, cell);
  }
}

/** A channel that holds a response's `bufferBytes`, rounded up, for a caller who reads slower than the guest writes. */
export function createChannel(bufferBytes: number = RING_BYTES): SharedArrayBuffer {
  return new SharedArrayBuffer(CELLS * 4 + RING_BYTES + ringBytes(bufferBytes));
}

function ringBytes(leastBytes: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(RING_BYTES, leastBytes)));
}

/** Whether a channel is as long as `createChannel` makes it for that many bytes. */
export function channelFits(buffer: SharedArrayBuffer, bufferBytes: number): boolean {
  return buffer.byteLength === CELLS * 4 + RING_BYTES + ringBytes(bufferBytes);
}

/** Whether a response has filled more of a channel's memory than the least one has. */
export function isFilled(buffer: SharedArrayBuffer): boolean {
  const [written = 0] = new Uint32Array(buffer, RESPONSE_CELL * 4, 1);
  return written > RING_BYTES;
}

/** Makes a channel that is no longer in use as good as new. */
export function clearChannel(buffer: SharedArrayBuffer): void {
  new Int32Array(buffer, 0, CELLS).fill(0);
}

/** The cells a guest waits on: the first is bumped whenever something happened for it. */
export function guestSignal(buffer: SharedArrayBuffer): Int32Array {
  return new Int32Array(buffer, GUEST_SIGNAL * 4, CELLS);
}

/** The same for a guest that has no channel: others may bump it, and nobody stops it. */
export function ownSignal(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(CELLS * 4));
}

/** What a guest does: it runs, or it waits for its caller and for nothing else. */
export const GUEST = { running: 0, waitingForCaller: 1 } as const;

/** Tells the caller what its guest does. */
export function tellCaller(signal: Int32Array, state: number): void {
  Atomics.store(signal, GUEST_CELL, state);
}

/** Whether the caller wants the guest stopped. */
export function isToStop(signal: Int32Array): boolean {
  return Atomics.load(signal, STOP_CELL) !== 0;
}

/** `Atomics.waitAsync` of ES2024, which Node has since 16. */
type WaitAsync = (
  cells: Int32Array,
  index: number,
  value: number,
) => { readonly async: false; readonly value: string } | { readonly async: true; readonly value: Promise<string> };

const waitAsync: WaitAsync = (Atomics as unknown as { readonly waitAsync: WaitAsync }).waitAsync;

/** The caller's side of waiting: look at `seen`, look for work, and wait if there was none. */
export class CallerSignal {
  readonly #cells: Int32Array;

  constructor(buffer: SharedArrayBuffer) {
    this.#cells = new Int32Array(buffer, 0, CELLS);
  }

  seen(): number {
    return Atomics.load(this.#cells, CALLER_SIGNAL);
  }

  /** Resolves when something has happened since `seen`. */
  async changed(seen: number): Promise<void> {
    await waitAsync(this.#cells, CALLER_SIGNAL, seen).value;
  }

  /** Whether the guest waits for this side: for a body to go on, or for room in its response. */
  get isAwaited(): boolean {
    return Atomics.load(this.#cells, GUEST_CELL) === GUEST.waitingForCaller;
  }

  /** Has the guest stop when it next waits, which may be now. */
  stopGuest(): void {
    Atomics.store(this.#cells, STOP_CELL, 1);
    Atomics.add(this.#cells, GUEST_SIGNAL, 1);
    Atomics.notify(this.#cells, GUEST_SIGNAL);
  }

  /** Wakes whoever waits. */
  wake(): void {
    Atomics.add(this.#cells, CALLER_SIGNAL, 1);
    Atomics.notify(this.#cells, CALLER_SIGNAL);
  }
}

/** A value of JSON as bytes of frames. */
export function encodeMessage(value: unknown): Uint8Array {
  return UTF8_ENCODER.encode(JSON.stringify(value));
}

/** Joins the pieces of one message. */
export class MessageReader {
  #parts: Uint8Array[] = [];

  /** The whole message once its last piece is here. */
  add(frame: Frame): Uint8Array | undefined {
    this.#parts.push(frame.bytes);
    if (frame.kind !== FRAME.last) return undefined;
    const whole = Buffer.concat(this.#parts);
    this.#parts = [];
    return whole;
  }
}

export function decodeMessage(bytes: Uint8Array): unknown {
  return JSON.parse(UTF8_DECODER.decode(bytes)) as unknown;
}
