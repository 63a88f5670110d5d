/**
 * Bytes that need not be UTF-8 as a string, and back: a byte that is part of no UTF-8 sequence becomes a lone surrogate,
 * U+DC80 to U+DCFF, which no UTF-8 has. Paths, arguments and variables of a guest are such bytes. Source: PEP 383.
 */

import { isUtf8 } from 'node:buffer';
import { UTF8_ENCODER } from './bytes.ts';

const ESCAPE = 0xdc00;
// With `u`, the second half of a pair does not match.
const ESCAPED = /[\udc80-\udcff]/u;

/** The text of bytes. */
export function textOfBytes(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isUtf8(buffer)) return buffer.toString('utf8');
  let text = '';
  for (let at = 0; at < buffer.length; ) {
    const sizeBytes = sequenceBytes(buffer[at] as number);
    const sequence = buffer.subarray(at, at + sizeBytes);
    const isWhole = sequence.length === sizeBytes && isUtf8(sequence);
    text += isWhole ? sequence.toString('utf8') : String.fromCharCode(ESCAPE + (buffer[at] as number));
    at += isWhole ? sizeBytes : 1;
  }
  return text;
}

/** Bytes a UTF-8 sequence has by its first one. */
function sequenceBytes(first: number): number {
  if (first < 0xc0) return 1;
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/** The bytes of a text; any other lone surrogate is written as U+FFFD. */
export function bytesOfText(text: string): Uint8Array {
  if (!ESCAPED.test(text)) return UTF8_ENCODER.encode(text);
  const parts = text
    .split(/([\udc80-\udcff])/u)
    .map((part, index) => (index % 2 === 1 ? Uint8Array.of(part.charCodeAt(0) - ESCAPE) : UTF8_ENCODER.encode(part)));
  return Buffer.concat(parts);
}
