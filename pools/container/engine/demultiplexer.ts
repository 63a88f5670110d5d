/**
 * Takes an attached stream apart into stdout and stderr as it arrives, without holding any of it. Format: Docker Engine
 * API, "Attach to a container": a header of eight bytes, the stream's number first, the payload's length as a big-endian
 * u32 last, then the payload.
 */

const HEADER_BYTES = 8;
const STDERR = 2;

/** Takes one attached stream apart. */
export class Demultiplexer {
  readonly #onStdout: (chunk: Uint8Array) => void;
  readonly #onStderr: (chunk: Uint8Array) => void;
  readonly #header: Uint8Array = new Uint8Array(HEADER_BYTES);
  #headerBytes = 0;
  #payloadBytes = 0;

  constructor(onStdout: (chunk: Uint8Array) => void, onStderr: (chunk: Uint8Array) => void) {
    this.#onStdout = onStdout;
    this.#onStderr = onStderr;
  }

  take(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#payloadBytes === 0) {
        this.#header[this.#headerBytes++] = chunk[at++] as number;
        if (this.#headerBytes < HEADER_BYTES) continue;
        this.#headerBytes = 0;
        this.#payloadBytes = new DataView(this.#header.buffer).getUint32(4);
        continue;
      }
      const payload = chunk.subarray(at, at + this.#payloadBytes);
      at += payload.length;
      this.#payloadBytes -= payload.length;
      if (this.#header[0] === STDERR) this.#onStderr(payload);
      else this.#onStdout(payload);
    }
  }
}
