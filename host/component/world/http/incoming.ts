/** What `wasi:http/incoming-handler` is handed: the request, and where the response goes. */

import { hasContent, isToken, mayTellLength } from '../../../http-fields.ts';
import { WasiError } from '../guest-stop.ts';
import type { RequestHead } from '../../../http-message.ts';
import { activeHost, type Host } from '../host.ts';
import { Resource } from '../resource.ts';
import { type BodySink, type BodySource, IncomingBody, OutgoingBody } from './bodies.ts';
import type { HttpErrorCode } from '../../outgoing/messages.ts';
import { Fields } from './fields.ts';

/** `method`: `other` has the name of one that the interface does not know. */
export type Method = { readonly tag: string; readonly val?: string };

const METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'];

/** A method as the interface has it. */
function toMethod(name: string): Method {
  return METHODS.includes(name) ? { tag: name.toLowerCase() } : { tag: 'other', val: name };
}

/** A method's name, or undefined when it is no token. */
export function methodName(method: Method): string | undefined {
  if (method.tag !== 'other') return method.tag.toUpperCase();
  return isToken(method.val ?? '') ? method.val : undefined;
}

/** `incoming-request`: the request that the guest is to answer. */
export class IncomingRequest extends Resource {
  readonly #head: RequestHead;
  readonly #source: BodySource;
  #isConsumed = false;

  constructor(host: Host, head: RequestHead, source: BodySource) {
    super(host);
    this.#head = head;
    this.#source = source;
  }

  method(): Method {
    this.host.enter();
    return toMethod(this.#head.method);
  }

  pathWithQuery(): string {
    this.host.enter();
    return this.#head.pathWithQuery;
  }

  scheme(): { readonly tag: 'HTTP' | 'HTTPS' } {
    this.host.enter();
    return { tag: this.#head.scheme === 'https' ? 'HTTPS' : 'HTTP' };
  }

  authority(): string {
    this.host.enter();
    return this.#head.authority;
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
}

/** Informational codes below 200 would not be the answer. */
const [LEAST_STATUS, MOST_STATUS] = [200, 599];

/** `outgoing-response`: the guest's answer. */
export class OutgoingResponse extends Resource {
  readonly fields: Fields;
  status = 200;
  readonly outgoing: OutgoingBody;
  #isBodyTaken = false;

  constructor(headers: Fields) {
    super(activeHost());
    this.fields = headers.freeze();
    headers.passOn();
    this.outgoing = new OutgoingBody(this.host, 'response', headers.contentLength);
  }

  /** Whether the guest took the body, to write to it. */
  get hasBody(): boolean {
    return this.#isBodyTaken;
  }

  statusCode(): number {
    this.host.enter();
    return this.status;
  }

  setStatusCode(status: number): void {
    this.host.enter();
    if (status < LEAST_STATUS || status > MOST_STATUS) throw new WasiError(undefined);
    this.status = status;
  }

  headers(): Fields {
    this.host.enter();
    return this.fields.clone().freeze();
  }

  body(): OutgoingBody {
    this.host.enter();
    if (this.#isBodyTaken) throw new WasiError(undefined);
    this.#isBodyTaken = true;
    return this.outgoing;
  }
}

type OutgoingResult =
  | { readonly tag: 'ok'; readonly val: OutgoingResponse }
  | { readonly tag: 'err'; readonly val: { readonly tag: string; readonly val?: unknown } };

/** `response-outparam`: takes the response once, and sends its head at once. */
export class ResponseOutparam extends Resource {
  readonly #method: string;
  readonly #sink: BodySink;
  /** The error-code the guest answered with, or that it answered at all. */
  outcome: { readonly error: string | undefined } | undefined = undefined;

  /** `method` is the request's: what may be answered depends on it. */
  constructor(host: Host, method: string, sink: BodySink) {
    super(host);
    this.#method = method;
    this.#sink = sink;
  }

  static set(outparam: ResponseOutparam, result: OutgoingResult): void {
    outparam.host.enter();
    outparam.passOn();
    if (result.tag === 'err') {
      outparam.outcome = { error: result.val.tag };
      return;
    }
    result.val.passOn();
    outparam.outcome = { error: outparam.#answer(result.val)?.tag };
  }

  /** Sends a response, or answers why it cannot be one. */
  #answer({ status, fields, outgoing, hasBody }: OutgoingResponse): HttpErrorCode | undefined {
    const sink = this.#sink;
    const isEmpty = !hasContent(this.#method, status);
    // A body that nobody took before the response was handed over can be taken no more: it is empty.
    if (!hasBody && !isEmpty && (fields.contentLength ?? 0) > 0) {
      outgoing.drop();
      sink.giveUp?.();
      return { tag: 'HTTP-response-body-size', val: 0n };
    }
    if (outgoing.failure !== undefined && !isEmpty) {
      sink.giveUp?.();
      return outgoing.failure;
    }
    const headers = fields.toList();
    const tellsLength = mayTellLength(this.#method, status);
    sink.head({ status, headers: tellsLength ? headers : headers.filter(([name]) => !isContentLength(name)) });
    if (hasBody && !isEmpty) {
      outgoing.attach(sink);
      return undefined;
    }
    // What a guest writes where there is no content goes nowhere, and holds nobody up.
    outgoing.discard();
    if (!hasBody) outgoing.drop();
    sink.end();
    return undefined;
  }

  /** Let go without an answer: none will come. */
  protected override release(): void {
    this.#sink.giveUp?.();
  }
}

function isContentLength(name: string): boolean {
  return name.toLowerCase() === 'content-length';
}
