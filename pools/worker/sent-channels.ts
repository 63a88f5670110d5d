/**
 * Channels that a worker has been sent, by numbers of the pool's: what a request brings again need not be made an object of
 * there anew, which costs more than a small guest. A number is given to another channel when all have been given once.
 */

import type { ComponentEntry } from '../../host/component-entry.ts';

/** Both sides keep a channel alive as long as it has its number. */
const MOST_SENT = 32;

/** Larger ones get no number: with those above, what one worker keeps alive is 64 MiB at the most. */
const MOST_CHANNEL_BYTES = 2 * 1024 * 1024;

/** The pool's side, one for each worker. */
export class SentChannels {
  readonly #channels: (SharedArrayBuffer | undefined)[] = [];
  readonly #numbers: Map<SharedArrayBuffer, number> = new Map();
  #count = 0;

  /** The number of a channel that was sent, or undefined. */
  numberOf(channel: SharedArrayBuffer): number | undefined {
    return this.#numbers.get(channel);
  }

  /** A number for a channel that is sent now; undefined for one that is to be sent each time. */
  add(channel: SharedArrayBuffer): number | undefined {
    const known = this.#numbers.get(channel);
    if (known !== undefined || channel.byteLength > MOST_CHANNEL_BYTES) return known;
    const number = this.#count++ % MOST_SENT;
    const before = this.#channels[number];
    if (before !== undefined) this.#numbers.delete(before);
    this.#channels[number] = channel;
    this.#numbers.set(channel, number);
    return number;
  }

  /** It was not sent after all. */
  forget(channel: SharedArrayBuffer): void {
    const number = this.#numbers.get(channel);
    if (number === undefined) return;
    this.#numbers.delete(channel);
    this.#channels[number] = undefined;
  }
}

/** The channel of a request whose body is there and has no trailers: all else of it is a head and bytes. */
export function channelOfRequest(component: ComponentEntry | undefined): SharedArrayBuffer | undefined {
  if (component?.kind !== 'handler' || component.isStreamed || component.trailers !== undefined) return undefined;
  return component.channel;
}
