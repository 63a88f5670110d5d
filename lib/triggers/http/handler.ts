/** The HTTP face as a fetch handler, so that any framework can mount it. */

import { NO_BYTES } from '../../../host/bytes.ts';
import { NebulaError } from '../../../host/errors.ts';
import { GatheredBytes } from '../../../host/gathered-bytes.ts';
import { hasContent } from '../../../host/http-fields.ts';
import type { Nebula, RequestContext } from '../../api/nebula.ts';
import { toRequest, toResponse } from '../../component/fetch.ts';
import type { RequestLike } from '../../schema/globals.ts';
import { announcedBytes, BodyTooLarge, drain, lengthOf, type Answer, type Exchange } from './exchange.ts';
import { malformedRequestAnswer } from './problem-answer.ts';
import { REQUEST_ID_FIELD, requestIdOf } from './request-id.ts';
import { MalformedRequest, parseHost, parseRequestTarget, targetOfUrl, type RequestTarget } from './request-target.ts';
import { Router, type RouteOptions } from './router.ts';

/** Answers a request as a fetch handler does. */
export type FetchHandler = (request: RequestLike, context?: RequestContext) => Promise<Response>;

/**
 * Answers requests to every route. It cannot know who can reach it, so the management routes need a token, and are refused
 * where none was set, unless `openOnLoopback` says that only this machine can.
 */
export function createFetchHandler(nebula: Nebula, options: RouteOptions = {}): FetchHandler {
  const router = new Router(nebula, options);
  return async (given, context = {}) => {
    const request = toRequest(given);
    let exchange: FetchExchange;
    try {
      exchange = new FetchExchange(request, targetOf(request, context.target), context.remoteAddress ?? '0.0.0.0');
    } catch (error) {
      if (!(error instanceof MalformedRequest)) throw error;
      router.tally.count(400);
      const requestId = requestIdOf(request.headers.get('x-request-id') ?? undefined);
      return toAnswer(request.method, requestId, malformedRequestAnswer(400, error.message));
    }
    return toAnswer(request.method, exchange.requestId, await router.handle(exchange));
  };
}

function targetOf(request: Request, target: string | undefined): RequestTarget {
  // Fields of one name are joined: two hosts make none.
  parseHost(request.headers.get('host') ?? '');
  const located = targetOfUrl(request.url);
  return target === undefined ? located : parseRequestTarget(request.method, target, located.scheme, located.authority);
}

class FetchExchange implements Exchange {
  readonly target: RequestTarget;
  readonly protocol = 'HTTP/1.1';
  readonly remoteAddress: string;
  readonly localAddress = undefined;
  readonly redirects = 0;
  readonly requestId: string;
  readonly #request: Request;

  constructor(request: Request, target: RequestTarget, remoteAddress: string) {
    this.target = target;
    this.remoteAddress = remoteAddress;
    this.requestId = requestIdOf(request.headers.get('x-request-id') ?? undefined);
    this.#request = request;
  }

  get method(): string {
    return this.#request.method;
  }

  get signal(): AbortSignal {
    return this.#request.signal;
  }

  get hasBody(): boolean {
    return this.#request.body !== null;
  }

  header(name: string): string | undefined {
    return this.#request.headers.get(name) ?? undefined;
  }

  *headers(): Iterable<readonly [string, string]> {
    for (const [name, value] of this.#request.headers) if (name !== 'x-request-id') yield [name, value];
    yield ['x-request-id', this.requestId];
  }

  bodyStream(): AsyncIterable<Uint8Array> {
    return (this.#request.body ?? []) as object as AsyncIterable<Uint8Array>;
  }

  async readBody(limitBytes: number): Promise<Uint8Array> {
    const { body, headers } = this.#request;
    const announced = announcedBytes(headers.get('content-length') ?? undefined);
    if (announced !== undefined && announced > limitBytes) {
      await body?.cancel();
      throw new BodyTooLarge(announced, limitBytes);
    }
    if (body === null) return NO_BYTES;
    const gathered = new GatheredBytes();
    try {
      for await (const chunk of body as object as AsyncIterable<Uint8Array>) {
        gathered.add(chunk);
        // Throwing out of the loop cancels the stream.
        if (gathered.sizeBytes > limitBytes) throw new BodyTooLarge(gathered.sizeBytes, limitBytes);
      }
    } catch (error) {
      throw error instanceof BodyTooLarge ? error : new NebulaError('CLIENT_CLOSED', {}, { cause: error });
    }
    return gathered.whole();
  }
}

function toAnswer(method: string, requestId: string, answer: Answer): Response {
  const headers: [string, string][] = [[REQUEST_ID_FIELD, requestId]];
  for (let index = 0; index < answer.headers.length; index += 2) {
    headers.push([answer.headers[index] ?? '', answer.headers[index + 1] ?? '']);
  }
  const { status, body, stream } = answer;
  const isEmpty = !hasContent(method, status);
  if (stream !== undefined) {
    if (!isEmpty) return toResponse(stream.body, { status, headers });
    drain(stream.body);
    return new Response(null, { status, headers });
  }
  const length = lengthOf(method, answer);
  if (length !== undefined) headers.push(['Content-Length', String(length)]);
  return new Response(isEmpty ? null : (body as BodyInit), { status, headers });
}
