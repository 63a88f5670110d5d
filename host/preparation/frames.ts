/**
 * Messages over a pipe: JSON, and the bytes it refers to raw behind it, so that tens of megabytes are neither copied into
 * a string nor parsed. A frame is two u32 (bytes of the JSON, number of parts), a u32 for the size of each part, the JSON,
 * the parts; all little-endian. In the JSON `{ "part": n }` stands for the bytes of part n.
 */

import { NO_BYTES, UTF8_DECODER } from '../bytes.ts';

const PREFIX_BYTES = 8;
const SIZE_BYTES = 4;

/** The pieces of a frame, to be written one after the other. The parts are not copied. */
export function encodeFrame(message: unknown): Uint8Array[] {
  const parts: Uint8Array[] = [];
  const json = JSON.stringify(withReferences(message, parts));
  const head = Buffer.from(json);
  const prefix = Buffer.alloc(PREFIX_BYTES + parts.length * SIZE_BYTES);
  prefix.writeUInt32LE(head.length, 0);
  prefix.writeUInt32LE(parts.length, SIZE_BYTES);
  parts.forEach((part, index) => prefix.writeUInt32LE(part.length, PREFIX_BYTES + index * SIZE_BYTES));
  return [prefix, head, ...parts];
}

/**
 * A message whose bytes are in `parts`. JSON would ask a Buffer for an object of its numbers before anyone can put something in
 * its place, which takes longer than a second where it has tens of megabytes.
 */
function withReferences(message: unknown, parts: Uint8Array[]): unknown {
  if (message instanceof Uint8Array) return { part: parts.push(message) - 1 };
  if (Array.isArray(message)) return message.map((each) => withReferences(each, parts));
  if (typeof message !== 'object' || message === null) return message;
  return Object.fromEntries(Object.entries(message).map(([name, value]) => [name, withReferences(value, parts)]));
}

/** Puts frames together from the chunks that a pipe gives. Each part has an ArrayBuffer of its own. */
export class FrameReader {
  readonly #steps: Generator<number, never, Uint8Array<ArrayBuffer>>;
  #target: Uint8Array<ArrayBuffer>;
  #filled = 0;

  /** A frame of more than `limitBytes` makes `push` throw a RangeError. */
  constructor(limitBytes: number, onMessage: (message: unknown) => void) {
    this.#steps = readFrames(limitBytes, onMessage);
    this.#target = new Uint8Array(this.#steps.next().value);
  }

  push(chunk: Uint8Array): void {
    let offset = 0;
    while (offset < chunk.length) {
      const piece = chunk.subarray(offset, offset + this.#target.length - this.#filled);
      this.#target.set(piece, this.#filled);
      this.#filled += piece.length;
      offset += piece.length;
      while (this.#filled === this.#target.length) {
        this.#target = new Uint8Array(this.#steps.next(this.#target).value);
        this.#filled = 0;
      }
    }
  }
}

/** Yields how many bytes it wants next. */
function* readFrames(
  limitBytes: number,
  onMessage: (message: unknown) => void,
): Generator<number, never, Uint8Array<ArrayBuffer>> {
  for (;;) {
    const prefix = viewOf(yield PREFIX_BYTES);
    const headBytes = prefix.getUint32(0, true);
    const count = prefix.getUint32(SIZE_BYTES, true);
    refuseOversize(headBytes + count * SIZE_BYTES, limitBytes);
    const sizes = viewOf(count === 0 ? NO_BYTES : yield count * SIZE_BYTES);
    const partBytes = Array.from({ length: count }, (_, index) => sizes.getUint32(index * SIZE_BYTES, true));
    refuseOversize(
      partBytes.reduce((sum, size) => sum + size, headBytes),
      limitBytes,
    );
    const head = UTF8_DECODER.decode(yield headBytes);
    const parts: Uint8Array[] = [];
    for (const size of partBytes) parts.push(size === 0 ? NO_BYTES : yield size);
    onMessage(JSON.parse(head, (_, value: unknown) => (isReference(value) ? parts[value.part] : value)));
  }
}

function viewOf(bytes: Uint8Array<ArrayBuffer>): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function refuseOversize(sizeBytes: number, limitBytes: number): void {
  if (sizeBytes > limitBytes) throw new RangeError(`a frame of ${sizeBytes} bytes: the limit is ${limitBytes}`);
}

function isReference(value: unknown): value is { readonly part: number } {
  if (typeof value !== 'object' || value === null || !('part' in value)) return false;
  return typeof value.part === 'number' && Object.keys(value).length === 1;
}
