/** Bytes of nothing, and text as UTF-8 and back: one of each, since none keeps anything between its uses. */

/** What nobody gave. No caller gets it, for a caller may transfer a buffer away. */
export const NO_BYTES: Uint8Array<ArrayBuffer> = new Uint8Array(0);

/** What a guest did not write, in outcomes that callers get. */
export const NO_OUTPUT: Uint8Array = new Uint8Array(0);

/** Text to UTF-8; half a surrogate pair becomes U+FFFD. */
export const UTF8_ENCODER: TextEncoder = new TextEncoder();

/** UTF-8 to text; a byte order mark is dropped, and what is no UTF-8 becomes U+FFFD. */
export const UTF8_DECODER: TextDecoder = new TextDecoder();

/** UTF-8 to text, a byte order mark included; `decode` throws a TypeError for what is no UTF-8. */
export const STRICT_UTF8_DECODER: TextDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
