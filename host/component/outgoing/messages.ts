/** What a guest's thread and the thread for outgoing requests say to each other, over a port of that guest thread's own. */

import type { HeaderList } from '../../http-message.ts';

/** How long each part of a request may take, in milliseconds. */
export interface OutgoingTimeouts {
  readonly connectMs: number;
  readonly headMs: number;
  readonly betweenBytesMs: number;
}

/** An address and a port; IPv6 without brackets. */
export interface SocketAddress {
  readonly family: 'ipv4' | 'ipv6';
  readonly address: string;
  readonly port: number;
}

/** What a guest's thread says of its sockets: ids are its own, a connection that was accepted gets one with `adopt`. */
export type SocketMessage =
  | {
      readonly op: 'connect';
      readonly id: number;
      readonly signal: SharedArrayBuffer;
      readonly remote: SocketAddress;
      readonly local: SocketAddress | undefined;
    }
  | {
      readonly op: 'listen';
      readonly id: number;
      readonly signal: SharedArrayBuffer;
      readonly local: SocketAddress;
      readonly backlog: number | undefined;
    }
  | { readonly op: 'adopt'; readonly id: number; readonly listener: number; readonly connection: number }
  | { readonly op: 'socket-data'; readonly id: number; readonly bytes: Uint8Array }
  | { readonly op: 'socket-taken'; readonly id: number; readonly count: number }
  | { readonly op: 'keep-alive'; readonly id: number; readonly isEnabled: boolean; readonly idleMs: number }
  /** Sends what is under way and then ends its direction. */
  | { readonly op: 'shutdown'; readonly id: number }
  | { readonly op: 'close'; readonly id: number };

/** A request as its guest asks for it: `guest` is the same for all of one guest, and for no other's of its thread. */
export interface HttpStart {
  readonly op: 'start';
  readonly id: number;
  readonly guest: number;
  /** Cell 0 is bumped and notified after each message to the guest. */
  readonly signal: SharedArrayBuffer;
  readonly origin: string;
  readonly path: string;
  readonly method: string;
  readonly headers: HeaderList;
  readonly hasBody: boolean;
  /** Whether private and link-local addresses may be connected to. */
  readonly isPrivateGranted: boolean;
  readonly timeouts: OutgoingTimeouts;
  /** Most bytes of the response's body. */
  readonly bodyBytes: number;
}

/** What a guest's thread says of a request. */
export type HttpMessage =
  | HttpStart
  | { readonly op: 'data'; readonly id: number; readonly bytes: Uint8Array }
  | { readonly op: 'end'; readonly id: number }
  | { readonly op: 'taken'; readonly id: number; readonly count: number }
  | { readonly op: 'abort'; readonly id: number };

/** What a guest's thread says to the other. */
export type OutgoingMessage = SocketMessage | HttpMessage;

/** `error-code` of wasi:http. */
export interface HttpErrorCode {
  readonly tag: string;
  readonly val?: unknown;
}

/** Whatever comes for one id: of a request, or of a socket. What is told together travels together, as an array. */
export type OutgoingAnswer = HttpAnswer | SocketAnswer;

/** What comes back for a request. */
export type HttpAnswer =
  | { readonly kind: 'head'; readonly id: number; readonly status: number; readonly headers: HeaderList }
  | { readonly kind: 'data'; readonly id: number; readonly bytes: Uint8Array }
  | { readonly kind: 'end'; readonly id: number; readonly trailers: HeaderList | undefined }
  | { readonly kind: 'sent'; readonly id: number; readonly count: number }
  /** Also the answer to `abort`, unless it came to its end before. */
  | { readonly kind: 'error'; readonly id: number; readonly code: HttpErrorCode };

/** What comes back for a socket. */
export type SocketAnswer =
  /** A socket is connected, or listens. */
  | {
      readonly kind: 'open';
      readonly id: number;
      readonly local: SocketAddress;
      readonly remote: SocketAddress | undefined;
    }
  | { readonly kind: 'accepted'; readonly id: number; readonly connection: number }
  | { readonly kind: 'socket-data'; readonly id: number; readonly bytes: Uint8Array }
  | { readonly kind: 'socket-sent'; readonly id: number; readonly count: number }
  /** Nothing more comes from the other side. */
  | { readonly kind: 'socket-end'; readonly id: number }
  /** The answer to `close`. */
  | { readonly kind: 'socket-closed'; readonly id: number }
  /** `code` is an error-code of wasi:sockets. */
  | { readonly kind: 'socket-error'; readonly id: number; readonly code: string };

/** Bytes that may be under way in one direction of one request or socket, as `chargedBytes` counts them. */
export const WINDOW_BYTES: number = 256 * 1024;

/** What each piece counts besides its bytes: the message that it is takes memory, too. */
const PIECE_BYTES = 1024;

/** What a piece under way counts in its window; both sides give it back whole, when all of the piece is taken or sent. */
export function chargedBytes({ length }: Uint8Array): number {
  return length + PIECE_BYTES;
}

/** What the thread for outgoing requests is given at its start. */
export interface OutgoingThreadData {
  /** See losses.ts. */
  readonly losses: SharedArrayBuffer;
  readonly number: number;
}

/** Says that the thread has loaded its code, and may be ended from now on. */
export const READY = 'ready';
