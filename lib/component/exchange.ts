/**
 * One request to a component and its response, streamed both ways while the guest runs on another thread. Each direction
 * holds at most a ring's bytes: a slow reader holds the writer up, whichever side it is on, as long as nobody needs the
 * guest's thread (client-watch.ts).
 */

import { NO_BYTES } from '../../host/bytes.ts';
import type { HeaderList, HttpCall, RequestHead, ResponseHead } from '../../host/component/channel/component-call.ts';
import {
  CallerSignal,
  decodeMessage,
  encodeMessage,
  FRAME,
  MessageReader,
  Ring,
  RING,
} from '../../host/component/channel/channel.ts';
import { NebulaError } from '../../host/errors.ts';
import type { Limits } from '../../host/limits.ts';
import type { Invocation, Outcome } from '../../host/outcome.ts';
import type { ClientWatch, Watched } from './client-watch.ts';
import { exchangeHere } from './exchange-here.ts';
import { GuestEnded, givenUp } from './guest-ended.ts';
import { keepChannel, takeChannel } from './kept-channels.ts';
import { unwatchAbort, watchAbort } from '../../pools/abort-watch.ts';
import { receive, type Received, type RequestBody, type StreamedRequest } from './reception.ts';

export interface ComponentResponse extends ResponseHead {
  /** Pieces as they come; throws when the guest ends before its body does. */
  readonly body: AsyncGenerator<Uint8Array, void, undefined>;
  /** Known when the body has been read to its end. */
  trailers(): HeaderList | undefined;
  /** Resolves once the guest has ended; rejects for what Nebula could not do. */
  readonly outcome: Promise<Outcome>;
  /** Told when the response is given up while nobody reads it: what is left of it need not be waited for. */
  onCut?(listener: () => void): void;
}

/** A function to send requests to. */
export interface Target {
  readonly name: string;
  readonly limits: Limits;
  /** Whether its guests run in this thread, which then does nothing else. */
  readonly isInThread: boolean;
  readonly clients: ClientWatch;
  invoke(invocation: Invocation, signal: AbortSignal): Promise<Outcome>;
}

/** Time a guest that is told to stop may take before its thread is ended: one that waits will, one that computes may not. */
const STOP_MS = { waiting: 1000, computing: 50 } as const;

/**
 * Sends a request and resolves with the response's head.
 * @throws GuestEnded; NebulaError DEADLINE for the first byte, CLIENT_CLOSED, CLIENT_SLOW, INPUT_TOO_LARGE, QUEUE_FULL; what
 * `invoke` throws
 */
