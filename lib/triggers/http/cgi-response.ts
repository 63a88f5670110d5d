/**
 * Reads what a CGI program wrote: a header block, an empty line, a body. Source: RFC 3875 section 6. Programs that write a
 * status line of their own (NPH, section 5) are not supported.
 */

import { NO_BYTES } from '../../../host/bytes.ts';
import { NebulaError } from '../../../host/errors.ts';
import {
  hasContent,
  isConnectionField,
  isFieldValue,
  isServersField,
  isToken,
  parseContentLength,
  trimFieldValue,
} from '../../../host/http-fields.ts';

/**
 * `document`: answer with it, be it a redirect or not. `local-redirect`: answer with what `location`, a path and query on
 * this server, would have given.
 */
export type CgiResponse =
  | {
      readonly kind: 'document';
      readonly status: number;
      /** Names and values in turn. */
      readonly headers: readonly string[];
      readonly body: Uint8Array;
      /** What it says of its length, in bytes: of an answer to HEAD, the one a GET would have. */
      readonly statedBytes: number | undefined;
    }
  | { readonly kind: 'local-redirect'; readonly location: string };

/** Bytes a header block may have. */
export const HEADER_BLOCK_BYTES = 65_536;

const LF = 10;
const CR = 13;

const LOCAL_PATH = /^\/(?!\/)[^#]*$/;

const CGI_FIELDS = new Set(['content-type', 'location', 'status']);

/** Whether a field is the server's to state: of the connection, the date, its report, or an order to one in front. */
function isServers(name: string): boolean {
  return isConnectionField(name) || isServersField(name) || name === 'date' || name.startsWith('x-cgi-');
}

interface HeaderBlock {
  /** Content-Type, Location and Status, by lower-case name. */
  readonly cgi: ReadonlyMap<string, string>;
  readonly other: readonly string[];
  readonly statedBytes: number | undefined;
  /** How many fields it has, those that are not passed on among them. */
  readonly fields: number;
  readonly body: Uint8Array;
}

/** What was read of a block so far. */
interface Reading {
  readonly cgi: Map<string, string>;
  readonly other: string[];
  statedBytes: number | undefined;
  fields: number;
}

/** Reads a program's output. @throws NebulaError GUEST_RESPONSE */
export function parseCgiResponse(name: string, output: Uint8Array): CgiResponse {
  const refuse = (detail: string): NebulaError => new NebulaError('GUEST_RESPONSE', { name, detail });
  const block = readHeaderBlock(output, refuse);
  const { cgi, body } = block;
  if (cgi.size === 0) throw refuse('expected one of Content-Type, Location and Status in the header block, got none');
  const location = cgi.get('location');
  // Only a path alone is the server's to follow (section 6.2.2). With a status, as frameworks write it, Apache passes it on
  // too; with a field or a body beside it lighttpd does, and neither would survive a redirect that is followed here.
  const isAlone = cgi.size === 1 && block.fields === 1 && body.byteLength === 0;
  if (location !== undefined && isAlone && LOCAL_PATH.test(location)) {
    return { kind: 'local-redirect', location: percentEncode(location) };
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
  const body = hasContent('GET', status) ? block.body : NO_BYTES;
  if (contentType === undefined && block.body.byteLength > 0) throw refuse('it has a body and no Content-Type');
  const headers = [...block.other];
  if (contentType !== undefined) headers.unshift('Content-Type', contentType);
  if (location !== undefined) headers.unshift('Location', location);
  return { kind: 'document', status, headers, body, statedBytes: block.statedBytes };
}

// What may stand in a field value and not in a target, one byte a character.
function percentEncode(location: string): string {
  return location.replace(
    /[^\x21-\x7e]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`,
  );
}

function parseStatus(value: string | undefined, otherwise: number): number | undefined {
  if (value === undefined) return otherwise;
  return /^[2-5]\d\d( |$)/.test(value) ? Number(value.slice(0, 3)) : undefined;
}

function readHeaderBlock(output: Uint8Array, refuse: (detail: string) => NebulaError): HeaderBlock {
  const bytes = Buffer.from(output.buffer, output.byteOffset, output.byteLength);
  const reading: Reading = { cgi: new Map(), other: [], statedBytes: undefined, fields: 0 };
  let start = 0;
  for (;;) {
    const newline = bytes.indexOf(LF, start);
    if (newline === -1 || newline >= HEADER_BLOCK_BYTES) {
      throw refuse(`expected an empty line that ends the header block within ${HEADER_BLOCK_BYTES} bytes, got none`);
    }
    const end = newline > start && bytes[newline - 1] === CR ? newline - 1 : newline;
    if (end === start) return { ...reading, body: output.subarray(newline + 1) };
    readField(bytes.toString('latin1', start, end), reading, refuse);
    start = newline + 1;
  }
}

function readField(line: string, reading: Reading, refuse: (detail: string) => NebulaError): void {
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(colon, 0));
  const value = trimFieldValue(line.slice(colon + 1));
  if (!isToken(name) || !isFieldValue(value)) {
    throw refuse(`expected "Name: value" in the header block, got ${JSON.stringify(line.slice(0, 64))}`);
  }
  const key = name.toLowerCase();
  reading.fields++;
  if (CGI_FIELDS.has(key)) {
    if (reading.cgi.has(key)) throw refuse(`it has more than one ${name}`);
    reading.cgi.set(key, value);
  } else if (key === 'content-length') {
    const statedBytes = parseContentLength(value);
    if (statedBytes === undefined)
      throw refuse(`expected digits in Content-Length, got ${JSON.stringify(value.slice(0, 64))}`);
    if (reading.statedBytes !== undefined) throw refuse(`it has more than one ${name}`);
    reading.statedBytes = statedBytes;
  } else if (!isServers(key)) {
    reading.other.push(name, value);
  }
}
