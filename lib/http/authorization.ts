/**
 * Who may use the routes that manage functions: whoever knows the token; without a token, whoever reaches a server bound
 * to loopback from this machine with something other than a page in a browser.
 */

import { createHash, timingSafeEqual } from 'node:crypto';
import { argumentError, NebulaError } from '../../host/errors.ts';
import type { Exchange } from './exchange.ts';

export interface AccessOptions {
  /** Bearer token of the management routes. */
  readonly token?: string;
  /** Serve the management routes without a token to requests that name a loopback host; only for a server bound to one. */
  readonly openOnLoopback?: boolean;
}

/** Throws UNAUTHORIZED unless the request may manage functions. */
export type Authorize = (exchange: Exchange) => void;

export function createAuthorize(options: AccessOptions): Authorize {
  const { token } = options;
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    throw argumentError(
      'token',
      'one or more printable ASCII characters without spaces',
      token === '' ? '' : '(hidden)',
    );
  }
  const expected = token === undefined ? undefined : digest(token);
  const isAllowed = (exchange: Exchange): boolean => {
    if (expected !== undefined) return timingSafeEqual(digest(bearerToken(exchange) ?? ''), expected);
    return options.openOnLoopback === true && isLoopbackHost(exchange.url.hostname) && !isFromPage(exchange);
  };
  return (exchange) => {
    if (isAllowed(exchange)) return;
    throw new NebulaError('UNAUTHORIZED', { method: exchange.method, path: exchange.url.pathname });
  };
}

// Digests have one length, which timingSafeEqual needs, and hide the token's.
function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function bearerToken(exchange: Exchange): string | undefined {
  return /^Bearer +([^\s]+) *$/i.exec(exchange.header('authorization') ?? '')?.[1];
}

// A page of any site may send simple requests to loopback, and a function's own page is same-origin with this server.
// Neither may manage functions. `none` is a person who typed the address.
function isFromPage(exchange: Exchange): boolean {
  const site = exchange.header('sec-fetch-site');
  return exchange.header('origin') !== undefined || (site !== undefined && site !== 'none');
}

/** Whether a host name or address is this machine's loopback. IPv6 may be in brackets. */
export function isLoopbackHost(host: string): boolean {
  const bare = host.toLowerCase().replace(/^\[|\]$/g, '');
  return bare === 'localhost' || bare.endsWith('.localhost') || bare === '::1' || /^127(\.\d{1,3}){3}$/.test(bare);
}
