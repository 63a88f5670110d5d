/** Arguments and variables in the form a guest is given them: NUL-terminated bytes, one after the other. */

import { bytesOfText } from '../byte-text.ts';

/** Encoded strings, to be copied into a guest's memory as they are. */
export interface StringList {
  readonly bytes: Uint8Array;
  /** Where each string begins within `bytes`. */
  readonly offsets: readonly number[];
}

/** Encodes the strings in their order. */
export function encodeStrings(strings: readonly string[]): StringList {
  const encoded = strings.map((string) => bytesOfText(string));
  const bytes = new Uint8Array(encoded.reduce((size, part) => size + part.length + 1, 0));
  const offsets: number[] = [];
  let offset = 0;
  for (const part of encoded) {
    offsets.push(offset);
    bytes.set(part, offset);
    offset += part.length + 1;
  }
  return { bytes, offsets };
}
