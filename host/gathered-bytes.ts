/**
 * Bytes that come in pieces and are kept until somebody wants them. A piece of few bytes takes some hundreds beside them, so
 * small ones are copied together: whoever chooses the pieces chooses no more memory than their bytes.
 */

/** Pieces below this many bytes are copied. */
const SMALL_BYTES = 1024;
const [LEAST_BLOCK_BYTES, MOST_BLOCK_BYTES] = [1024, 65_536];

export class GatheredBytes {
  /** Bytes of all pieces. */
  sizeBytes = 0;
  readonly #pieces: Uint8Array[] = [];
  #block: Uint8Array | undefined = undefined;
  #usedBytes = 0;

  /** Takes a piece, which nobody else may change from now on. */
  add(bytes: Uint8Array): void {
    const isFirst = this.sizeBytes === 0;
    this.sizeBytes += bytes.byteLength;
    // The first is most often the only one.
    if (isFirst || bytes.byteLength >= SMALL_BYTES) {
      this.#closeBlock();
      if (bytes.byteLength > 0) this.#pieces.push(bytes);
    } else this.#copy(bytes);
  }

  /** All bytes, in order, as few pieces; none is empty. */
  pieces(): readonly Uint8Array[] {
    this.#closeBlock();
    return this.#pieces;
  }

  /** All bytes as one; a single piece is not copied. */
  whole(): Uint8Array {
    const [first, ...others] = this.pieces();
    return first !== undefined && others.length === 0 ? first : Buffer.concat(this.#pieces, this.sizeBytes);
  }

  #copy(bytes: Uint8Array): void {
    if (this.#block === undefined || this.#block.byteLength - this.#usedBytes < bytes.byteLength) {
      this.#closeBlock();
      const blockBytes = Math.min(MOST_BLOCK_BYTES, Math.max(LEAST_BLOCK_BYTES, this.sizeBytes));
      // The pool of small Buffers would be held as a whole.
      this.#block = Buffer.allocUnsafeSlow(blockBytes);
    }
    this.#block.set(bytes, this.#usedBytes);
    this.#usedBytes += bytes.byteLength;
  }

  #closeBlock(): void {
    if (this.#block !== undefined) this.#pieces.push(this.#block.subarray(0, this.#usedBytes));
    this.#block = undefined;
    this.#usedBytes = 0;
  }
}
