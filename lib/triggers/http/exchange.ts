/**
 * What both transports (node:http and fetch) hand to the routes, and what they get back. A transport owns the bytes on the
 * wire; nothing here knows which one it is.
 */

import { NebulaError } from '../../../host/errors.ts';
import { mayTellLength } from '../../../host/http-fields.ts';
import type { RequestStream } from '../../component/reception.ts';
import type { RequestTarget } from './request-target.ts';

/** One request, its body not read yet. */
export interface Exchange {
  readonly method: string;
  /** Where it was sent; the host is the target's or the Host field's, or the transport's own when there is none. */
  readonly target: RequestTarget;
  /** `HTTP/1.1` and so on. */
  readonly protocol: string;
  /** The client's address, or `0.0.0.0` where the transport cannot know it. */
  readonly remoteAddress: string;
  /** This machine's address on the connection; undefined where the transport cannot know it. */
  readonly localAddress: string | undefined;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
  /** By which the log and the answer call it. */
  readonly requestId: string;
  /** Local redirects already followed on the way to this request. */
  readonly redirects: number;
  /** A header by its lower-case name, repeated fields joined. */
  header(name: string): string | undefined;
  /** Whether there is a body to be read. */
  readonly hasBody: boolean;
  /** Every header, names in lower case; `x-request-id` is the id in force. */
  headers(): Iterable<readonly [name: string, value: string]>;
  /**
   * Reads the body, and stops as soon as it is known to be longer than `limitBytes`.
   * @throws BodyTooLarge, NebulaError CLIENT_CLOSED
   */
  readBody(limitBytes: number): Promise<Uint8Array>;
  /** The body as it comes, in place of `readBody`; it throws CLIENT_CLOSED when the client goes away. */
  bodyStream(): RequestStream;
}

/** A response, ready to be written. */
export interface Answer {
  readonly status: number;
  /** Names and values in turn. `Content-Length` is the transport's to add. */
  readonly headers: readonly string[];
  readonly body: Uint8Array | string;
  /**
   * Bytes that the answer to a HEAD says a GET would have, in place of the body's; undefined says nothing.
   * Source: RFC 9110, section 8.6.
   */
  readonly headLength?: { readonly sizeBytes: number | undefined };
  /** A body that is written as it comes, in place of `body`; the connection is cut when it fails. */
  readonly stream?: BodyStream;
}

/** A body that is written while it is made. */
export interface BodyStream {
  readonly body: AsyncGenerator<Uint8Array, void, undefined>;
  /** Asked for once the body has ended. */
  trailers(): readonly (readonly [name: string, value: string])[] | undefined;
  /** Told when the body is given up while its reader is behind. */
  onCut?(listener: () => void): void;
}

/** A body that passed its limit. Which error that is depends on what was sent: an input or a module. */
export class BodyTooLarge extends Error {
  readonly sizeBytes: number;
  readonly limitBytes: number;

  /** `sizeBytes` is the size announced, or what had arrived when reading stopped. */
  constructor(sizeBytes: number, limitBytes: number) {
    super(`The body has ${sizeBytes} bytes or more, the limit is ${limitBytes}`);
    this.name = 'BodyTooLarge';
    this.sizeBytes = sizeBytes;
    this.limitBytes = limitBytes;
  }
}

/** Reads an invocation's input. @throws NebulaError INPUT_TOO_LARGE, CLIENT_CLOSED */
export async function readInput(exchange: Exchange, limitBytes: number): Promise<Uint8Array> {
  try {
    return await exchange.readBody(limitBytes);
  } catch (error) {
    throw toInputError(error);
  }
}

/** The error of the table for what went wrong while an input was read. */
export function toInputError(error: unknown): unknown {
  if (!(error instanceof BodyTooLarge)) return error;
  return new NebulaError('INPUT_TOO_LARGE', { limitBytes: error.limitBytes }, { cause: error });
}

/** The size a Content-Length header announces, in bytes; undefined when there is none or it is no number. */
export function announcedBytes(contentLength: string | undefined): number | undefined {
  return contentLength !== undefined && /^\d+$/.test(contentLength) ? Number(contentLength) : undefined;
}

/** What an answer's Content-Length says, in bytes; undefined where it has none. Source: RFC 9110, section 8.6. */
export function lengthOf(method: string, { status, body, headLength }: Answer): number | undefined {
  // A 205 has no content, and says so.
  if (status === 205) return 0;
  // What a GET would have is not known where the answer is 304.
  if (status === 304 || !mayTellLength(method, status)) return undefined;
  return method === 'HEAD' && headLength !== undefined ? headLength.sizeBytes : Buffer.byteLength(body);
}

/** Reads a body that nobody wants, so that whoever writes it is not held up. */
export function drain(body: AsyncIterable<Uint8Array>): void {
  void (async () => {
    for await (const _ of body) continue;
  })().catch(() => undefined);
}
