/** What a guest wrote to one of its streams, up to a limit. */

import { GatheredBytes } from '../../host/gathered-bytes.ts';
import { passOn } from '../../host/pass-on.ts';

/** Keeps or passes on a stream's bytes up to its limit. */
export class BoundedOutput {
  readonly #kept: GatheredBytes = new GatheredBytes();
  readonly #limitBytes: number;
  readonly #onOverflow: () => void;
  readonly #fd: number | undefined;
  #sizeBytes = 0;

  /** `onOverflow` is called once, at the first byte above the limit; what the limit lets in is kept, or goes to a descriptor. */
  constructor(limitBytes: number, onOverflow: () => void, fd?: number) {
    this.#fd = fd;
    this.#limitBytes = limitBytes;
    this.#onOverflow = onOverflow;
  }

  append(chunk: Uint8Array): void {
    const room = this.#limitBytes - this.#sizeBytes;
    if (room < 0) return;
    this.#sizeBytes += chunk.length;
    if (room > 0) this.#keep(chunk.length <= room ? chunk : chunk.subarray(0, room));
    if (chunk.length > room) this.#onOverflow();
  }

  #keep(chunk: Uint8Array): void {
    if (this.#fd === undefined) this.#kept.add(chunk);
    else passOn(this.#fd, chunk);
  }

  bytes(): Uint8Array {
    const bytes = this.#kept.whole();
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  }
}
