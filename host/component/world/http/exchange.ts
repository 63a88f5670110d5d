/** The guest's side of an exchange: its request's body and its response's sink, over a channel or in memory. */

import { NO_BYTES } from '../../../bytes.ts';
import type { HeaderList, HttpCall, ResponseHead } from '../../channel/component-call.ts';
import { decodeMessage, encodeMessage, FRAME, type Frame, MessageReader, Ring, RING } from '../../channel/channel.ts';
import type { Host } from '../host.ts';
import { CHUNK_BYTES, failed } from '../io.ts';
import type { BodySink, BodySource, HttpErrorCode } from './bodies.ts';

/** A body that is all there. */
export function bodyOf(input: Uint8Array, trailers: HeaderList | undefined): BodySource {
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

/** A body that comes over the channel while the guest runs. */
export class StreamedBody implements BodySource {
  readonly isClients = true;
  readonly #host: Host;
  readonly #ring: Ring;
  readonly #message: MessageReader = new MessageReader();
  #rest: Uint8Array = NO_BYTES;
  #trailers: HeaderList | undefined = undefined;
  /** Bytes taken so far. */
  takenBytes = 0;

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
    this.takenBytes += part.length;
    return part;
  }

  #accept(frame: Frame): void {
    if (frame.kind === FRAME.data) {
      this.#rest = frame.bytes;
      return;
    }
    const message = this.#message.add(frame);
    if (message !== undefined) this.#trailers = decodeMessage(message) as HeaderList;
  }
}

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

  data(bytes: Uint8Array): void {
    this.#ring.write(FRAME.data, bytes);
  }

  end(): void {
    this.#ring.close(RING.ended);
  }

  abort(): void {
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

/** The sink a call brings: its own, or one over its channel. */
export function sinkOf(call: HttpCall, wait: (sink: BodySink) => void): BodySink {
  const { channel, sink } = call;
  if (channel !== undefined) return new ChannelSink(channel, wait);
  if (sink === undefined) throw new Error('a request came without a channel');
  return {
    isReady: () => true,
    head: (head) => sink.head(head),
    room: () => sink.room(),
    data: (bytes) => sink.data(bytes),
    trailers: (trailers) => sink.trailers(trailers),
    end: () => sink.end(),
    abort: () => sink.abort?.(),
  };
}
