/**
 * Who may use the routes that manage functions: whoever knows the token; without a token, whoever reaches a server bound
 * to loopback from this machine with something other than a page in a browser or a proxy. A server knows its names: a request under
 * another one comes of a name that somebody else made point here (DNS rebinding).
 */

import { createHash, timingSafeEqual } from 'node:crypto';
import { argumentError, NebulaError } from '../../../host/errors.ts';
import { checkToken } from '../../schema/token.ts';
import type { Exchange } from './exchange.ts';
import { parseAuthority } from './request-target.ts';

/** Who may manage functions. */
export interface AccessOptions {
  /** Bearer token of the management routes. */
  readonly token?: string;
  /** Serve the management routes without a token to requests that name a known host; only for a server bound to loopback. */
  readonly openOnLoopback?: boolean;
  /**
   * Hosts under which the management routes answer, beside loopback's and the address a connection came in at; undefined
   * is any, for whoever has the token.
   */
  readonly hosts?: readonly string[];
}

/** What of a request says who sent it. */
export type Sender = Pick<Exchange, 'method' | 'target' | 'localAddress' | 'header'>;

/** Throws UNAUTHORIZED, HOST_UNKNOWN or ORIGIN_UNKNOWN unless the request may manage functions. */
export type Authorize = (sender: Sender) => void;

/** Whether a request bears the token of the management routes, which is no guest's to see. */
export type BearsToken = (sender: Pick<Sender, 'header'>) => boolean;

/** The check of a request's bearer token; never so where there is none. @throws TypeError for a token that is none */
export function createTokenCheck(token: string | undefined): BearsToken {
  if (token === undefined) return () => false;
  const expected = digest(checkToken('token', token));
  return (sender) => timingSafeEqual(digest(bearerToken(sender) ?? ''), expected);
}

/** The check of every request to a route that manages functions. @throws TypeError for a token or host that is none */
export function createAuthorize(options: AccessOptions): Authorize {
  const { token, hosts, openOnLoopback = false } = options;
  const bearsToken = createTokenCheck(token);
  const known = hosts === undefined && !openOnLoopback ? undefined : new Set(hosts?.map((host) => checkHost(host)));
  return (exchange) => {
    const { method, target } = exchange;
    const { path } = target;
    const isOpen = token === undefined && openOnLoopback;
    if (!isOpen && !bearsToken(exchange)) throw new NebulaError('UNAUTHORIZED', { method, path });
    if (!isKnownHost(exchange, known)) {
      throw new NebulaError('HOST_UNKNOWN', { method, path, host: target.authority.hostname });
    }
    const stranger = strangerOf(exchange);
    if (stranger !== undefined) throw new NebulaError('ORIGIN_UNKNOWN', { method, path, origin: stranger });
    if (isOpen && (isFromPage(exchange) || isForwarded(exchange)))
      throw new NebulaError('UNAUTHORIZED', { method, path });
  };
}

/** A name or address as Host fields are compared with it; undefined for what is none, or has a port. */
export function toHostname(host: string): string | undefined {
  const bracketed = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  const { hostname, port } = parseAuthority(bracketed) ?? {};
  return port === '' ? hostname : undefined;
}

function checkHost(host: string): string {
  const hostname = toHostname(host);
  if (hostname === undefined) throw argumentError('hosts', 'names or addresses without a port', host);
  return hostname;
}

// Digests have one length, which timingSafeEqual needs, and hide the token's.
function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function bearerToken(exchange: Pick<Sender, 'header'>): string | undefined {
  return /^Bearer +([^\s]+) *$/i.exec(exchange.header('authorization') ?? '')?.[1];
}

function isKnownHost(exchange: Sender, known: ReadonlySet<string> | undefined): boolean {
  if (known === undefined) return true;
  const { hostname } = exchange.target.authority;
  return isLoopbackHost(hostname) || known.has(hostname) || hostname === localHost(exchange.localAddress);
}

// An address cannot be made to point elsewhere. On a socket for both families, one of IPv4 is written as one of IPv6.
function localHost(address: string | undefined): string | undefined {
  if (address?.includes(':') !== true) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  return mapped ?? `[${address.toLowerCase()}]`;
}

// A page of any site may send simple requests to loopback, and a function's own page is same-origin with this server.
// Neither may manage functions without a token. `none` is a person who typed the address.
function isFromPage(exchange: Sender): boolean {
  const site = exchange.header('sec-fetch-site');
  return exchange.header('origin') !== undefined || (site !== undefined && site !== 'none');
}

const FORWARDING_FIELDS = [
  'cf-connecting-ip',
  'fastly-client-ip',
  'forwarded',
  'true-client-ip',
  'via',
  'x-client-ip',
  'x-envoy-external-address',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-forwarded-server',
  'x-original-forwarded-for',
  'x-real-ip',
];

// What a proxy on this machine passes on comes from anywhere.
function isForwarded(exchange: Sender): boolean {
  return FORWARDING_FIELDS.some((name) => exchange.header(name) !== undefined);
}

/** The origin of a page of another one, as far as the request tells it; undefined for its own pages and for no page. */
function strangerOf(exchange: Sender): string | undefined {
  const origin = exchange.header('origin');
  const site = exchange.header('sec-fetch-site');
  if (site === 'cross-site' || site === 'same-site') return origin ?? site;
  if (origin === undefined) return undefined;
  const own = [exchange.target.authority.text, exchange.header('host')];
  const isOwn = own.some((text) => origin === `http://${text}` || origin === `https://${text}`);
  return isOwn ? undefined : origin;
}

/** Whether a host name or address is this machine's loopback. IPv6 may be in brackets. */
export function isLoopbackHost(host: string): boolean {
  const bare = host.toLowerCase().replace(/^\[|\]$/g, '');
  return bare === 'localhost' || bare.endsWith('.localhost') || bare === '::1' || /^127(\.\d{1,3}){3}$/.test(bare);
}
