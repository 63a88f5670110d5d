/**
 * By which of its exports an invocation enters a component, and what it brings along: plain data, but for the sink of a
 * caller in the same thread. Without an entry a component is run as a command.
 */

import type { HeaderList, RequestHead, ResponseHead } from './http-message.ts';

/** Where a guest's response goes as it is made. */
export interface ResponseSink {
  head(head: ResponseHead): void;
  /** Bytes of body it takes now; undefined when nobody wants them any more. */
  room(): number | undefined;
  /** Takes a piece of body, of as many bytes as `room` said at most. */
  piece(bytes: Uint8Array): void;
  trailers(trailers: HeaderList): void;
  /** The body is complete. */
  end(): void;
  /** There will be no response, or no more of it: the guest gave it up. */
  giveUp?(): void;
}

/** A request for `wasi:http/incoming-handler`. */
export interface HandlerEntry {
  readonly kind: 'handler';
  readonly request: RequestHead;
  /** Where request and response travel while the guest runs (component/channel/channel.ts). */
  readonly channel?: SharedArrayBuffer;
  /** Whether the body comes over the channel; without it, it is the invocation's input. */
  readonly isStreamed: boolean;
  /** Trailers of a body that is the invocation's input. */
  readonly trailers?: HeaderList | undefined;
  /** In place of a channel, for a caller in the guest's own thread. */
  readonly sink?: ResponseSink;
}

/** A call of an exported function. */
export interface FunctionEntry {
  readonly kind: 'function';
  /** Interface with its version, or undefined for a function of the world. */
  readonly interface: string | undefined;
  readonly name: string;
  readonly arguments: readonly unknown[];
  /** Where the result travels. */
  readonly channel?: SharedArrayBuffer;
  /** In place of a channel, for a caller in the guest's own thread. */
  readonly sink?: ResultSink;
}

/** Where the result of a function goes, as component/vm/exported-function.ts encodes it. */
export interface ResultSink {
  result(bytes: Uint8Array): void;
}

/** How an invocation enters a component. */
export type ComponentEntry = HandlerEntry | FunctionEntry;
