/** Bodies of requests and responses, both ways. Source: WASI 0.2, wasi:http/types. */

import { GatheredBytes } from '../../../gathered-bytes.ts';
import { isTrailerField } from '../../../http-fields.ts';
import { WasiError } from '../guest-stop.ts';
import type { HttpErrorCode } from '../../outgoing/messages.ts';
import type { ResponseSink } from '../../../component-entry.ts';
import type { HeaderList } from '../../../http-message.ts';
import type { Awaitable, Host } from '../host.ts';
import { type ByteSource, CHUNK_BYTES, failed, InputStream, OutputStream, Pollable } from '../io.ts';
import { Resource } from '../resource.ts';
import { Fields } from './fields.ts';

/** A body that arrives, and the trailers after it. */
export interface BodySource extends ByteSource {
  /** Undefined as long as the body is not over; `error` where it broke off. */
  trailers(): { readonly list: HeaderList | undefined; readonly error?: HttpErrorCode | undefined } | undefined;
  /** The guest wants no more of it: what has not come need not come. */
  letGo?(): void;
}

/** `incoming-body`: a body that arrives, which is read once. */
export class IncomingBody extends Resource {
  readonly #source: BodySource;
  #hasStream = false;
  /** Who may still read of it: the body and its stream. */
  #users = 1;

  constructor(host: Host, source: BodySource) {
    super(host);
    this.#source = source;
  }

