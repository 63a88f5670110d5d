/** `wasi:http/outgoing-handler`: requests to the origins that were granted, made by another thread. */

import { NO_BYTES } from '../../../bytes.ts';
import { grantedOrigins, LONGEST_MS, MOST_REQUESTS } from '../../../capabilities/http/allow-list.ts';
import type { HeaderList, ResponseHead } from '../../../http-message.ts';
import { WasiError } from '../guest-stop.ts';
import { type Outgoing, outgoingOfThread } from '../../outgoing/outgoing.ts';
import {
  chargedBytes,
  type HttpAnswer,
  type HttpErrorCode,
  type HttpStart,
  type OutgoingTimeouts,
  WINDOW_BYTES,
} from '../../outgoing/messages.ts';
import { originOf, requestTarget } from '../../outgoing/target.ts';
import type { Host } from '../host.ts';
import { CHUNK_BYTES, failed } from '../io.ts';
import type { BodySink, BodySource } from './bodies.ts';
import { methodName } from './incoming.ts';
import { FutureIncomingResponse, type OutgoingRequest, type PendingResponse, type RequestOptions } from './outgoing.ts';

/** `handle` of `wasi:http/outgoing-handler`. Throws a WasiError with an error-code. */
export type OutgoingHandler = (request: OutgoingRequest, options: RequestOptions | undefined) => FutureIncomingResponse;

/** Handlers made in this thread so far. */
let guests = 0;

/** The handler of one guest, for the origins that its capability `http` names. */
export function createOutgoingHandler(host: Host): OutgoingHandler {
  const granted = host.options.capabilities.http;
  let origins: ReadonlySet<string> | undefined;
  const guest = ++guests;
  return (request, options) => {
    host.enter();
    request.passOn();
    options?.passOn();
    // A tunnel would lead past the origin.
    if (methodName(request.method())?.toUpperCase() === 'CONNECT')
      throw new WasiError({ tag: 'HTTP-request-method-invalid' });
    const origin = requestedOrigin(request);
    if (granted !== undefined) origins ??= grantedOrigins(granted);
    if (granted === undefined || origins?.has(origin) !== true) {
      host.deny('http');
      throw new WasiError({ tag: 'HTTP-request-denied' });
    }
    const outgoing = outgoingOfThread();
    // Those that were given up count until the other thread has heard of it.
    const requests = [...host.held].filter((each) => each instanceof SentRequest).length;
    if (requests >= MOST_REQUESTS) throw new WasiError({ tag: 'connection-limit-reached' });
    const sent = new SentRequest(host, outgoing);
    sent.start(request, { origin, guest, isPrivateGranted: granted.private === true, timeouts: timeoutsOf(options) });
    return new FutureIncomingResponse(host, sent.pending);
  };
}

function requestedOrigin(request: OutgoingRequest): string {
  const scheme = request.scheme();
  const authority = request.authority();
  const isOther = scheme?.tag === 'other' || authority === undefined;
  const origin = isOther ? undefined : originOf(scheme?.tag === 'HTTP' ? 'http' : 'https', authority);
  if (origin === undefined) throw new WasiError({ tag: 'HTTP-request-URI-invalid' });
  return origin;
}

function toMs(durationNs: bigint | undefined): number {
  return durationNs === undefined ? LONGEST_MS : Math.min(LONGEST_MS, Math.max(1, Math.ceil(Number(durationNs) / 1e6)));
}

function timeoutsOf(options: RequestOptions | undefined): OutgoingTimeouts {
  return {
    connectMs: toMs(options?.connectTimeout()),
    headMs: toMs(options?.firstByteTimeout()),
    betweenBytesMs: toMs(options?.betweenBytesTimeout()),
  };
}

/** What the grant and the guest's options say of a request. */
type Given = Pick<HttpStart, 'origin' | 'guest' | 'isPrivateGranted' | 'timeouts'>;

/** One request under way: its body's sink, its response's future and its response's body. */
class SentRequest {
  readonly pending: PendingResponse;
  readonly #host: Host;
  readonly #outgoing: Outgoing;
  readonly #id: number;
  readonly #sink: BodySink;
  readonly #source: BodySource;
  #head: ResponseHead | undefined = undefined;
  #error: HttpErrorCode | undefined = undefined;
  #pieces: Uint8Array[] = [];
  /** Of the first piece, which is given back whole. */
  #takenBytes = 0;
  #isOver = false;
  #trailers: HeaderList | undefined = undefined;
  #unsentBytes = 0;
  /** Whether nobody wants the response, of which only that it begins is waited for. */
  #isUnwanted = false;

