/** Reads and writes the WebAssembly binary format's primitives. Core specification, section 5.2. */

import { STRICT_UTF8_DECODER, UTF8_ENCODER } from '../bytes.ts';
import { NebulaError } from '../errors.ts';

/** Reads a binary from front to back; whatever does not fit is a MODULE_INVALID that names the byte. */
export class BinaryReader {
  readonly bytes: Uint8Array;
  readonly end: number;
  offset: number;

  constructor(bytes: Uint8Array, offset: number = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.offset = offset;
    this.end = end;
  }

  fail(detail: string, offset: number = this.offset): never {
    throw new NebulaError('MODULE_INVALID', { detail, offset });
  }

  get atEnd(): boolean {
    return this.offset >= this.end;
  }

  u8(): number {
    if (this.offset >= this.end) this.fail('unexpected end');
    return this.bytes[this.offset++] as number;
  }

  /** An unsigned LEB128 of at most 32 bits. */
  u32(): number {
    const { bytes } = this;
    const first = bytes[this.offset] as number;
    if (first < 0x80 && this.offset < this.end) {
      this.offset++;
      return first;
    }
    let result = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8();
      result += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) {
        if (result > 0xffff_ffff) this.fail('an integer of more than 32 bits');
        return result;
      }
    }
    return this.fail('an integer of more than 5 bytes');
  }

  /** A signed LEB128 of at most 33 bits, as block types have. */
  s33(): number {
    let result = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8();
      result += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return byte & 0x40 ? result - 2 ** (shift + 7) : result;
    }
    return this.fail('an integer of more than 5 bytes');
  }

  /** Passes over a LEB128 of at most `maximumBytes` bytes. */
  skipLeb(maximumBytes: number): void {
    for (let count = 0; count < maximumBytes; count++) if (this.u8() < 0x80) return;
    this.fail(`an integer of more than ${maximumBytes} bytes`);
  }

  skip(count: number): void {
    if (this.offset + count > this.end) this.fail('unexpected end', this.end);
    this.offset += count;
  }

  name(): string {
    const start = this.offset;
    const length = this.u32();
    const from = this.offset;
    this.skip(length);
    try {
      return STRICT_UTF8_DECODER.decode(this.bytes.subarray(from, from + length));
    } catch {
      return this.fail('a name that is not UTF-8', start);
    }
  }
}

/** Most writers hold one small function. */
const FIRST_BYTES = 48;

/** Gathers bytes. */
export class BinaryWriter {
  #bytes = new Uint8Array(FIRST_BYTES);
  #sizeBytes = 0;

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  u8(value: number): this {
    if (this.#sizeBytes === this.#bytes.length) this.#makeRoom(1);
    this.#bytes[this.#sizeBytes++] = value;
    return this;
  }

  raw(...values: readonly number[]): this {
    for (const value of values) this.u8(value);
    return this;
  }

  u32(value: number): this {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.u8((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    return this.u8(rest);
  }

  /** A signed LEB128 of 32 bits. */
  s32(value: number): this {
    let rest = value | 0;
    for (;;) {
      const low = rest & 0x7f;
      rest >>= 7;
      if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) return this.u8(low);
      this.u8(low | 0x80);
    }
  }

  bytes(bytes: Uint8Array): this {
    return this.run(bytes, 0, bytes.length);
  }

  /** A run of an existing binary. */
  run(bytes: Uint8Array, start: number, end: number): this {
    const count = end - start;
    if (count <= 0) return this;
    if (this.#sizeBytes + count > this.#bytes.length) this.#makeRoom(count);
    const target = this.#bytes;
    const at = this.#sizeBytes;
    // Making a view costs more than copying the few bytes between two edits.
    if (count < FIRST_BYTES)
      for (let index = 0; index < count; index++) target[at + index] = bytes[start + index] as number;
    else target.set(bytes.subarray(start, end), at);
    this.#sizeBytes = at + count;
    return this;
  }

  name(text: string): this {
    const encoded = UTF8_ENCODER.encode(text);
    return this.u32(encoded.length).bytes(encoded);
  }

  /** Appends another writer's content, preceded by its size. */
  sized(content: BinaryWriter): this {
    return this.u32(content.sizeBytes).append(content);
  }

  append(content: BinaryWriter): this {
    return this.run(content.#bytes, 0, content.#sizeBytes);
  }

  toBytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#sizeBytes);
  }

  #makeRoom(count: number): void {
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#sizeBytes + count));
    larger.set(this.#bytes.subarray(0, this.#sizeBytes));
    this.#bytes = larger;
  }
}
