/**
 * Where a request goes, as bytes: the target and the Host field are taken apart and never rewritten, so that what routes
 * compare and what guests are told is what the client sent. Source: RFC 9112 section 3.2, RFC 3986 sections 3.2 and 5.2.4.
 */

import { isIPv6 } from 'node:net';

/** Schemes that a target may have. */
export type Scheme = 'http' | 'https';

/** A host with its port, as a Host field or a URL has it. */
export interface Authority {
  /** As sent. */
  readonly text: string;
  /** Without the port, in lower case; an IPv6 address has its brackets. */
  readonly hostname: string;
  /** Digits; empty where none was sent. */
  readonly port: string;
}

/** The target of a request: origin form, absolute form, or `*`. */
export interface RequestTarget {
  readonly scheme: Scheme;
  readonly authority: Authority;
  /** Whether the target itself named the authority, which then replaces the Host field's. */
  readonly isAbsolute: boolean;
  /** `*`, or what begins with `/`; percent-encoded as it was sent. */
  readonly path: string;
  /** Path, and `?` with the query where there is one, as sent. */
  readonly pathWithQuery: string;
  /** What follows `?`, as sent; empty where there is none. */
  readonly query: string;
}

/** A request that HTTP itself cannot make sense of; its message says what was expected and what came. */
export class MalformedRequest extends Error {
  override readonly name = 'MalformedRequest';
}

/** What messages say that a path must be. */
export const NO_DOT_SEGMENTS = 'a path without the segments "." and ".."';

const LABELS = /^[A-Za-z0-9._-]+$/;
const AUTHORITY = /^(\[[^\]]*\]|[^:[\]]*)(?::(\d{0,5}))?$/;
// Bytes a target may have: no space, no control, nothing beyond ASCII, and no `#`, since a fragment is never sent.
const TARGET = /^[\x21\x22\x24-\x7e]+$/;
const ABSOLUTE = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?]*)(.*)$/;

/** Takes a host with an optional port apart; undefined for what is none. Names are letters, digits, `.`, `-` and `_`. */
export function parseAuthority(text: string): Authority | undefined {
  const [, host = '', port = ''] = AUTHORITY.exec(text) ?? [];
  const isHost = host.startsWith('[') ? isIPv6(host.slice(1, -1)) && !host.includes('%') : LABELS.test(host);
  return isHost && Number(port) <= 65_535 ? { text, hostname: host.toLowerCase(), port } : undefined;
}

/** The port of an authority, or the usual one of its scheme. */
export function portOf({ authority, scheme }: Pick<RequestTarget, 'authority' | 'scheme'>): string {
  return authority.port || (scheme === 'https' ? '443' : '80');
}

/**
 * Reads a request target.
 * @param host where the request went unless the target says it
 * @throws MalformedRequest for any other form, bytes no target has, and paths with a segment `.` or `..`, however written
 */
export function parseRequestTarget(method: string, target: string, scheme: Scheme, host: Authority): RequestTarget {
  if (target === '*') {
    if (method === 'OPTIONS') return serverWide(scheme, host, false);
    throw new MalformedRequest(`the target "*" is for OPTIONS, got ${method}`);
  }
  if (!TARGET.test(target)) throw malformedTarget('bytes of printable ASCII but space and "#"', target);
  if (target.startsWith('/')) return locate(target, scheme, host, false);
  const [, named = '', authorityText = '', rest = ''] = ABSOLUTE.exec(target) ?? [];
  const absolute = named.toLowerCase();
  const authority = parseAuthority(authorityText);
  if ((absolute !== 'http' && absolute !== 'https') || authority === undefined) {
    throw malformedTarget('a path, or a URL of http or https with a host', target);
  }
  if (rest === '' && method === 'OPTIONS') return serverWide(absolute, authority, true);
  return locate(rest.startsWith('/') ? rest : `/${rest}`, absolute, authority, true);
}

/** The target of a URL as the URL standard writes it, without its fragment; what that standard rewrote stays rewritten. */
export function targetOfUrl(url: string): RequestTarget {
  const [text = ''] = url.split('#', 1);
  return parseRequestTarget('GET', text, 'http', { text: '', hostname: '', port: '' });
}

function serverWide(scheme: Scheme, authority: Authority, isAbsolute: boolean): RequestTarget {
  return { scheme, authority, isAbsolute, path: '*', pathWithQuery: '*', query: '' };
}

function locate(pathWithQuery: string, scheme: Scheme, authority: Authority, isAbsolute: boolean): RequestTarget {
  const mark = pathWithQuery.indexOf('?');
  const path = mark === -1 ? pathWithQuery : pathWithQuery.slice(0, mark);
  if (hasDotSegment(path.replace(/%2e/gi, '.'))) throw malformedTarget(NO_DOT_SEGMENTS, path);
  return {
    scheme,
    authority,
    isAbsolute,
    path,
    pathWithQuery,
    query: mark === -1 ? '' : pathWithQuery.slice(mark + 1),
  };
}

/** Whether a decoded path has a segment `.` or `..`. A backslash is no slash. */
export function hasDotSegment(path: string): boolean {
  return path.includes('/.') && /\/\.\.?(\/|$)/.test(path);
}

/** The error that says what was expected of a target. */
export function malformedTarget(expected: string, got: string): MalformedRequest {
  return new MalformedRequest(`expected a target of ${expected}, got ${JSON.stringify(got.slice(0, 128))}`);
}

/**
 * The authority of a request's Host fields, given as names and values in turn; undefined where there is none or an empty one.
 * @throws MalformedRequest for a second one, and for one that is no host
 */
export function parseHostFields(fields: readonly string[]): Authority | undefined {
  let found: string | undefined;
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] as string;
    if (name.length !== 4 || name.toLowerCase() !== 'host') continue;
    if (found !== undefined) throw new MalformedRequest('expected one Host field, got another');
    found = fields[index + 1] as string;
  }
  return found === undefined ? undefined : parseHost(found);
}

let lastHost: Authority = { text: '', hostname: '', port: '' };

/** A Host field's authority; undefined for an empty one. @throws MalformedRequest */
export function parseHost(value: string): Authority | undefined {
  if (value === '') return undefined;
  // Most requests name the same one.
  if (value === lastHost.text) return lastHost;
  const authority = parseAuthority(value);
  if (authority === undefined) {
    throw new MalformedRequest(
      `expected a host with an optional port in Host, got ${JSON.stringify(value.slice(0, 128))}`,
    );
  }
  lastHost = authority;
  return authority;
}
