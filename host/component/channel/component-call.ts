/** What an invocation of a component carries besides its input: plain data, but for the sink of a caller in the same thread. */

/** Names and values of header fields in order; values are bytes, one a character (Latin-1). */
export type HeaderList = readonly (readonly [name: string, value: string])[];

export interface RequestHead {
  readonly method: string;
  readonly scheme: 'http' | 'https';
  readonly authority: string;
  readonly pathWithQuery: string;
  readonly headers: HeaderList;
}

export interface ResponseHead {
  readonly status: number;
  readonly headers: HeaderList;
}

/** Where a guest's response goes as it is made. */
export interface ResponseSink {
  head(head: ResponseHead): void;
  /** Bytes of body it takes now; undefined when nobody wants them any more. */
  room(): number | undefined;
  data(bytes: Uint8Array): void;
  trailers(trailers: HeaderList): void;
  /** The body is complete. */
  end(): void;
  /** There will be no response, or no more of it: the guest gave it up. */
  abort?(): void;
}

/** A request for `wasi:http/incoming-handler`. */
export interface HttpCall {
  readonly kind: 'http';
  readonly request: RequestHead;
  /** Where request and response travel while the guest runs (exchange-channel.ts). */
  readonly channel?: SharedArrayBuffer;
  /** Whether the body comes over the channel; without it, it is the invocation's input. */
  readonly isStreamed: boolean;
  /** Trailers of a body that is the invocation's input. */
  readonly trailers?: HeaderList | undefined;
  /** In place of a channel, for a caller in the guest's own thread. */
  readonly sink?: ResponseSink;
}

/** A call of an exported function. */
export interface FunctionCall {
  readonly kind: 'call';
  /** Interface with its version, or undefined for a function of the world. */
  readonly interface: string | undefined;
  readonly name: string;
  readonly arguments: readonly unknown[];
  readonly channel?: SharedArrayBuffer;
  readonly sink?: ValueSink;
}

/** Where the result of a call goes. */
export interface ValueSink {
  value(bytes: Uint8Array): void;
}

export type ComponentCall = HttpCall | FunctionCall;
