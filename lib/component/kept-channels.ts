/** Channels of requests that are over, kept for the next ones: a new one is some system calls, and pages that are not there yet. */

import { channelFits, clearChannel, createChannel, isFilled } from '../../host/component/channel/channel.ts';

const MOST_KEPT = 64;
/** One that a long response has filled, whose memory stays taken, is kept only beside fewer than these. */
const MOST_BESIDE_FILLED = 8;

/** The oldest first. */
const kept: SharedArrayBuffer[] = [];

/** A channel as good as new, with room for a response of so many bytes. */
export function takeChannel(bufferBytes: number): SharedArrayBuffer {
  const at = kept.findLastIndex((channel) => channelFits(channel, bufferBytes));
  if (at < 0) return createChannel(bufferBytes);
  return kept.splice(at, 1)[0] as SharedArrayBuffer;
}

/** Takes a channel that neither side uses any more. */
export function keepChannel(channel: SharedArrayBuffer): void {
  if (isFilled(channel) && kept.length >= MOST_BESIDE_FILLED) return;
  // Of a size that nobody asks for any more, perhaps.
  if (kept.length >= MOST_KEPT) kept.shift();
  clearChannel(channel);
  kept.push(channel);
}
