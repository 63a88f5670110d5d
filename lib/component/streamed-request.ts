/**
 * One request to a component and its response, streamed both ways while the guest runs on another thread. Each direction
 * holds at most a ring's bytes: a slow reader holds the writer up, whichever side it is on, as long as nobody needs the
 * guest's thread (client-watch.ts).
 */

import { NO_BYTES } from '../../host/bytes.ts';
import type { HandlerEntry } from '../../host/component-entry.ts';
import { decodeMessage } from '../../host/component/channel/message.ts';
import { FRAME, RING } from '../../host/component/channel/ring.ts';
import { CallerSignal } from '../../host/component/channel/signal.ts';
import { NebulaError } from '../../host/errors.ts';
import type { HeaderList, RequestHead, ResponseHead } from '../../host/http-message.ts';
import type { Invocation, Outcome } from '../../host/outcome.ts';
import { GatheredBytes } from '../../host/gathered-bytes.ts';
import { unwatchAbort, watchAbort } from '../../pools/abort-watch.ts';
import { DisconnectSignal } from '../../pools/disconnect-signal.ts';
import type { Watched } from './client-watch.ts';
import { GuestEnded, givenUp } from './guest-ended.ts';
import { keepChannel, takeChannel } from './kept-channels.ts';
import { leave, lookAt, type QuietRequest } from './quiet-requests.ts';
import type { Received, RequestStream } from './reception.ts';
import { RequestWriter } from './request-writer.ts';
import { ResponseReader } from './response-reader.ts';
import { type ComponentResponse, type Target, WHOLE_BYTES } from './target.ts';

/** Time a guest that is told to stop may take before its thread is ended: one that waits will, one that computes may not. */
const STOP_MS = { waiting: 1000, computing: 50 } as const;

const ABORTED = new NebulaError('CLIENT_CLOSED');

async function* inOnePiece(whole: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  if (whole.length > 0) yield whole;
}

/** The caller's side of a request, from the invocation until guest, body and response are done with the channel. */
export class StreamedRequest implements Watched, QuietRequest {
  readonly #target: Target;
  readonly #channel: SharedArrayBuffer;
  readonly #signal: CallerSignal;
  readonly #response: ResponseReader;
  readonly #abort: DisconnectSignal = new DisconnectSignal();
  #onNews: (() => void) | undefined = undefined;
  readonly #caller: AbortSignal | undefined;
  readonly #onCallerAbort = (): void => this.#stop(new NebulaError('CLIENT_CLOSED'));
  #outcome: Outcome | undefined = undefined;
  #failure: { readonly error: unknown } | undefined = undefined;
  #trailers: HeaderList | undefined = undefined;
  #firstByteTimer: NodeJS.Timeout | undefined = undefined;
  /** Whether its guest is stopped since the head did not come in time. */
  #isLate = false;
  #stopTimer: NodeJS.Timeout | undefined = undefined;
  #onCut: (() => void) | undefined = undefined;
  /** Whether its body still comes. */
  isReceiving = false;
  /** Bytes that its client has sent and read so far. */
  movedBytes = 0;
  /** What still uses the channel: guest, request's body, response's body. */
  #users = 3;

  /** `caller` is who may give up the request. */
  constructor(target: Target, caller: AbortSignal | undefined) {
    this.#target = target;
    this.#caller = caller;
    this.#channel = takeChannel(target.limits.bufferBytes);
    this.#signal = new CallerSignal(this.#channel);
    this.#response = new ResponseReader(this.#channel, this.#signal, () => this.#isOver());
  }

