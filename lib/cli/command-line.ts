/** The command line as it was given. Node decodes it as UTF-8, and what is none is lost on the way. */

import { readFileSync } from 'node:fs';
import { NO_BYTES, UTF8_DECODER } from '../../host/bytes.ts';
import { textOfBytes } from '../../host/byte-text.ts';
import { argumentError } from '../../host/errors.ts';

const REPLACEMENT = '\ufffd';

/**
 * `given`, with the bytes of those that are no UTF-8 as textOfBytes has them.
 * @throws TypeError where the bytes cannot be found out
 */
export function wholeArguments(given: readonly string[]): readonly string[] {
  if (!given.some((text) => text.includes(REPLACEMENT))) return given;
  const last = readCommandLine().slice(-given.length);
  return given.map((text, index) => {
    const bytes = last[index] ?? NO_BYTES;
    if (UTF8_DECODER.decode(bytes) !== text) throw argumentError('an argument', 'UTF-8', text);
    return textOfBytes(bytes);
  });
}

/** Linux keeps the bytes, each argument ended by a NUL. */
function readCommandLine(): readonly Uint8Array[] {
  let bytes: Buffer;
  try {
    bytes = readFileSync('/proc/self/cmdline');
  } catch {
    return [];
  }
  const found: Uint8Array[] = [];
  for (let start = 0, end = bytes.indexOf(0); end !== -1; start = end + 1, end = bytes.indexOf(0, start)) {
    found.push(bytes.subarray(start, end));
  }
  return found;
}
