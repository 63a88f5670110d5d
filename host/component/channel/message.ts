/** What travels whole in a ring, in as many frames as it takes: a head, trailers, or the result of a function. */

import { UTF8_DECODER, UTF8_ENCODER } from '../../bytes.ts';
import { FRAME, type Frame } from './ring.ts';

/** A value of JSON as the bytes of a message. */
export function encodeMessage(value: unknown): Uint8Array {
  return UTF8_ENCODER.encode(JSON.stringify(value));
}

/** The value in the bytes of a message. @throws SyntaxError */
export function decodeMessage(bytes: Uint8Array): unknown {
  return JSON.parse(UTF8_DECODER.decode(bytes)) as unknown;
}

/** Joins the parts of one message after the other. */
export class MessageReader {
  #parts: Uint8Array[] = [];

  /** The whole message once its last part is here. */
  add(frame: Frame): Uint8Array | undefined {
    this.#parts.push(frame.bytes);
    if (frame.kind !== FRAME.last) return undefined;
    const whole = Buffer.concat(this.#parts);
    this.#parts = [];
    return whole;
  }
}
