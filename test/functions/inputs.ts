/** The inputs of cases, those included that the guest `generate` makes. */

import { answerOf } from './answer.ts';
import type { Case } from './cases.ts';

const generated: Map<string, Uint8Array> = new Map();

/** The bytes a case gives its function. */
export async function inputOf(given: Case): Promise<Uint8Array> {
  if (given.generate === undefined) {
    return given.inputHex === undefined ? Buffer.from(given.input ?? '') : Buffer.from(given.inputHex, 'hex');
  }
  const known = generated.get(given.generate);
  if (known !== undefined) return known;
  const { stdout } = await answerOf('guests/generate', Buffer.from(given.generate));
  generated.set(given.generate, stdout);
  return stdout;
}
