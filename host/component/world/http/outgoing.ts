/** Requests a component makes, and their responses. Source: WASI 0.2, wasi:http/types. */

import { WasiError } from '../guest-stop.ts';
import type { ResponseHead } from '../../../http-message.ts';
import { isPathWithQuery, originOf } from '../../outgoing/target.ts';
import { activeHost, type Awaitable, type Host } from '../host.ts';
import { Pollable } from '../io.ts';
import { Resource } from '../resource.ts';
import { type BodySource, IncomingBody, OutgoingBody } from './bodies.ts';
import type { HttpErrorCode } from '../../outgoing/messages.ts';
import { Fields } from './fields.ts';
import { type Method, methodName } from './incoming.ts';

/** Source: RFC 3986, section 3.1. */
const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*$/;

/** `scheme`. */
export type Scheme = { readonly tag: 'HTTP' | 'HTTPS' | 'other'; readonly val?: string };

/** `outgoing-request`: a request of the guest's, whose parts are checked where they are set. */
export class OutgoingRequest extends Resource {
  readonly fields: Fields;
  readonly outgoing: OutgoingBody;
  #method: Method = { tag: 'get' };
  #path: string | undefined = undefined;
  #scheme: Scheme | undefined = undefined;
  #authority: string | undefined = undefined;
  #isBodyTaken = false;

  constructor(headers: Fields) {
    super(activeHost());
    this.fields = headers.freeze();
    headers.passOn();
    this.outgoing = new OutgoingBody(this.host, 'request', headers.contentLength);
  }

  /** Whether the guest asked for the body, to write to it. */
  get hasBody(): boolean {
    return this.#isBodyTaken;
  }

  body(): OutgoingBody {
    this.host.enter();
    if (this.#isBodyTaken) throw new WasiError(undefined);
    this.#isBodyTaken = true;
    return this.outgoing;
  }

  method(): Method {
    return this.#method;
  }

  setMethod(method: Method): void {
    this.host.enter();
    if (methodName(method) === undefined) throw new WasiError(undefined);
    this.#method = method;
  }

  pathWithQuery(): string | undefined {
    return this.#path;
  }

  setPathWithQuery(path: string | undefined): void {
    this.host.enter();
    if (path !== undefined && !isPathWithQuery(path)) throw new WasiError(undefined);
    this.#path = path;
  }

  scheme(): Scheme | undefined {
    return this.#scheme;
  }

  setScheme(scheme: Scheme | undefined): void {
    this.host.enter();
    if (scheme?.tag === 'other' && !SCHEME.test(scheme.val ?? '')) throw new WasiError(undefined);
    this.#scheme = scheme;
  }

  authority(): string | undefined {
    return this.#authority;
  }

  setAuthority(authority: string | undefined): void {
    this.host.enter();
    if (authority !== undefined && originOf('http', authority) === undefined) throw new WasiError(undefined);
    this.#authority = authority;
  }

  headers(): Fields {
    this.host.enter();
    return this.fields.clone().freeze();
  }
}

/** `request-options`: durations in nanoseconds; undefined is the host's own bound. */
export class RequestOptions extends Resource {
  #connectNs: bigint | undefined = undefined;
  #firstByteNs: bigint | undefined = undefined;
  #betweenBytesNs: bigint | undefined = undefined;

  constructor() {
    super(activeHost());
  }

  connectTimeout(): bigint | undefined {
    return this.#connectNs;
  }
  setConnectTimeout(durationNs: bigint | undefined): void {
    this.#connectNs = durationNs;
  }
  firstByteTimeout(): bigint | undefined {
    return this.#firstByteNs;
  }
  setFirstByteTimeout(durationNs: bigint | undefined): void {
    this.#firstByteNs = durationNs;
  }
  betweenBytesTimeout(): bigint | undefined {
    return this.#betweenBytesNs;
  }
  setBetweenBytesTimeout(durationNs: bigint | undefined): void {
    this.#betweenBytesNs = durationNs;
  }
}

/** `incoming-response`: what a server answered. */
export class IncomingResponse extends Resource {
  readonly #head: ResponseHead;
  readonly #source: BodySource;
  #isConsumed = false;

  constructor(host: Host, head: ResponseHead, source: BodySource) {
    super(host);
    this.#head = head;
    this.#source = source;
  }

  status(): number {
    this.host.enter();
    return this.#head.status;
  }

  headers(): Fields {
    this.host.enter();
    return Fields.received(this.#head.headers);
  }

  consume(): IncomingBody {
    this.host.enter();
    if (this.#isConsumed) throw new WasiError(undefined);
    this.#isConsumed = true;
    return new IncomingBody(this.host, this.#source);
  }

  protected override release(): void {
    if (!this.#isConsumed) this.#source.letGo?.();
  }
}

/** A response on its way: its head and body, or what stood in the way. */
export interface PendingResponse extends Awaitable {
  result():
    | { readonly head: ResponseHead; readonly body: BodySource; readonly error?: undefined }
    | { readonly error: HttpErrorCode }
    | undefined;
  /** The guest does not want to know: a response need not come further than its head. */
  letGo(): void;
}

type ResponseResult =
  | { readonly tag: 'ok'; readonly val: { readonly tag: 'ok'; readonly val: IncomingResponse } }
  | { readonly tag: 'ok'; readonly val: { readonly tag: 'err'; readonly val: HttpErrorCode } }
  | { readonly tag: 'err' };

/** `future-incoming-response`: answers once, with the response or an error-code. */
export class FutureIncomingResponse extends Resource {
  readonly #pending: PendingResponse;
  #isTaken = false;

  constructor(host: Host, pending: PendingResponse) {
    super(host);
    this.#pending = pending;
  }

  subscribe(): Pollable {
    this.host.enter();
    return new Pollable(this.host, this.#pending);
  }

  get(): ResponseResult | undefined {
    this.host.enter();
    for (const receive of this.host.receivers) receive();
    const result = this.#pending.result();
    if (result === undefined) return undefined;
    if (this.#isTaken) return { tag: 'err' };
    this.#isTaken = true;
    if (result.error !== undefined) return { tag: 'ok', val: { tag: 'err', val: result.error } };
    return { tag: 'ok', val: { tag: 'ok', val: new IncomingResponse(this.host, result.head, result.body) } };
  }

  protected override release(): void {
    if (!this.#isTaken) this.#pending.letGo();
  }
}
