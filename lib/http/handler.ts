/** The HTTP face as a fetch handler on undici's classes, so that any framework can mount it. */

import { Response, type Request } from 'undici';
import { NebulaError } from '../../host/errors.ts';
import type { Nebula } from '../api.ts';
import { announcedBytes, BodyTooLarge, EMPTY, type Answer, type Exchange } from './exchange.ts';
import { Routes, type RouteOptions } from './routes.ts';

export interface FetchHandlerOptions extends RouteOptions {
  /** The client's address, which the fetch API does not tell; without it guests see `0.0.0.0`. */
  readonly remoteAddress?: (request: Request) => string;
}

/**
 * Answers requests to every route. It cannot know who can reach it, so the management routes need a token, and are refused
 * where none was set, unless `openOnLoopback` says that only this machine can.
 */
export function createFetchHandler(
  nebula: Nebula,
  options: FetchHandlerOptions = {},
): (request: Request) => Promise<Response> {
  const routes = new Routes(nebula, options);
  return async (request) => {
    const exchange = new FetchExchange(request, options.remoteAddress?.(request) ?? '0.0.0.0');
    return toResponse(request.method, await routes.handle(exchange));
  };
}

class FetchExchange implements Exchange {
  readonly url: URL;
  readonly protocol = 'HTTP/1.1';
  readonly remoteAddress: string;
  readonly redirects = 0;
  readonly #request: Request;

  constructor(request: Request, remoteAddress: string) {
    this.url = new URL(request.url);
    this.remoteAddress = remoteAddress;
    this.#request = request;
  }

  get method(): string {
    return this.#request.method;
  }

  get signal(): AbortSignal {
    return this.#request.signal;
  }

  header(name: string): string | undefined {
    return this.#request.headers.get(name) ?? undefined;
  }

  headers(): Iterable<readonly [string, string]> {
    return this.#request.headers;
  }

  bodyStream(): AsyncIterable<Uint8Array> {
    return (this.#request.body ?? []) as AsyncIterable<Uint8Array>;
  }

  async readBody(limitBytes: number): Promise<Uint8Array> {
    const { body, headers } = this.#request;
    const announced = announcedBytes(headers.get('content-length') ?? undefined);
    if (announced !== undefined && announced > limitBytes) {
      await body?.cancel();
      throw new BodyTooLarge(announced, limitBytes);
    }
    if (body === null) return EMPTY;
    const chunks: Uint8Array[] = [];
    let sizeBytes = 0;
    try {
      for await (const chunk of body as AsyncIterable<Uint8Array>) {
        sizeBytes += chunk.byteLength;
        // Throwing out of the loop cancels the stream.
        if (sizeBytes > limitBytes) throw new BodyTooLarge(sizeBytes, limitBytes);
        chunks.push(chunk);
      }
    } catch (error) {
      throw error instanceof BodyTooLarge ? error : new NebulaError('CLIENT_CLOSED', {}, { cause: error });
    }
    return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, sizeBytes);
  }
}

function toResponse(method: string, answer: Answer): Response {
  const headers: [string, string][] = [];
  for (let index = 0; index < answer.headers.length; index += 2) {
    headers.push([answer.headers[index] ?? '', answer.headers[index + 1] ?? '']);
  }
  const { status, body, stream } = answer;
  const isBodyless = status === 204 || status === 304;
  if (stream !== undefined) {
    if (!isBodyless && method !== 'HEAD') return new Response(stream.body, { status, headers });
    void stream.body.return();
    return new Response(null, { status, headers });
  }
  if (!isBodyless) headers.push(['Content-Length', String(Buffer.byteLength(body))]);
  return new Response(isBodyless || method === 'HEAD' ? null : body, { status, headers });
}