  /** Runs the guest and resolves with the response's head. @throws as `sendRequest` (request.ts) */
  async start(request: RequestHead, received: Received): Promise<ComponentResponse> {
    if (this.#caller !== undefined) watchAbort(this.#caller, this.#onCallerAbort);
    const isStreamed = received.whole === undefined;
    const entry = { kind: 'handler', request, channel: this.#channel, isStreamed } as const;
    const trailers = isStreamed ? undefined : received.trailers;
    const component: HandlerEntry = trailers === undefined ? entry : { ...entry, trailers };
    const invocation: Invocation = { input: isStreamed ? NO_BYTES : received.whole, component };
    this.isReceiving = isStreamed;
    const outcome = this.#watch(this.#target.invoke(invocation, this.#abort));
    this.#target.clients.add(this);
    if (isStreamed) void this.#send(received.rest);
    else this.#leave();
    this.#startFirstByteTimer();
    // A guest that takes a body as it comes may have to wait for it, and is listened to.
    if (!isStreamed) await this.#news();
    const head = await this.#readHead(outcome);
    const whole = isStreamed ? undefined : this.#takeWhole();
    const onCut = (listener: () => void): void => void (this.#onCut = listener);
    const { status, headers } = head;
    const body = whole === undefined ? this.#readBody() : inOnePiece(whole);
    return { status, headers, whole, body, trailers: () => this.#trailers, outcome, onCut };
  }

  /** Whether its guest has told something, or waits for its client. */
  get hasNews(): boolean {
    return this.#response.hasNews || this.#signal.isAwaited;
  }

  tell(): void {
    const onNews = this.#onNews;
    this.#onNews = undefined;
    onNews?.();
  }

  /** Whether its guest waits for its client, and for nothing else. */
  get isAwaited(): boolean {
    return this.#signal.isAwaited;
  }

  /** Stops the guest, whose client is too slow. */
  stopSlow(): void {
    this.#stop(new NebulaError('CLIENT_SLOW', { name: this.#target.name }));
    this.#onCut?.();
  }

  /** Has the guest end where it next waits, so that its thread lives on; if it does not in time, ends the thread. */
  #stop(error: unknown): void {
    this.#failure ??= { error };
    const stopMs = this.#signal.isAwaited ? STOP_MS.waiting : STOP_MS.computing;
    this.#signal.stopGuest();
    this.#signal.wake();
    this.tell();
    this.#stopTimer ??= setTimeout(() => this.#abort.abort(ABORTED), stopMs);
  }

  #startFirstByteTimer(): void {
    const { firstByteMs } = this.#target.limits;
    if (firstByteMs === 0) return;
    this.#firstByteTimer = setTimeout(() => {
      this.#isLate = true;
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
      leave(this);
      this.tell();
    };
    settled.then(done, done);
    return settled;
  }

  /** Resolves when the guest has told something, has ended or is to stop. */
  #news(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isSettled()) {
        resolve();
        return;
      }
      this.#onNews = resolve;
      lookAt(this);
    });
  }

  /** The body, where its guest has ended with it and it is small: it need not be handed on piece by piece. */
  #takeWhole(): Uint8Array | undefined {
    const response = this.#response;
    const isThere = this.#outcome !== undefined && response.state === RING.ended;
    if (!isThere || response.sizeBytes > WHOLE_BYTES) return undefined;
    const gathered = new GatheredBytes();
    for (let frame = response.take(); frame !== undefined; frame = response.take()) {
      if (frame.kind === FRAME.piece) gathered.add(frame.bytes);
      else this.#trailers = decodeMessage(frame.bytes) as HeaderList;
    }
    this.#leave();
    return gathered.whole();
  }

  async #readHead(outcome: Promise<Outcome>): Promise<ResponseHead> {
    try {
      for (;;) {
        const frame = await this.#response.next();
        if (frame === undefined) break;
        if (frame.kind === FRAME.piece) continue;
        return decodeMessage(frame.bytes) as ResponseHead;
      }
      this.#leave();
      if (this.#isLate) throw await this.#late(outcome);
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#response.state === RING.givenUp) throw givenUp(this.#target.name);
      throw new GuestEnded(this.#target.name, await outcome);
    } finally {
      clearTimeout(this.#firstByteTimer);
    }
  }

  /** What is told of a guest that was stopped since its head did not come in time, once it has ended: what it wrote and used. */
  async #late(outcome: Promise<Outcome>): Promise<unknown> {
    try {
      const { stdout, stderr, start, phases, usage } = await outcome;
      const timeoutMs = this.#target.limits.firstByteMs;
      return new GuestEnded(this.#target.name, { kind: 'timeout', timeoutMs, stdout, stderr, start, phases, usage });
    } catch (error) {
      return this.#failure?.error ?? error;
    }
  }

  async *#readBody(): AsyncGenerator<Uint8Array, void, undefined> {
    let isWhole = false;
    try {
      for (;;) {
        const frame = await this.#response.next();
        if (frame === undefined) break;
        if (frame.kind === FRAME.piece) {
          yield frame.bytes;
          this.movedBytes += frame.bytes.length;
        } else this.#trailers = decodeMessage(frame.bytes) as HeaderList;
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
        this.#abort.abort(ABORTED);
      }
      this.#leave();
    }
  }

  #isOver(): boolean {
    const { state } = this.#response;
    return this.#isSettled() || state === RING.ended || state === RING.givenUp;
  }

  #isSettled(): boolean {
    return this.#outcome !== undefined || this.#failure !== undefined;
  }

  /** Sends the body at the pace at which the guest reads it. */
  async #send(body: RequestStream): Promise<void> {
    const writer = new RequestWriter(this.#channel, this.#signal, () => this.#isSettled());
    const { inputBytes } = this.#target.limits;
    let sentBytes = 0;
    try {
      for await (const chunk of body) {
        sentBytes += chunk.byteLength;
        this.movedBytes += chunk.byteLength;
        if (sentBytes > inputBytes) throw new NebulaError('INPUT_TOO_LARGE', { limitBytes: inputBytes });
        if (!(await writer.body(chunk))) return;
      }
      const trailers = body.trailers?.() ?? [];
      if (trailers.length > 0 && !(await writer.trailers(trailers))) return;
      writer.end();
      this.#receivedAll();
    } catch (error) {
      this.#stop(error);
      writer.breakOff();
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

  /** The last to leave gives the channel back; that of a guest that was stopped may still be written to. */
  #leave(): void {
    this.#users--;
    if (this.#users === 0 && this.#outcome?.kind === 'ok') keepChannel(this.#channel);
  }
}
