/** What a guest's thread and its thread for outgoing requests say to each other. */

import type { HeaderList } from './component-call.ts';

export interface OutgoingTimeouts {
  readonly connectMs: number;
  readonly headMs: number;
  readonly betweenBytesMs: number;
}

export type OutgoingRequestMessage =
  | {
      readonly op: 'start';
      readonly id: number;
      /** Cell 0 is bumped and notified with each message to the guest. */
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
  | { readonly op: 'data'; readonly id: number; readonly bytes: Uint8Array }
  | { readonly op: 'end'; readonly id: number }
  | { readonly op: 'taken'; readonly id: number; readonly count: number }
  | { readonly op: 'abort'; readonly id: number };

export type OutgoingAnswer =
  | { readonly kind: 'head'; readonly id: number; readonly status: number; readonly headers: HeaderList }
  | { readonly kind: 'data'; readonly id: number; readonly bytes: Uint8Array }
  | { readonly kind: 'end'; readonly id: number; readonly trailers: HeaderList | undefined }
  | { readonly kind: 'sent'; readonly id: number; readonly count: number }
  | { readonly kind: 'error'; readonly id: number; readonly code: { readonly tag: string; readonly val?: unknown } };

/** Bytes that may be under way in one direction of one request. */
export const WINDOW_BYTES: number = 256 * 1024;
