/** Digests: at once, and of what may be large without holding the event loop. */

import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';

/** What is hashed or copied in one turn of the event loop: under a millisecond. */
export const TURN_BYTES = 512 * 1024;

/** SHA-256 in hex. */
export function digestOf(content: Uint8Array | string): string {
  return createHash('sha256').update(content).digest('hex');
}

/** SHA-256 in hex; other events have their turn in between. */
export async function digestInTurns(content: Uint8Array): Promise<string> {
  const hash = createHash('sha256');
  for (let offset = 0; offset < content.length; offset += TURN_BYTES) {
    if (offset > 0) await setImmediate();
    hash.update(content.subarray(offset, offset + TURN_BYTES));
  }
  return hash.digest('hex');
}
