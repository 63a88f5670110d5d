/** Answers of meters over HTTP: short texts, whatever the device at the address sends. */

import { HardwareError } from '../instrument/errors.ts';

/** The longest answer of a meter that is known, a Shelly with four channels, has some 10 KB. */
const MAX_BYTES = 64 * 1024;

const TIMEOUT_MS = 3000;

/** What a meter answered. */
export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
}

/**
 * Asks once, for an answer that is not compressed: a few bytes could unpack to any size.
 * @param source for the message
 * @throws HardwareError SOURCE_PAYLOAD for an answer above 64 KiB; else what `fetch` throws, after 3 s a TimeoutError
 */
export async function askHttp(source: string, url: string): Promise<HttpAnswer> {
  const headers = { 'accept-encoding': 'identity' };
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += piece.length;
    if (length > MAX_BYTES) {
      const fields = { source, expected: `an answer of at most ${MAX_BYTES} bytes`, got: 'more' };
      throw new HardwareError('SOURCE_PAYLOAD', fields);
    }
    pieces.push(piece);
  }
  return { status: response.status, text: Buffer.concat(pieces).toString('utf8') };
}
