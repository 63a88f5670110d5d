/**
 * A request and its response on their way between two threads, while the guest runs: two rings of frames in one
 * SharedArrayBuffer. The guest's thread waits for the other with Atomics.wait; the caller's never blocks.
 *
 * Layout: 16 Int32 cells, then the request's ring, then the response's. Each ring has three cells: bytes written, bytes
 * read (both wrap at 2^32), state. A frame is its kind (1 byte), its length (4, little-endian) and its bytes; it becomes
 * visible as a whole.
 */

/** Int32 cells before the rings. */
export const CELLS = 16;

/** Which cell is what; `request` and `response` are the first of three. */
export const CELL = {
  /** Bumped for the guest, and for the caller (signal.ts). */
  guestSignal: 0,
  callerSignal: 1,
  request: 2,
  response: 5,
  /** What the guest does, and whether it is to stop. */
  guest: 8,
  stop: 9,
} as const;

/** Bytes of the request's ring, and the least of the response's; a power of two, as the response's is. */
export const RING_BYTES: number = 128 * 1024;

/**
 * A channel that holds a response's `bufferBytes`, rounded up, for a caller who reads slower than the guest writes. It takes memory
 * as it is written to: V8 reserves pages for a buffer that may grow, and has others zeroed by the C library, all of them.
 */
export function createChannel(bufferBytes: number = RING_BYTES): SharedArrayBuffer {
  const sizeBytes = CELLS * 4 + RING_BYTES + ringBytes(bufferBytes);
  return new SharedArrayBuffer(sizeBytes, { maxByteLength: sizeBytes });
}

function ringBytes(leastBytes: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(RING_BYTES, leastBytes)));
}

/** Whether a channel is as long as `createChannel` makes it for that many bytes. */
export function channelFits(channel: SharedArrayBuffer, bufferBytes: number): boolean {
  return channel.byteLength === CELLS * 4 + RING_BYTES + ringBytes(bufferBytes);
}

/** Whether a response has filled more of a channel's memory than the least one has. */
export function isFilled(channel: SharedArrayBuffer): boolean {
  const [written = 0] = new Uint32Array(channel, CELL.response * 4, 1);
  return written > RING_BYTES;
}

/** Makes a channel that is no longer in use as good as new. */
export function clearChannel(channel: SharedArrayBuffer): void {
  new Int32Array(channel, 0, CELLS).fill(0);
}
