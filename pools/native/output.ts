/** What a guest wrote to one of its streams, up to a limit. */

import { Buffer } from 'node:buffer';

export class BoundedOutput {
  readonly #chunks: Uint8Array[] = [];
  readonly #limitBytes: number;
  readonly #onOverflow: () => void;
  #sizeBytes = 0;

  /** `onOverflow` is called once, at the first byte above the limit; what the limit lets in is kept. */
  constructor(limitBytes: number, onOverflow: () => void) {
    this.#limitBytes = limitBytes;
    this.#onOverflow = onOverflow;
  }

  append(chunk: Uint8Array): void {
    const room = this.#limitBytes - this.#sizeBytes;
    if (room < 0) return;
    this.#sizeBytes += chunk.length;
    if (chunk.length <= room) {
      this.#chunks.push(chunk);
      return;
    }
    if (room > 0) this.#chunks.push(chunk.subarray(0, room));
    this.#onOverflow();
  }

  bytes(): Uint8Array {
    const bytes = Buffer.concat(this.#chunks);
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  }
}
