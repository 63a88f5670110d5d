/** Where the guest's response goes: over the channel, or to a caller in the same thread. */

import type { HandlerEntry } from '../../../component-entry.ts';
import type { HeaderList, ResponseHead } from '../../../http-message.ts';
import { encodeMessage } from '../../channel/message.ts';
import { FRAME, Ring, RING } from '../../channel/ring.ts';
import { CHUNK_BYTES } from '../io.ts';
import type { BodySink } from './bodies.ts';

/** A response that goes out over the channel. */
export class ChannelSink implements BodySink {
  readonly isClients = true;
  readonly #ring: Ring;
  readonly #wait: (sink: BodySink) => void;

  /** `wait` returns when the sink is ready. */
  constructor(channel: SharedArrayBuffer, wait: (sink: BodySink) => void) {
    this.#ring = new Ring(channel, 'response');
    this.#wait = wait;
  }

  isReady(): boolean {
    return this.#ring.room() > 0 || this.#ring.state !== RING.open;
  }

  room(): number | undefined {
    return this.#ring.state === RING.open ? Math.min(CHUNK_BYTES, this.#ring.room()) : undefined;
  }

  head(head: ResponseHead): void {
    this.message(encodeMessage(head));
  }

  trailers(trailers: HeaderList): void {
    this.message(encodeMessage(trailers));
  }

  piece(bytes: Uint8Array): void {
    this.#ring.write(FRAME.piece, bytes);
  }

  end(): void {
    this.#ring.close(RING.ended);
  }

  giveUp(): void {
    this.#ring.close(RING.givenUp);
  }

  /** Sends a message whole, waiting for room as often as it takes. */
  message(bytes: Uint8Array): void {
    let rest = bytes;
    do {
      this.#wait(this);
      const room = this.room();
      if (room === undefined) return;
      const part = rest.subarray(0, room);
      rest = rest.subarray(part.length);
      this.#ring.write(rest.length === 0 ? FRAME.last : FRAME.part, part);
    } while (rest.length > 0);
  }
}

/** The sink an entry brings: its own, or one over its channel. */
export function sinkOf(entry: HandlerEntry, wait: (sink: BodySink) => void): BodySink {
  const { channel, sink } = entry;
  if (channel !== undefined) return new ChannelSink(channel, wait);
  if (sink === undefined) throw new Error('a request came without a channel');
  return {
    isReady: () => true,
    head: (head) => sink.head(head),
    room: () => sink.room(),
    piece: (bytes) => sink.piece(bytes),
    trailers: (trailers) => sink.trailers(trailers),
    end: () => sink.end(),
    giveUp: () => sink.giveUp?.(),
  };
}
