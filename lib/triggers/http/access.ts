/** What an access log says of one request. */

/** One request and what it was answered. */
export interface Access {
  readonly requestId: string;
  readonly method: string;
  /** As it was sent, at most 2,048 characters of it. */
  readonly target: string;
  /** 499 where the client was gone before its answer. */
  readonly status: number;
  /** From the end of the request's head until the answer was handed on, or the end of one that is streamed, in milliseconds. */
  readonly durationMs: number;
  readonly remoteAddress: string;
  /** As it was sent. Source: W3C Trace Context. */
  readonly traceparent?: string;
}

/** Characters of a target that are told. */
export const TARGET_CHARACTERS = 2048;

const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-[\x21-\x7e]{0,64})?$/;

/** The context of a trace that a request belongs to, where it says one. */
export function traceparentOf(given: string | string[] | undefined): { readonly traceparent?: string } {
  return typeof given === 'string' && TRACEPARENT.test(given) ? { traceparent: given } : {};
}
