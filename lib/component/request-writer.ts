/** Writes a request's body into the channel, at the pace at which the guest reads it. */

import type { CallerSignal } from '../../host/component/channel/signal.ts';
import { encodeMessage } from '../../host/component/channel/message.ts';
import { FRAME, Ring, RING } from '../../host/component/channel/ring.ts';
import type { HeaderList } from '../../host/http-message.ts';

/** The request's ring as its writer sees it. */
export class RequestWriter {
  readonly #ring: Ring;
  readonly #signal: CallerSignal;
  readonly #isOver: () => boolean;

  /** `signal` is that of the same channel; whatever makes `isOver` true, so that nobody reads any more, wakes it. */
  constructor(channel: SharedArrayBuffer, signal: CallerSignal, isOver: () => boolean) {
    this.#ring = new Ring(channel, 'request');
    this.#signal = signal;
    this.#isOver = isOver;
  }

  /** Writes bytes of body. False when nobody reads any more. */
  body(bytes: Uint8Array): Promise<boolean> {
    return this.#write(bytes, FRAME.piece, FRAME.piece);
  }

  /** Writes the trailers. False when nobody reads any more. */
  trailers(trailers: HeaderList): Promise<boolean> {
    return this.#write(encodeMessage(trailers), FRAME.part, FRAME.last);
  }

  /** The body is complete. */
  end(): void {
    this.#ring.close(RING.ended);
  }

  /** There will be no more of the body. */
  breakOff(): void {
    this.#ring.close(RING.broken);
  }

  /** Writes frames of a kind, the last of another. */
  async #write(bytes: Uint8Array, kind: number, last: number): Promise<boolean> {
    let rest = bytes;
    while (rest.length > 0) {
      const seen = this.#signal.seen();
      if (this.#isOver()) return false;
      const room = this.#ring.room();
      if (room === 0) await this.#signal.changed(seen);
      else {
        this.#ring.write(rest.length <= room ? last : kind, rest.subarray(0, room));
        rest = rest.subarray(room);
      }
    }
    return true;
  }
}
