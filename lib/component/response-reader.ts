/** Reads what a guest sends back over the channel: pieces of body and whole messages, in their order. */

import type { CallerSignal } from '../../host/component/channel/signal.ts';
import { MessageReader } from '../../host/component/channel/message.ts';
import { FRAME, type Frame, Ring, RING } from '../../host/component/channel/ring.ts';

/** The response's ring as its reader sees it. */
export class ResponseReader {
  readonly #ring: Ring;
  readonly #signal: CallerSignal;
  readonly #isOver: () => boolean;
  readonly #message: MessageReader = new MessageReader();

  /** `signal` is that of the same channel; whatever makes `isOver` true, so that nothing more comes, wakes it. */
  constructor(channel: SharedArrayBuffer, signal: CallerSignal, isOver: () => boolean) {
    this.#ring = new Ring(channel, 'response');
    this.#signal = signal;
    this.#isOver = isOver;
  }

  /** One of RING. */
  get state(): number {
    return this.#ring.state;
  }

  /** Ends or breaks the ring, which the guest sees where it writes next. */
  close(state: number): void {
    this.#ring.close(state);
  }

  /** Whether there is something to be read, or nothing will come. */
  get hasNews(): boolean {
    return this.#ring.hasFrame() || this.#ring.state !== RING.open;
  }

  /** Bytes that are there, with what frames take of them. */
  get sizeBytes(): number {
    return this.#ring.sizeBytes;
  }

  /** What is there: the next piece of body or whole message, or undefined. */
  take(): Frame | undefined {
    for (let frame = this.#ring.read(); frame !== undefined; frame = this.#ring.read()) {
      if (frame.kind === FRAME.piece) return frame;
      const bytes = this.#message.add(frame);
      if (bytes !== undefined) return { kind: FRAME.last, bytes };
    }
    return undefined;
  }

  /** The next piece of body (FRAME.piece) or whole message (FRAME.last); undefined when there will be none. */
  async next(): Promise<Frame | undefined> {
    for (;;) {
      const seen = this.#signal.seen();
      // The end first: what was written before it is visible after it.
      const wasOver = this.#isOver();
      const frame = this.take();
      if (frame !== undefined) return frame;
      if (wasOver) return undefined;
      await this.#signal.changed(seen);
    }
  }
}
