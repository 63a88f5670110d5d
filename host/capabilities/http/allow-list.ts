/** Whom a component may ask over wasi:http. */

import type { HttpCapability } from './schema.ts';

/** Requests of one invocation that may be under way. */
export const MOST_REQUESTS = 64;

/** What holds for a request whose guest asks for no other time, and the longest it may ask for, in milliseconds. */
export const LONGEST_MS = 30_000;

/** The origins that were granted, in the one notation of URLs. */
export function grantedOrigins({ origins }: HttpCapability): ReadonlySet<string> {
  return new Set(origins.map((origin) => new URL(origin).origin));
}
