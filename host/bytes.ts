/** Bytes of nothing, and text as UTF-8 and back: one of each, since none keeps anything between its uses. */

/** What nobody gave. No caller gets it, for a caller may transfer a buffer away. */
export const NO_BYTES: Uint8Array<ArrayBuffer> = new Uint8Array(0);

/** The same bytes in memory that every thread may be given as it is. Whoever has them writes to them no more. */
export function sharedCopy(bytes: Uint8Array): Uint8Array<SharedArrayBuffer> {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  return shared;
}

interface Transferable {
  readonly detached?: boolean;
}

/** Not on Node 20, where a buffer without bytes can be transferred again and again. */
const TELLS_DETACHED = 'detached' in ArrayBuffer.prototype;
let empty: Uint8Array = new Uint8Array(0);

/** What a guest did not write, in outcomes that callers get: one for all, until a caller transfers it away. */
export function noOutput(): Uint8Array {
  if (TELLS_DETACHED && (empty.buffer as Transferable).detached === true) empty = new Uint8Array(0);
  return empty;
}

/** Text to UTF-8; half a surrogate pair becomes U+FFFD. */
export const UTF8_ENCODER: TextEncoder = new TextEncoder();

/** UTF-8 to text; a byte order mark is dropped, and what is no UTF-8 becomes U+FFFD. */
export const UTF8_DECODER: TextDecoder = new TextDecoder();

/** UTF-8 to text, a byte order mark included; `decode` throws a TypeError for what is no UTF-8. */
export const STRICT_UTF8_DECODER: TextDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
