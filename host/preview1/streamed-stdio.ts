/** stdin and stdout that travel over a channel while the guest runs: it waits for its caller, with its thread. */

import { FRAME, Ring, RING } from '../component/channel/ring.ts';
import { GUEST, guestSignal, isToStop, tellCaller } from '../component/channel/signal.ts';
import { NO_BYTES } from '../bytes.ts';
import type { Result } from '../filesystem/descriptor.ts';
import { ERRNO } from '../wasi/errno.ts';
import { waitBlocked } from '../wasi/session/blocked-thread.ts';
import { COUNT } from '../wasi/session/record-layout.ts';
import type { Session } from '../wasi/session/session.ts';
import { Stream } from '../wasi/session/stdio.ts';

/** Longest single wait, as everywhere. */
const LONGEST_WAIT_MS = 60_000;
/** Most bytes of one frame. */
const FRAME_BYTES = 65_536;

/** Waits for the caller until `isReady`. @throws what stops the guest: it was aborted, its time is up */
function waitForCaller(session: Session<object>, signal: Int32Array, isReady: () => boolean): void {
  for (let isTold = false; ; isTold = true) {
    const seen = Atomics.load(signal, 0);
    if (isToStop(signal)) throw session.stop({ kind: 'aborted' });
    session.ask();
    if (isReady()) {
      if (isTold) tellCaller(signal, GUEST.running);
      return;
    }
    tellCaller(signal, GUEST.waitingForCaller);
    const { account } = session.options;
    waitBlocked(signal, 0, seen, Math.max(0, Math.min(account?.leftMs ?? Infinity, LONGEST_WAIT_MS)));
  }
}

/** stdin, of which a part may still be on its way. */
export class StreamedInput extends Stream {
  readonly #session: Session<object>;
  readonly #ring: Ring;
  readonly #signal: Int32Array;
  #rest: Uint8Array = NO_BYTES;

  constructor(session: Session<object>, channel: SharedArrayBuffer) {
    super();
    this.#session = session;
    this.#ring = new Ring(channel, 'request');
    this.#signal = guestSignal(channel);
  }

  /** Waits for the first byte or the end, and answers with what is there. */
  override read(target: Uint8Array, result: Result): number {
    result.count = 0;
    if (target.length === 0) return ERRNO.success;
    waitForCaller(this.#session, this.#signal, () => this.#isReady());
    result.count = this.readReady(target);
    // What its caller could not send to the end is not taken for whole.
    return result.count === 0 && this.#ring.state === RING.broken ? ERRNO.io : ERRNO.success;
  }

  /** What is there, without waiting. */
  readReady(target: Uint8Array): number {
    let count = 0;
    while (count < target.length) {
      if (this.#rest.length === 0) this.#rest = this.#ring.read()?.bytes ?? NO_BYTES;
      if (this.#rest.length === 0) break;
      const part = this.#rest.subarray(0, target.length - count);
      target.set(part, count);
      this.#rest = this.#rest.subarray(part.length);
      count += part.length;
    }
    const { stdin, counts } = this.#session;
    stdin.bytesRead += count;
    counts[COUNT.inputBytes] = stdin.bytesRead;
    return count;
  }

  override readableBytes(): number {
    return this.#rest.length + this.#ring.sizeBytes;
  }

  #isReady(): boolean {
    // The state first: what was written before the end is visible after it.
    const isOver = this.#ring.state !== RING.open;
    return this.#rest.length > 0 || this.#ring.hasFrame() || isOver;
  }
}

/** stdout, whose reader may be behind. */
export class StreamedOutput extends Stream {
  readonly #session: Session<object>;
  readonly #ring: Ring;
  readonly #signal: Int32Array;

  constructor(session: Session<object>, channel: SharedArrayBuffer) {
    super();
    this.#session = session;
    this.#ring = new Ring(channel, 'response');
    this.#signal = guestSignal(channel);
  }

  /** Takes all of it, waiting for room; PIPE once nobody reads any more. */
  override write(source: Uint8Array, result: Result): number {
    result.count = 0;
    while (result.count < source.length) {
      waitForCaller(this.#session, this.#signal, () => this.#ring.room() > 0 || this.#ring.state !== RING.open);
      if (this.#ring.state !== RING.open) return ERRNO.pipe;
      const most = Math.min(FRAME_BYTES, this.#ring.room());
      const part = source.subarray(result.count, result.count + most);
      this.#ring.write(FRAME.piece, part);
      result.count += part.length;
    }
    return ERRNO.success;
  }
}
