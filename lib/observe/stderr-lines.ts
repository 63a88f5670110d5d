/** What a guest wrote to stderr, as lines that cannot pass for others: its bytes are anybody's. */

import { textOf } from '../wire/json.ts';
import { printable } from '../wire/printable.ts';

/** Bytes of the end of a call's stderr that are read for its lines, and lines of it that are kept. */
export const READ_BYTES = 16_384;
export const KEPT_LINES = 50;
/** Characters of a line, or of any other message. */
export const LINE_CHARACTERS = 4096;

const NEWLINE = 0x0a;

/** The last lines of a call's stderr, and how many came before them. */
export interface StderrLines {
  readonly lines: readonly string[];
  readonly leftOut: number;
}

/** The last lines of `stderr`; an empty one is none. */
export function stderrLines(stderr: Uint8Array): StderrLines {
  const start = Math.max(0, stderr.byteLength - READ_BYTES);
  const written = textOf(stderr.subarray(start))
    .split('\n')
    .filter((line) => line.trim() !== '');
  const lines = written.slice(-KEPT_LINES).map((line) => oneLine(line.replace(/\r$/, '')));
  return { lines, leftOut: written.length - lines.length + countLines(stderr.subarray(0, start)) };
}

function countLines(bytes: Uint8Array): number {
  let count = 0;
  for (let at = 0; at < bytes.length; at++) if (bytes[at] === NEWLINE) count++;
  return count;
}

/** A text from anywhere as one line of bounded length. */
export function oneLine(text: string): string {
  const shown = printable(text.length > LINE_CHARACTERS ? text.slice(0, LINE_CHARACTERS) : text);
  return shown.length > LINE_CHARACTERS || text.length > LINE_CHARACTERS
    ? `${shown.slice(0, LINE_CHARACTERS)}…`
    : shown;
}
