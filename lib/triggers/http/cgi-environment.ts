/**
 * A request as CGI meta-variables. Source: RFC 3875 section 4.1.
 *
 * Left out, as the RFC allows: AUTH_TYPE, REMOTE_USER, REMOTE_IDENT (nobody is authenticated here) and PATH_TRANSLATED (no
 * document tree stands behind a function). REMOTE_HOST is the address, since names are not looked up. The query never
 * becomes arguments (section 4.4), because a caller would then choose a program's options.
 *
 * Beside them are those that servers agree on and programs ask for: HTTPS, REDIRECT_STATUS, REQUEST_SCHEME, REQUEST_URI.
 */

import { isUtf8 } from 'node:buffer';
import { textOfBytes } from '../../../host/byte-text.ts';
import { isForGuest } from '../../../host/http-fields.ts';
import type { Exchange } from './exchange.ts';
import { portOf } from './request-target.ts';

/** Which function a path names, and what follows its name. */
export interface FunctionPath {
  readonly name: string;
  /** The decoded rest, empty or beginning with `/`. */
  readonly pathInfo: string;
}

// `proxy` would become HTTP_PROXY, which many HTTP clients obey (httpoxy, CVE-2016-5385). Credentials are the server's
// business (section 4.1.18) unless the manifest says otherwise, and the content fields have variables of their own.
const DROPPED = new Set(['proxy', 'authorization', 'content-length', 'content-type']);

/** What a CGI program is told. */
export interface CgiOptions {
  /** Whether the program is told the Authorization field, as HTTP_AUTHORIZATION. */
  readonly authorization: boolean;
}

/** The meta-variables of a request whose body is `contentLength` bytes long. */
export function cgiEnvironment(
  exchange: Exchange,
  path: FunctionPath,
  contentLength: number,
  options: CgiOptions = { authorization: false },
): Record<string, string> {
  const { target } = exchange;
  const variables: Record<string, string> = {};
  for (const [name, value] of exchange.headers()) {
    // `x_y` and `x-y` would meet in one variable; only the field every proxy understands may set it.
    const isPassed = isForGuest(name) && (!DROPPED.has(name) || (name === 'authorization' && options.authorization));
    if (isPassed && /^[a-z0-9-]+$/.test(name)) {
      variables[`HTTP_${name.toUpperCase().replaceAll('-', '_')}`] = fieldText(value);
    }
  }
  variables['GATEWAY_INTERFACE'] = 'CGI/1.1';
  variables['PATH_INFO'] = path.pathInfo;
  variables['QUERY_STRING'] = target.query;
  // php-cgi refuses requests without it, as those of whoever runs it past a server.
  variables['REDIRECT_STATUS'] = '200';
  variables['REMOTE_ADDR'] = exchange.remoteAddress;
  variables['REMOTE_HOST'] = exchange.remoteAddress;
  variables['REQUEST_METHOD'] = exchange.method;
  variables['REQUEST_SCHEME'] = target.scheme;
  variables['REQUEST_URI'] = target.pathWithQuery;
  variables['SCRIPT_NAME'] = `/fn/${path.name}`;
  variables['SERVER_NAME'] = target.authority.hostname;
  variables['SERVER_PORT'] = portOf(target);
  variables['SERVER_PROTOCOL'] = exchange.protocol;
  variables['SERVER_SOFTWARE'] = 'Nebula';
  if (target.scheme === 'https') variables['HTTPS'] = 'on';
  if (contentLength > 0) variables['CONTENT_LENGTH'] = String(contentLength);
  const contentType = exchange.header('content-type');
  if (contentType !== undefined) variables['CONTENT_TYPE'] = fieldText(contentType);
  return variables;
}

// Field values arrive as bytes, one per character. A guest reads its environment as UTF-8.
function fieldText(value: string): string {
  if (!/[\x80-\xff]/.test(value)) return value;
  const bytes = Buffer.from(value, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : value;
}

/**
 * Splits a path after `/fn/`, percent-decoded to bytes, which need not be UTF-8 (textOfBytes). Undefined when an escape is
 * broken, or there is a NUL, which no variable can hold.
 */
export function parseFunctionPath(rest: string): FunctionPath | undefined {
  const slash = rest.indexOf('/');
  const name = decodePercent(slash === -1 ? rest : rest.slice(0, slash));
  const pathInfo = slash === -1 ? '' : decodePercent(rest.slice(slash));
  return name === undefined || name === '' || pathInfo === undefined || pathInfo.includes('\0')
    ? undefined
    : { name, pathInfo };
}

function decodePercent(text: string): string | undefined {
  if (!text.includes('%')) return text;
  if (/%(?![\dA-Fa-f]{2})/.test(text)) return undefined;
  const bytes = text.replace(/%(..)/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
  return textOfBytes(Buffer.from(bytes, 'latin1'));
}
