/** Bodies of requests and responses, both ways. Source: WASI 0.2, wasi:http/types. */

import { WasiError } from '../../guest-stop.ts';
import type { HeaderList, ResponseSink } from '../../component-call.ts';
import type { Awaitable, Host } from '../host.ts';
import { type ByteSource, InputStream, OutputStream, Pollable } from '../io.ts';
import { Resource } from '../resource.ts';
import { Fields } from './fields.ts';

/** A body that arrives, and the trailers after it. */
export interface BodySource extends ByteSource {
  /** Undefined as long as the body is not over. */
  trailers(): { readonly list: HeaderList | undefined } | undefined;
}

export class IncomingBody extends Resource {
  readonly #source: BodySource;
  #hasStream = false;

  constructor(host: Host, source: BodySource) {
    super(host);
    this.#source = source;
  }

  stream(): InputStream {
    this.host.enter();
    if (this.#hasStream) throw new WasiError(undefined);
    this.#hasStream = true;
    return new InputStream(this.host, this.#source);
  }

  static finish(body: IncomingBody): FutureTrailers {
    body.host.enter();
    body.passOn();
    return new FutureTrailers(body.host, body.#source);
  }
}

interface TrailersResult {
  readonly tag: 'ok' | 'err';
  readonly val?: { readonly tag: 'ok'; readonly val: Fields | undefined };
}

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
    const { list } = arrived;
    return { tag: 'ok', val: { tag: 'ok', val: list === undefined ? undefined : Fields.received(list) } };
  }
}

const DISCARD_BYTES = 65_536;
/** Bytes kept for a body whose head has not been sent. */
const EARLY_BYTES = 65_536;

/** A sink of a body that can be waited for. */
export interface BodySink extends ResponseSink, Awaitable {}

export class OutgoingBody extends Resource {
  readonly #declaredBytes: number | undefined;
  #sink: BodySink | undefined;
  #early: Uint8Array[] = [];
  #earlyBytes = 0;
  #writtenBytes = 0;
  #isFinished = false;
  #hasStream = false;

  /** `declaredBytes` is what the head's Content-Length promises. */
  constructor(host: Host, declaredBytes: number | undefined) {
    super(host);
    this.#declaredBytes = declaredBytes;
  }

  /** Sends what was written so far and the rest as it comes. */
  attach(sink: BodySink): void {
    this.#sink = sink;
    for (const bytes of this.#early) writeAll(this.host, sink, bytes);
    this.#early = [];
    if (this.#isFinished) sink.end();
  }

  write(): OutputStream {
    this.host.enter();
    if (this.#hasStream) throw new WasiError(undefined);
    this.#hasStream = true;
    return new OutputStream(this.host, {
      isReady: () => this.#sink === undefined || this.#sink.isReady(),
      room: () => this.#room(),
      put: (bytes) => this.#put(bytes),
    });
  }

  static finish(body: OutgoingBody, trailers: Fields | undefined): void {
    body.host.enter();
    body.passOn();
    trailers?.passOn();
    if (body.#declaredBytes !== undefined && body.#declaredBytes !== body.#writtenBytes) {
      throw new WasiError({ tag: 'HTTP-response-body-size', val: BigInt(body.#writtenBytes) });
    }
    body.#isFinished = true;
    if (trailers !== undefined) body.#sink?.trailers(trailers.toList());
    body.#sink?.end();
  }

  #room(): number | undefined {
    const left = this.#declaredBytes === undefined ? Infinity : this.#declaredBytes - this.#writtenBytes;
    const room = this.#sink === undefined ? EARLY_BYTES - this.#earlyBytes : this.#sink.room();
    return room === undefined ? undefined : Math.min(room, left);
  }

  #put(bytes: Uint8Array): void {
    this.#writtenBytes += bytes.length;
    if (this.#sink === undefined) {
      this.#early.push(bytes.slice());
      this.#earlyBytes += bytes.length;
    } else this.#sink.data(bytes);
  }
}

function writeAll(host: Host, sink: BodySink, bytes: Uint8Array): void {
  let rest = bytes;
  while (rest.length > 0) {
    const room = sink.room();
    if (room === undefined) return;
    if (room === 0) host.wait([sink]);
    const part = rest.subarray(0, room);
    if (part.length > 0) sink.data(part);
    rest = rest.subarray(part.length);
  }
}

/** What a Content-Length promises, or undefined. */
export function declaredBytes(headers: Fields): number | undefined {
  const [value] = headers.get('content-length');
  const text = value === undefined ? '' : Buffer.from(value).toString('latin1');
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