export async function exchange(
  target: Target,
  request: RequestHead,
  body: RequestBody,
  signal?: AbortSignal,
): Promise<ComponentResponse> {
  if (target.isInThread) return exchangeHere(target, request, body, signal ?? new AbortController().signal);
  if (isAborted(signal)) throw new NebulaError('CLIENT_CLOSED');
  const { name, limits, clients } = target;
  const received =
    body instanceof Uint8Array ? { whole: body, trailers: undefined } : await receive(body, limits, signal);
  if (received.whole === undefined) {
    await clients.takePlace(name, limits.queueLength, signal);
    // It may have gone between the place and this line, where nobody listened.
    if (isAborted(signal)) {
      clients.leavePlace(name);
      throw new NebulaError('CLIENT_CLOSED');
    }
  }
  const one = new Exchange(target, signal);
  return one.start(request, received);
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

class Exchange implements Watched {
  readonly #target: Target;
  readonly #channel: SharedArrayBuffer;
  readonly #signal: CallerSignal;
  readonly #response: Ring;
  readonly #message: MessageReader = new MessageReader();
  readonly #abort: AbortController = new AbortController();
  readonly #caller: AbortSignal | undefined;
  readonly #onCallerAbort = (): void => this.#stop(new NebulaError('CLIENT_CLOSED'));
  #outcome: Outcome | undefined = undefined;
  #failure: { readonly error: unknown } | undefined = undefined;
  #trailers: HeaderList | undefined = undefined;
  #firstByteTimer: NodeJS.Timeout | undefined = undefined;
  #stopTimer: NodeJS.Timeout | undefined = undefined;
  #onCut: (() => void) | undefined = undefined;
  isReceiving = false;
  movedBytes = 0;
  /** What still uses the channel: guest, request's body, response's body. */
  #users = 3;

  constructor(target: Target, caller: AbortSignal | undefined) {
    this.#target = target;
    this.#caller = caller;
    this.#channel = takeChannel(target.limits.bufferBytes);
    this.#signal = new CallerSignal(this.#channel);
    this.#response = new Ring(this.#channel, 'response');
  }

  async start(request: RequestHead, received: Received): Promise<ComponentResponse> {
    if (this.#caller !== undefined) watchAbort(this.#caller, this.#onCallerAbort);
    const isStreamed = received.whole === undefined;
    const call = { kind: 'http', request, channel: this.#channel, isStreamed } as const;
    const trailers = isStreamed ? undefined : received.trailers;
    const component: HttpCall = trailers === undefined ? call : { ...call, trailers };
    const invocation: Invocation = { input: isStreamed ? NO_BYTES : received.whole, component };
    this.isReceiving = isStreamed;
    const outcome = this.#watch(this.#target.invoke(invocation, this.#abort.signal));
    this.#target.clients.add(this);
    if (isStreamed) void this.#send(received.rest);
    else this.#leave();
    this.#startFirstByteTimer();
    const head = await this.#readHead(outcome);
    const onCut = (listener: () => void): void => void (this.#onCut = listener);
    return { ...head, body: this.#readBody(), trailers: () => this.#trailers, outcome, onCut };
  }

  get isAwaited(): boolean {
    return this.#signal.isAwaited;
  }

  giveUp(): void {
    this.#stop(new NebulaError('CLIENT_SLOW', { name: this.#target.name }));
    this.#onCut?.();
  }

  /** Has the guest end where it next waits, so that its thread lives on; if it does not in time, ends the thread. */
  #stop(error: unknown): void {
    this.#failure ??= { error };
    const stopMs = this.#signal.isAwaited ? STOP_MS.waiting : STOP_MS.computing;
    this.#signal.stopGuest();
    this.#signal.wake();
    this.#stopTimer ??= setTimeout(() => this.#abort.abort(), stopMs);
  }

  #startFirstByteTimer(): void {
    const { firstByteMs } = this.#target.limits;
    if (firstByteMs === 0) return;
    this.#firstByteTimer = setTimeout(() => {
      this.#stop(new NebulaError('DEADLINE', { name: this.#target.name, timeoutMs: firstByteMs }));
    }, firstByteMs);
  }

  #watch(running: Promise<Outcome>): Promise<Outcome> {
    const settled = running.then(
      (outcome) => {
        this.#outcome = outcome;
        return outcome;
      },
      (error: unknown) => {
        this.#failure ??= { error };
        throw error;
      },
    );
    const done = (): void => {
      clearTimeout(this.#stopTimer);
      this.#target.clients.remove(this);
      this.#receivedAll();
      if (this.#caller !== undefined) unwatchAbort(this.#caller, this.#onCallerAbort);
      this.#leave();
      this.#signal.wake();
    };
    settled.then(done, done);
    return settled;
  }

  async #readHead(outcome: Promise<Outcome>): Promise<ResponseHead> {
    try {
      for (;;) {
        const message = await this.#next();
        if (message === undefined) break;
        if (message.kind === FRAME.data) continue;
        return decodeMessage(message.bytes) as ResponseHead;
      }
      this.#leave();
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#response.state === RING.givenUp) throw givenUp(this.#target.name);
      throw new GuestEnded(this.#target.name, await outcome);
    } finally {
      clearTimeout(this.#firstByteTimer);
    }
  }

  async *#readBody(): AsyncGenerator<Uint8Array, void, undefined> {
    let isWhole = false;
    try {
      for (;;) {
        const message = await this.#next();
        if (message === undefined) break;
        if (message.kind === FRAME.data) {
          yield message.bytes;
          this.movedBytes += message.bytes.length;
        } else this.#trailers = decodeMessage(message.bytes) as HeaderList;
      }
      isWhole = this.#response.state === RING.ended;
      if (isWhole) return;
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#response.state === RING.givenUp) throw givenUp(this.#target.name);
      throw new GuestEnded(this.#target.name, this.#outcome as Outcome);
    } finally {
      // Whoever stops reading has no use for the rest. A guest that gave up ends by itself, or at its deadline.
      if (!isWhole && this.#response.state !== RING.givenUp && this.#stopTimer === undefined) {
        this.#response.close(RING.broken);
        this.#abort.abort();
      }
      this.#leave();
    }
  }

  /** The next piece of body or whole message; undefined when there will be none. */
  async #next(): Promise<{ readonly kind: number; readonly bytes: Uint8Array } | undefined> {
    for (;;) {
      const seen = this.#signal.seen();
      // The end first: what was written before it is visible after it.
      const isOver = this.#isOver();
      const frame = this.#response.read();
      if (frame?.kind === FRAME.data) return frame;
      if (frame !== undefined) {
        const message = this.#message.add(frame);
        if (message !== undefined) return { kind: FRAME.last, bytes: message };
        continue;
      }
      if (isOver) return undefined;
      await this.#signal.changed(seen);
    }
  }

  #isOver(): boolean {
    const isSettled = this.#outcome !== undefined || this.#failure !== undefined;
    const { state } = this.#response;
    return isSettled || state === RING.ended || state === RING.givenUp;
  }

  /** Sends the body at the pace at which the guest reads it. */
  async #send(body: StreamedRequest): Promise<void> {
    const ring = new Ring(this.#channel, 'request');
    const { inputBytes } = this.#target.limits;
    let sentBytes = 0;
    try {
      for await (const chunk of body) {
        sentBytes += chunk.byteLength;
        this.movedBytes += chunk.byteLength;
        if (sentBytes > inputBytes) throw new NebulaError('INPUT_TOO_LARGE', { limitBytes: inputBytes });
        if (!(await this.#sendChunk(ring, chunk))) return;
      }
      const trailers = body.trailers?.() ?? [];
      if (trailers.length > 0 && !(await this.#sendTrailers(ring, trailers))) return;
      ring.close(RING.ended);
      this.#receivedAll();
    } catch (error) {
      this.#stop(error);
      ring.close(RING.broken);
    } finally {
      this.#leave();
    }
  }

  /** Gives back the place of a request whose body comes. */
  #receivedAll(): void {
    if (!this.isReceiving) return;
    this.isReceiving = false;
    this.#target.clients.leavePlace(this.#target.name);
  }

  #sendTrailers(ring: Ring, trailers: HeaderList): Promise<boolean> {
    return this.#sendChunk(ring, encodeMessage(trailers), FRAME.part, FRAME.last);
  }

  /** Sends pieces of a kind, the last of another. False when nobody reads any more. */
  async #sendChunk(ring: Ring, chunk: Uint8Array, kind: number = FRAME.data, last: number = kind): Promise<boolean> {
    let rest = chunk;
    while (rest.length > 0) {
      const seen = this.#signal.seen();
      if (this.#outcome !== undefined || this.#failure !== undefined) return false;
      const room = ring.room();
      if (room === 0) await this.#signal.changed(seen);
      else {
        ring.write(rest.length <= room ? last : kind, rest.subarray(0, room));
        rest = rest.subarray(room);
      }
    }
    return true;
  }

  /** The last to leave gives the channel back; that of a guest that was stopped may still be written to. */
  #leave(): void {
    this.#users--;
    if (this.#users === 0 && this.#outcome?.kind === 'ok') keepChannel(this.#channel);
  }
}
