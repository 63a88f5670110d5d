/** The id by which a client, the log and a failure's answer call one request: the client's, else one of our own. */

import { randomUUID } from 'node:crypto';
import { REQUEST_ID_PATTERN } from '../../schema/invoke-options.ts';

/** The field that brings it, and takes it back. */
export const REQUEST_ID_FIELD = 'X-Request-Id';

const FITTING = new RegExp(REQUEST_ID_PATTERN);

/** The id that a request brought, unless it would need quoting somewhere; else a new one. */
export function requestIdOf(given: string | string[] | undefined): string {
  return typeof given === 'string' && FITTING.test(given) ? given : randomUUID();
}
