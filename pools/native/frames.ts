/**
 * The frames that a kept guest reads and writes (functions/guest/src/serve.rs), all numbers u32 and little-endian.
 * Request: length, input. Answer: exit code, length of stdout, length of stderr, stdout, stderr.
 */

const REQUEST_HEADER_BYTES = 4;
const ANSWER_HEADER_BYTES = 12;
const LARGEST_EXIT_CODE = 255;

/** What a kept guest answers. */
export interface FrameAnswer {
  readonly exitCode: number;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}

/** Why a frame is not read any further. */
export type FrameRefusal = 'outputBytes' | 'stderrBytes' | 'no-frame';

/** The header of a request; the input follows as it is. */
export function requestHeader(inputBytes: number): Uint8Array {
  const header = new Uint8Array(REQUEST_HEADER_BYTES);
  new DataView(header.buffer).setUint32(0, inputBytes, true);
  return header;
}

/** Puts one answer together out of the chunks in which it arrives. */
export class AnswerReader {
  readonly #limits: { readonly outputBytes: number; readonly stderrBytes: number };
  readonly #header: Uint8Array = new Uint8Array(ANSWER_HEADER_BYTES);
  #filledBytes = 0;
  #body: Uint8Array | undefined;
  #stdoutBytes = 0;

  constructor(limits: { readonly outputBytes: number; readonly stderrBytes: number }) {
    this.#limits = limits;
  }

  /** Takes the next bytes. Answers the whole frame once it is there, or why it is refused. */
  take(chunk: Uint8Array): FrameAnswer | FrameRefusal | undefined {
    let rest = chunk;
    if (this.#body === undefined) {
      const part = rest.subarray(0, ANSWER_HEADER_BYTES - this.#filledBytes);
      this.#header.set(part, this.#filledBytes);
      this.#filledBytes += part.length;
      if (this.#filledBytes < ANSWER_HEADER_BYTES) return undefined;
      const refusal = this.#open();
      if (refusal !== undefined) return refusal;
      rest = rest.subarray(part.length);
    }
    return this.#fill(this.#body as unknown as Uint8Array, rest);
  }

  #open(): FrameRefusal | undefined {
    const view = new DataView(this.#header.buffer);
    this.#stdoutBytes = view.getUint32(4, true);
    const stderrBytes = view.getUint32(8, true);
    // Text where a header belongs would read as an absurd length: its first bytes are no exit code.
    if (view.getUint32(0, true) > LARGEST_EXIT_CODE) return 'no-frame';
    if (this.#stdoutBytes > this.#limits.outputBytes) return 'outputBytes';
    if (stderrBytes > this.#limits.stderrBytes) return 'stderrBytes';
    this.#body = new Uint8Array(this.#stdoutBytes + stderrBytes);
    this.#filledBytes = 0;
    return undefined;
  }

  #fill(body: Uint8Array, rest: Uint8Array): FrameAnswer | FrameRefusal | undefined {
    if (rest.length > body.length - this.#filledBytes) return 'no-frame';
    body.set(rest, this.#filledBytes);
    this.#filledBytes += rest.length;
    if (this.#filledBytes < body.length) return undefined;
    return {
      exitCode: this.#header[0] as number,
      stdout: body.subarray(0, this.#stdoutBytes),
      stderr: body.subarray(this.#stdoutBytes),
    };
  }
}
