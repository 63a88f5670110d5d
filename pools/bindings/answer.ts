/** What a binding answered, as bytes that nobody else has. */

import { isUint8Array } from 'node:util/types';
import { NO_BYTES, UTF8_ENCODER } from '../../host/bytes.ts';

/** The length of an array itself, which one of its own properties could hide. */
const { get: lengthIn } = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), 'length') as {
  readonly get: (this: Uint8Array) => number;
};

/**
 * The bytes of what the binding `name` answered, in a copy; their number alone where it is above `mostBytes`.
 * @throws TypeError for anything that is neither bytes, text nor nothing, and for bytes whose memory is gone
 */
export function answerBytes(name: string, value: unknown, mostBytes: number): Uint8Array | number {
  if (value === undefined) return NO_BYTES;
  if (typeof value === 'string') {
    // No text has fewer bytes than units.
    if (value.length > mostBytes) return Buffer.byteLength(value);
    const bytes = UTF8_ENCODER.encode(value);
    return bytes.length > mostBytes ? bytes.length : bytes;
  }
  // By what it is, not by its prototype: that of a proxy is code of the embedder's, and anything can have that of an array.
  if (!isUint8Array(value)) {
    const got = value === null ? 'null' : typeof value;
    throw new TypeError(`${name} answered ${got}: expected a Uint8Array, a string or nothing`);
  }
  const length = lengthIn.call(value);
  // A constructor that is given an array copies it, and throws where its memory is gone.
  return length > mostBytes ? length : new Uint8Array(value);
}

/** Whether it is an answer that comes later. @throws what reading its `then` throws */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