  constructor(host: Host, outgoing: Outgoing) {
    this.#host = host;
    this.#outgoing = outgoing;
    this.#id = outgoing.open((answer) => this.#accept(answer as HttpAnswer));
    this.#source = {
      isReady: () => this.#pieces.length > 0 || this.#isOver,
      take: (most) => this.#take(most),
      trailers: () =>
        this.#isOver && this.#pieces.length === 0 ? { list: this.#trailers, error: this.#error } : undefined,
      letGo: () => this.#breakOff(),
    };
    this.#sink = {
      isReady: () => this.#isOver || this.#unsentBytes < WINDOW_BYTES,
      room: () => (this.#isOver ? undefined : Math.max(0, Math.min(CHUNK_BYTES, WINDOW_BYTES - this.#unsentBytes))),
      piece: (bytes) => this.#send(bytes),
      end: () => this.#outgoing.send({ op: 'end', id: this.#id }),
      giveUp: () => this.#breakOff(),
      head: () => undefined,
      // undici sends no trailers.
      trailers: () => undefined,
    };
    this.pending = {
      isReady: () => this.#head !== undefined || this.#isOver,
      result: () => this.#result(),
      letGo: () => {
        this.#isUnwanted = true;
        if (this.#head !== undefined) this.#breakOff();
      },
    };
    host.held.add(this);
    host.receivers.add(outgoing.receive);
  }

  start(request: OutgoingRequest, given: Given): void {
    const { fields, hasBody } = request;
    this.#outgoing.send({
      ...given,
      op: 'start',
      id: this.#id,
      signal: this.#host.signal.buffer as SharedArrayBuffer,
      path: requestTarget(request.pathWithQuery()),
      method: methodName(request.method()) ?? 'GET',
      headers: fields.toList(),
      hasBody,
      bodyBytes: this.#host.options.limits.inputBytes,
    });
    if (hasBody) request.outgoing.attach(this.#sink);
    else request.outgoing.drop();
  }

  /** The invocation has ended. */
  release(): void {
    this.#outgoing.send({ op: 'abort', id: this.#id });
    this.#outgoing.close(this.#id);
  }

  #accept(answer: HttpAnswer): void {
    if (this.#isOver) {
      if (answer.kind === 'end' || answer.kind === 'error') this.#finish();
      return;
    }
    switch (answer.kind) {
      case 'head':
        this.#head = { status: answer.status, headers: answer.headers };
        if (this.#isUnwanted) this.#breakOff();
        break;
      case 'data':
        this.#pieces.push(answer.bytes);
        break;
      case 'end':
        this.#trailers = answer.trailers;
        this.#finish();
        break;
      case 'sent':
        this.#unsentBytes -= answer.count;
        break;
      case 'error':
        this.#error = answer.code;
        this.#finish();
        break;
      default:
        answer satisfies never;
    }
  }

  #finish(): void {
    this.#isOver = true;
    this.#outgoing.close(this.#id);
    this.#host.held.delete(this);
  }

  /**
   * One of the bodies will never be whole: the request ends, or the server would wait for the rest, and further requests for
   * this one.
   */
  #breakOff(): void {
    if (this.#isOver) return;
    this.#pieces = [];
    this.#outgoing.send({ op: 'abort', id: this.#id });
    this.#error = { tag: 'connection-terminated' };
    // It is finished when the other thread has answered.
    this.#isOver = true;
  }

  #result(): ReturnType<PendingResponse['result']> {
    if (this.#head !== undefined) return { head: this.#head, body: this.#source };
    return this.#error === undefined ? undefined : { error: this.#error };
  }

  #take(most: number): Uint8Array | undefined {
    if (most === 0) return NO_BYTES;
    const [piece] = this.#pieces;
    if (piece === undefined) {
      if (!this.#isOver) return NO_BYTES;
      if (this.#error !== undefined) throw failed(this.#host, `the response failed: ${this.#error.tag}`, this.#error);
      return undefined;
    }
    const part = piece.subarray(this.#takenBytes, this.#takenBytes + most);
    this.#takenBytes += part.length;
    if (this.#takenBytes === piece.length) {
      this.#takenBytes = 0;
      this.#pieces.shift();
      if (!this.#isOver) this.#outgoing.send({ op: 'taken', id: this.#id, count: chargedBytes(piece) });
    }
    return part;
  }

  #send(bytes: Uint8Array): void {
    this.#unsentBytes += chargedBytes(bytes);
    this.#outgoing.send({ op: 'data', id: this.#id, bytes: bytes.slice() });
  }
}
