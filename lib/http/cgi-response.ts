/**
 * Reads what a CGI program wrote: a header block, an empty line, a body. Source: RFC 3875 section 6. Programs that write a
 * status line of their own (NPH, section 5) are not supported.
 */

import { NebulaError } from '../../host/errors.ts';
import { EMPTY } from './exchange.ts';

/** `document`: answer with it. `local-redirect`: answer with what `location` on this server would have given. */
export type CgiResponse =
  | {
      readonly kind: 'document';
      readonly status: number;
      /** Names and values in turn. */
      readonly headers: readonly string[];
      readonly body: Uint8Array;
    }
  | { readonly kind: 'local-redirect'; readonly location: string };

/** Bytes a header block may have. */
export const HEADER_BLOCK_BYTES = 65_536;

const LF = 10;
const CR = 13;

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const ABSOLUTE_URI = /^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+$/;
const LOCAL_PATH = /^\/(?!\/)[\x21-\x7e]*$/;

const CGI_FIELDS = new Set(['content-type', 'location', 'status']);

// The connection, the length and Nebula's own report are the server's to state.
const DROPPED =
  /^(connection|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade|content-length|date|x-cgi-.*|nebula-.*)$/;

interface HeaderBlock {
  /** Content-Type, Location and Status, by lower-case name. */
  readonly cgi: ReadonlyMap<string, string>;
  readonly other: readonly string[];
  readonly body: Uint8Array;
}

/** Reads a program's output. @throws NebulaError GUEST_RESPONSE */
export function parseCgiResponse(name: string, output: Uint8Array): CgiResponse {
  const refuse = (detail: string): NebulaError => new NebulaError('GUEST_RESPONSE', { name, detail });
  const block = readHeaderBlock(output, refuse);
  const { cgi, other, body } = block;
  if (cgi.size === 0) throw refuse('expected one of Content-Type, Location and Status in the header block, got none');
  const location = cgi.get('location');
  if (location?.startsWith('/') === true) {
    if (!LOCAL_PATH.test(location)) throw refuse('expected a path and query in Location, got something else');
    if (cgi.size > 1 || other.length > 0 || body.byteLength > 0) {
      throw refuse('a local redirect may have no other header field and no body');
    }
    return { kind: 'local-redirect', location };
  }
  if (location !== undefined && !ABSOLUTE_URI.test(location)) {
    throw refuse('expected an absolute URI or a local path in Location, got something else');
  }
  return toDocument(block, location, refuse);
}

function toDocument(
  block: HeaderBlock,
  location: string | undefined,
  refuse: (detail: string) => NebulaError,
): CgiResponse {
  const contentType = block.cgi.get('content-type');
  const status = parseStatus(block.cgi.get('status'), location === undefined ? 200 : 302);
  if (status === undefined) throw refuse('expected a status code from 200 to 599 in Status, got something else');
  const isBodyless = status === 204 || status === 304;
  if (contentType === undefined && block.body.byteLength > 0) throw refuse('it has a body and no Content-Type');
  const headers = [...block.other];
  if (contentType !== undefined) headers.unshift('Content-Type', contentType);
  if (location !== undefined) headers.unshift('Location', location);
  return { kind: 'document', status, headers, body: isBodyless ? EMPTY : block.body };
}

function parseStatus(value: string | undefined, otherwise: number): number | undefined {
  if (value === undefined) return otherwise;
  return /^[2-5]\d\d( |$)/.test(value) ? Number(value.slice(0, 3)) : undefined;
}

function readHeaderBlock(output: Uint8Array, refuse: (detail: string) => NebulaError): HeaderBlock {
  const bytes = Buffer.from(output.buffer, output.byteOffset, output.byteLength);
  const cgi = new Map<string, string>();
  const other: string[] = [];
  let start = 0;
  for (;;) {
    const newline = bytes.indexOf(LF, start);
    if (newline === -1 || newline >= HEADER_BLOCK_BYTES) {
      throw refuse(`expected an empty line that ends the header block within ${HEADER_BLOCK_BYTES} bytes, got none`);
    }
    const end = newline > start && bytes[newline - 1] === CR ? newline - 1 : newline;
    if (end === start) return { cgi, other, body: output.subarray(newline + 1) };
    readField(bytes.toString('latin1', start, end), { cgi, other, refuse });
    start = newline + 1;
  }
}

function readField(
  line: string,
  block: { cgi: Map<string, string>; other: string[]; refuse: (detail: string) => NebulaError },
): void {
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(colon, 0));
  const value = line.slice(colon + 1).trim();
  if (!TOKEN.test(name) || !FIELD_VALUE.test(value)) {
    throw block.refuse(`expected "Name: value" in the header block, got ${JSON.stringify(line.slice(0, 64))}`);
  }
  const key = name.toLowerCase();
  if (CGI_FIELDS.has(key)) {
    if (block.cgi.has(key)) throw block.refuse(`it has more than one ${name}`);
    block.cgi.set(key, value);
  } else if (!DROPPED.test(key)) {
    block.other.push(name, value);
  }
}
