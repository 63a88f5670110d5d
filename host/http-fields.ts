/**
 * Which fields an HTTP message may have, and whether it may have content: one set of rules for requests into guests, for
 * what guests answer and for what they ask of others. Names are compared in lower case; values have one character a byte.
 * Source: RFC 9110, sections 5 (fields), 6.4 (content), 6.5 (trailers), 7.6.1 (hop-by-hop), 8.6 (Content-Length).
 */

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/;

/** Whether a text is a `token`, as the names of fields and methods are. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** Whether a text is a `field-value`: no control character but tabs within, no white space around it. */
export function isFieldValue(text: string): boolean {
  return VALUE.test(text);
}

/** A value without the spaces and tabs around it, which are not part of it. Source: RFC 9110, section 5.6.3. */
export function trimFieldValue(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && isBlank(text, start)) start++;
  while (end > start && isBlank(text, end - 1)) end--;
  return text.slice(start, end);
}

function isBlank(text: string, at: number): boolean {
  return text[at] === ' ' || text[at] === '\t';
}

/** What a Content-Length says, in bytes; undefined when it is not digits alone, or more than can be counted. */
export function parseContentLength(value: string): number | undefined {
  const sizeBytes = /^\d{1,16}$/.test(value) ? Number(value) : NaN;
  return Number.isSafeInteger(sizeBytes) ? sizeBytes : undefined;
}

const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Whether a field is about one connection, and so neither a guest's to read nor to write. */
export function isConnectionField(name: string): boolean {
  return CONNECTION_FIELDS.has(name) || name.startsWith('proxy-');
}

/** Whether a guest may not set a field: it is about the connection, or says where a request goes. */
export function isHostsField(name: string): boolean {
  return name === 'host' || isConnectionField(name);
}

/** Whether a field of a request is for the guest. `Expect` was answered before the guest begins. */
export function isForGuest(name: string): boolean {
  return name !== 'expect' && !isConnectionField(name);
}

/** By which nginx, Apache, lighttpd and Perlbal are told to answer with a file or a place that clients cannot ask them for. */
const STEERING_PREFIXES: readonly string[] = ['x-accel-redirect', 'x-lighttpd-', 'x-reproxy-', 'x-sendfile'];

/** Whether a field of a response is no guest's to set: Nebula's report of a call, or an order to a server in front. */
export function isServersField(name: string): boolean {
  return (
    name === 'x-request-id' ||
    name.startsWith('nebula-') ||
    (name.startsWith('x-') && STEERING_PREFIXES.some((each) => name.startsWith(each)))
  );
}

/** Framing, routing, request modifiers, authentication, control of the response, and how content is read. */
const NO_TRAILERS: ReadonlySet<string> = new Set([
  'accept-ranges',
  'age',
  'authorization',
  'cache-control',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'cookie',
  'date',
  'expect',
  'expires',
  'host',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'location',
  'max-forwards',
  'pragma',
  'range',
  'retry-after',
  'set-cookie',
  'vary',
  'warning',
  'www-authenticate',
]);

/** Whether a field may come behind the content. Source: RFC 9110, section 6.5.1; RFC 7230, section 4.1.2. */
export function isTrailerField(name: string): boolean {
  return !NO_TRAILERS.has(name) && !isConnectionField(name);
}

/** Whether a response has content. Source: RFC 9110, sections 6.4.1 and 15.3.6. */
export function hasContent(method: string, status: number): boolean {
  if (method === 'HEAD' || status < 200 || status === 204 || status === 205 || status === 304) return false;
  return method !== 'CONNECT' || status >= 300;
}

/** Whether a response without content may say how long it would have been. Source: RFC 9110, section 8.6. */
export function mayTellLength(method: string, status: number): boolean {
  return hasContent(method, status) || status === 304 || (method === 'HEAD' && hasContent('GET', status));
}
