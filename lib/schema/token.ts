/** The bearer token of the routes that manage functions. */

import type { TString } from 'typebox';
import { argumentError } from '../../host/errors.ts';
import { text } from '../../host/schema/elements.ts';

const PATTERN = '^[\\x21-\\x7e]+$';
const WORDS = 'one or more printable ASCII characters without spaces';

/** Schema of a token: what an Authorization field can hold. */
export const tokenSchema: TString = text(PATTERN, WORDS);

/** @throws TypeError for a token that no Authorization field can hold; its message does not show it */
export function checkToken(what: string, token: unknown): string {
  if (typeof token === 'string' && new RegExp(PATTERN).test(token)) return token;
  throw argumentError(what, WORDS, hideToken(token));
}

/** What of a token messages may show: that it is empty, or no text at all. */
export function hideToken(token: unknown): unknown {
  return token === '' || typeof token !== 'string' ? token : '(hidden)';
}