  stream(): InputStream {
    this.host.enter();
    if (this.#hasStream) throw new WasiError(undefined);
    this.#hasStream = true;
    const source = this.#source;
    if (source.letGo === undefined) return new InputStream(this.host, source);
    this.#users++;
    return new InputStream(this.host, {
      isReady: () => source.isReady(),
      take: (most) => source.take(most),
      close: () => this.#leave(),
    });
  }

  static finish(body: IncomingBody): FutureTrailers {
    body.host.enter();
    body.passOn();
    return new FutureTrailers(body.host, body.#source);
  }

  protected override release(): void {
    this.#leave();
  }

  #leave(): void {
    if (--this.#users === 0) this.#source.letGo?.();
  }
}

interface TrailersResult {
  readonly tag: 'ok' | 'err';
  readonly val?:
    | { readonly tag: 'ok'; readonly val: Fields | undefined }
    | { readonly tag: 'err'; readonly val: HttpErrorCode };
}

/** `future-trailers`: the trailers behind a body, or where it broke off. */
export class FutureTrailers extends Resource {
  readonly #source: BodySource;
  #isTaken = false;

  constructor(host: Host, source: BodySource) {
    super(host);
    this.#source = source;
  }

  subscribe(): Pollable {
    this.host.enter();
    const source = this.#source;
    const awaited: Awaitable = {
      isClients: source.isClients === true,
      isReady: () => {
        // What the guest did not read stands before the trailers.
        while (source.trailers() === undefined && source.isReady()) source.take(DISCARD_BYTES);
        return source.trailers() !== undefined;
      },
    };
    return new Pollable(this.host, awaited);
  }

  get(): TrailersResult | undefined {
    this.host.enter();
    const arrived = this.#source.trailers();
    if (arrived === undefined) return undefined;
    if (this.#isTaken) return { tag: 'err' };
    this.#isTaken = true;
    const { list, error } = arrived;
    if (error !== undefined) return { tag: 'ok', val: { tag: 'err', val: error } };
    const allowed = list?.filter(([name]) => isTrailerField(name.toLowerCase()));
    return { tag: 'ok', val: { tag: 'ok', val: allowed === undefined ? undefined : Fields.received(allowed) } };
  }

  protected override release(): void {
    this.#source.letGo?.();
  }
}

const DISCARD_BYTES = 65_536;
/** A sink of a body that can be waited for. */
export interface BodySink extends ResponseSink, Awaitable {}

/** What a body is of, for the error-codes that tell. */
export type BodyOwner = 'request' | 'response';

/**
 * `outgoing-body`: what is written before its sink is known is kept, up to `outputBytes`; then it goes to the sink as
 * it comes.
 */
export class OutgoingBody extends Resource {
  readonly #owner: BodyOwner;
  readonly #declaredBytes: number | undefined;
  #sink: BodySink | undefined;
  #early: GatheredBytes = new GatheredBytes();
  #writtenBytes = 0;
  #trailers: HeaderList | undefined;
  #failure: HttpErrorCode | undefined;
  #isFinished = false;
  #isDiscarded = false;
  #hasStream = false;

  /** `declaredBytes` is what the head's Content-Length promises. */
  constructor(host: Host, owner: BodyOwner, declaredBytes: number | undefined) {
    super(host);
    this.#owner = owner;
    this.#declaredBytes = declaredBytes;
  }

  /** Why it will never be whole: it has another length than was promised, or was let go. */
  get failure(): HttpErrorCode | undefined {
    return this.#failure;
  }

  /** Sends what was written so far and the rest as it comes. */
  attach(sink: BodySink): void {
    this.#sink = sink;
    for (const bytes of this.#early.pieces()) writeAll(this.host, sink, bytes);
    this.#early = new GatheredBytes();
    if (this.#failure !== undefined) sink.giveUp?.();
    if (this.#isFinished) this.#end(sink);
  }

  /** Has what is written go nowhere, whatever its length: the message has no content. */
  discard(): void {
    this.#isDiscarded = true;
    this.#early = new GatheredBytes();
  }

  write(): OutputStream {
    this.host.enter();
    if (this.#hasStream) throw new WasiError(undefined);
    this.#hasStream = true;
    return new OutputStream(this.host, {
      isReady: () => this.#sink === undefined || this.#sink.isReady() || this.#isOver,
      isClients: this.#owner === 'response',
      room: () => this.#room(),
      put: (bytes) => this.#put(bytes),
    });
  }

  static finish(body: OutgoingBody, trailers: Fields | undefined): void {
    body.host.enter();
    body.passOn();
    trailers?.passOn();
    if (body.#failure !== undefined) throw new WasiError(body.#failure);
    if (body.#isDiscarded) return;
    if (body.#declaredBytes !== undefined && body.#declaredBytes !== body.#writtenBytes) {
      throw new WasiError(body.#fail(body.#sizeError(body.#writtenBytes)));
    }
    body.#isFinished = true;
    body.#trailers = trailers?.toList().filter(([name]) => isTrailerField(name.toLowerCase()));
    if (body.#sink !== undefined) body.#end(body.#sink);
  }

  /** Let go before it was finished: whoever reads it must not take it for whole. */
  protected override release(): void {
    if (this.#isFinished || this.#isDiscarded) return;
    this.#fail({ tag: this.#owner === 'response' ? 'HTTP-response-incomplete' : 'connection-terminated' });
  }

  get #isOver(): boolean {
    return this.#isFinished || this.#failure !== undefined;
  }

  #room(): number | undefined {
    if (this.#isOver) return undefined;
    if (this.#isDiscarded) return CHUNK_BYTES;
    return this.#sink === undefined ? this.#earlyRoom() : this.#sink.room();
  }

  /** What is written before the head is kept; a guest that waited for room then would wait for itself. */
  #earlyRoom(): number | undefined {
    // One more than is kept, so that whoever writes just as much is not told that it is too much.
    const room = this.host.options.limits.outputBytes + 1 - this.#early.sizeBytes;
    if (room > 0) return Math.min(room, CHUNK_BYTES);
    this.#fail(this.#sizeError(this.#early.sizeBytes));
    return undefined;
  }

  #put(bytes: Uint8Array): void {
    if (this.#isDiscarded) return;
    const totalBytes = this.#writtenBytes + bytes.length;
    if (this.#declaredBytes !== undefined && totalBytes > this.#declaredBytes) {
      const error = this.#fail(this.#sizeError(totalBytes));
      throw failed(this.host, `expected ${this.#declaredBytes} bytes as Content-Length says, got ${totalBytes}`, error);
    }
    this.#writtenBytes = totalBytes;
    if (this.#sink === undefined) this.#early.add(bytes.slice());
    else this.#sink.piece(bytes);
  }

  #sizeError(sizeBytes: number): HttpErrorCode {
    return { tag: `HTTP-${this.#owner}-body-size`, val: BigInt(sizeBytes) };
  }

  #fail(error: HttpErrorCode): HttpErrorCode {
    this.#failure ??= error;
    this.#sink?.giveUp?.();
    return this.#failure;
  }

  #end(sink: BodySink): void {
    if (this.#trailers !== undefined && this.#trailers.length > 0) sink.trailers(this.#trailers);
    sink.end();
  }
}

function writeAll(host: Host, sink: BodySink, bytes: Uint8Array): void {
  let rest = bytes;
  while (rest.length > 0) {
    const room = sink.room();
    if (room === undefined) return;
    if (room === 0) host.wait([sink]);
    const part = rest.subarray(0, room);
    if (part.length > 0) sink.piece(part);
    rest = rest.subarray(part.length);
  }
}
