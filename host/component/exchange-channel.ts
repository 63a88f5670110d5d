/**
 * A request and its response on their way between two threads, while the guest runs: two rings of frames in one
 * SharedArrayBuffer. The guest's thread waits for the other with Atomics.wait; the caller's never blocks.
 *
 * Layout: 16 Int32 cells, then the request's ring, then the response's. Cell 0 is bumped for the guest, cell 1 for the
 * caller; each ring has three cells: bytes written, bytes read (both wrap at 2^32), state. A frame is its kind (1 byte),
 * its length (4, little-endian) and its bytes; it becomes visible as a whole.
 */

const CELLS = 16;
const FRAME_HEADER_BYTES = 5;
/** Bytes of one ring, a power of two. */
export const RING_BYTES: number = 128 * 1024;

const GUEST_SIGNAL = 0;
const CALLER_SIGNAL = 1;
const REQUEST_CELL = 2;
const RESPONSE_CELL = 5;

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
  readonly #cell: number;
  /** Cells of those who wait for bytes, and of those who wait for room. */
  readonly #readerSignal: number;
  readonly #writerSignal: number;

  constructor(buffer: SharedArrayBuffer, direction: 'request' | 'response') {
    const isRequest = direction === 'request';
    this.#cells = new Int32Array(buffer, 0, CELLS);
    this.#data = new Uint8Array(buffer, CELLS * 4 + (isRequest ? 0 : RING_BYTES), RING_BYTES);
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
    return Math.max(0, RING_BYTES - used - FRAME_HEADER_BYTES);
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
    const at = position & (RING_BYTES - 1);
    const first = Math.min(bytes.length, RING_BYTES - at);
    if (first === bytes.length) {
      this.#data.set(bytes, at);
      return;
    }
    const all = Uint8Array.from(bytes);
    this.#data.set(all.subarray(0, first), at);
    this.#data.set(all.subarray(first), 0);
  }

  #get(position: number, length: number): Uint8Array {
    const at = position & (RING_BYTES - 1);
    const first = Math.min(length, RING_BYTES - at);
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

export function createChannel(): SharedArrayBuffer {
  return new SharedArrayBuffer(CELLS * 4 + 2 * RING_BYTES);
}

/** Makes a channel that is no longer in use as good as new. */
export function clearChannel(buffer: SharedArrayBuffer): void {
  new Int32Array(buffer, 0, CELLS).fill(0);
}

/** The cell that is bumped whenever something happened for the guest. */
export function guestSignal(buffer: SharedArrayBuffer): Int32Array {
  return new Int32Array(buffer, GUEST_SIGNAL * 4, 1);
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

  /** Wakes whoever waits. */
  wake(): void {
    Atomics.add(this.#cells, CALLER_SIGNAL, 1);
    Atomics.notify(this.#cells, CALLER_SIGNAL);
  }
}

const ENCODER: TextEncoder = new TextEncoder();
const DECODER: TextDecoder = new TextDecoder();

/** A value of JSON as bytes of frames. */
export function encodeMessage(value: unknown): Uint8Array {
  return ENCODER.encode(JSON.stringify(value));
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
  return JSON.parse(DECODER.decode(bytes)) as unknown;
}
