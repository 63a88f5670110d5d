/** Where the body of a request to the guest comes from: the invocation's input, or the channel. */

import { NO_BYTES } from '../../../bytes.ts';
import type { HeaderList } from '../../../http-message.ts';
import { decodeMessage, MessageReader } from '../../channel/message.ts';
import { FRAME, type Frame, Ring, RING } from '../../channel/ring.ts';
import type { Host } from '../host.ts';
import { failed } from '../io.ts';
import type { BodySource } from './bodies.ts';
import type { HttpErrorCode } from '../../outgoing/messages.ts';

/** A body that is all there. */
export function wholeSource(input: Uint8Array, trailers: HeaderList | undefined): BodySource {
  let at = 0;
  const over = { list: trailers };
  return {
    isReady: () => true,
    trailers: () => (at >= input.length ? over : undefined),
    take(most) {
      if (most === 0) return NO_BYTES;
      if (at >= input.length) return undefined;
      const part = input.slice(at, at + most);
      at += part.length;
      return part;
    },
  };
}

/** The error-code of a request whose client went away before its end. */
const BROKEN: HttpErrorCode = { tag: 'connection-terminated' };

/** A request's body that comes over the channel while the guest runs. */
export class ChannelSource implements BodySource {
  readonly isClients = true;
  readonly #host: Host;
  readonly #ring: Ring;
  readonly #message: MessageReader = new MessageReader();
  #rest: Uint8Array = NO_BYTES;
  #trailers: HeaderList | undefined = undefined;

  constructor(host: Host, channel: SharedArrayBuffer) {
    this.#host = host;
    this.#ring = new Ring(channel, 'request');
  }

  isReady(): boolean {
    return this.#rest.length > 0 || this.#ring.hasFrame() || this.#ring.state !== RING.open;
  }

  trailers(): ReturnType<BodySource['trailers']> {
    // The state first: what was written before the end is visible after it.
    const { state } = this.#ring;
    if (this.#rest.length > 0 || state === RING.open || this.#ring.hasFrame()) return undefined;
    return { list: this.#trailers, error: state === RING.ended ? undefined : BROKEN };
  }

  take(most: number): Uint8Array | undefined {
    if (most === 0) return NO_BYTES;
    while (this.#rest.length === 0) {
      // The state first: what was written before the end is visible after it.
      const { state } = this.#ring;
      const frame = this.#ring.read();
      if (frame === undefined && state === RING.broken) throw failed(this.#host, 'the request broke off', BROKEN);
      if (frame === undefined) return state === RING.open ? NO_BYTES : undefined;
      this.#accept(frame);
    }
    const part = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(part.length);
    return part;
  }

  #accept(frame: Frame): void {
    if (frame.kind === FRAME.piece) {
      this.#rest = frame.bytes;
      return;
    }
    const message = this.#message.add(frame);
    if (message !== undefined) this.#trailers = decodeMessage(message) as HeaderList;
  }
}
