/** Memory beside a slot, for requests and answers that are too long for it: kept from call to call, and grown to what is needed. */

import { releaseShared } from '../../host/linux/memory.ts';

/** The least that is made, in bytes. */
const LEAST_BYTES = 65_536;

/** The room of one slot, in the worker that makes it. */
export class Room {
  #bytes: Uint8Array<SharedArrayBuffer> | undefined = undefined;
  /** The most that was used since the last look, and that may hold pages of the machine's. */
  #mostBytes = 0;
  #filledBytes = 0;

  /** Memory for what was asked for last, or longer. */
  get bytes(): Uint8Array {
    if (this.#bytes === undefined) throw new Error('A slot has no room yet');
    return this.#bytes;
  }

  /** Whether it may hold pages of the machine's. */
  get isFilled(): boolean {
    return this.#filledBytes > 0;
  }

  /**
   * Has it hold `length` bytes, what was in it left out. Answers memory that was made for that, which the other side does not
   * know yet; undefined where what there is holds them. Lengths are doubled, so that few are made where they grow.
   */
  make(length: number): SharedArrayBuffer | undefined {
    const known = this.#bytes;
    const isNew = known === undefined || known.length < length;
    if (isNew) {
      this.release();
      const sizeBytes = doubledBytes(Math.max(LEAST_BYTES, length));
      // One that may grow has pages of its own, which take memory as they are written to.
      this.#bytes = new Uint8Array(new SharedArrayBuffer(sizeBytes, { maxByteLength: sizeBytes }));
    }
    this.#mostBytes = Math.max(this.#mostBytes, length);
    this.#filledBytes = Math.max(this.#filledBytes, length);
    return isNew ? this.#bytes?.buffer : undefined;
  }

  /** Gives back pages beyond what was used since the last look. Only while no call uses it. */
  trim(): void {
    if (this.#bytes !== undefined && this.#filledBytes > this.#mostBytes) {
      releaseShared(this.#bytes.buffer, this.#mostBytes);
      this.#filledBytes = this.#mostBytes;
    }
    this.#mostBytes = 0;
  }

  /** Gives back all of its pages, of memory that nobody reads any more. */
  release(): void {
    if (this.#bytes !== undefined && this.isFilled) releaseShared(this.#bytes.buffer);
    this.#filledBytes = 0;
    this.#mostBytes = 0;
  }
}

/** What is made for so many bytes: the next power of two. */
export function doubledBytes(length: number): number {
  return 2 ** Math.ceil(Math.log2(length));
}
