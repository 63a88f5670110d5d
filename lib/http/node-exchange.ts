/** A request of node:http as the routes see it. */

import type { IncomingMessage } from 'node:http';
import type { HeaderList } from '../../host/component/component-call.ts';
import { NebulaError } from '../../host/errors.ts';
import type { Exchange } from './exchange.ts';
import type { StreamedRequest } from '../component/exchange.ts';
import { NodeCall } from './node-call.ts';

export class NodeExchange extends NodeCall implements Exchange {
  readonly redirects = 0;
  #url: URL | undefined = undefined;
  #settle: { resolve(body: Uint8Array): void; reject(error: unknown): void } | undefined = undefined;

  get method(): string {
    return this.request.method ?? 'GET';
  }

  get url(): URL {
    return (this.#url ??= parseTarget(this.request) ?? new URL('http://localhost/'));
  }

  get protocol(): string {
    return `HTTP/${this.request.httpVersion}`;
  }

  get remoteAddress(): string {
    return this.request.socket.remoteAddress ?? '0.0.0.0';
  }

  /** Whether the target and the Host header make a URL. */
  get isWellFormed(): boolean {
    this.#url ??= parseTarget(this.request);
    return this.#url !== undefined;
  }

  header(name: string): string | undefined {
    const value = this.request.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  *headers(): Iterable<readonly [string, string]> {
    for (const name of Object.keys(this.request.headers)) yield [name, this.header(name) ?? ''];
  }

  readBody(limitBytes: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.read(limitBytes);
    });
  }

  bodyStream(): StreamedRequest {
    return { [Symbol.asyncIterator]: () => this.#pieces(), trailers: () => trailersOf(this.request) };
  }

  async *#pieces(): AsyncGenerator<Uint8Array, void, undefined> {
    this.expect();
    try {
      // The response still needs the connection when nobody wants the rest of the body.
      for await (const chunk of this.request.iterator({ destroyOnReturn: false })) yield chunk as Buffer;
    } catch (error) {
      throw new NebulaError('CLIENT_CLOSED', {}, { cause: error });
    }
  }

  protected override onBody(body: Uint8Array): void {
    this.#settle?.resolve(body);
  }

  protected override onBodyFailure(error: unknown): void {
    this.#settle?.reject(error);
  }
}

/** Fields that say how the message is framed, where it goes or how it is read. Source: RFC 9110, section 6.5.1. */
const NO_TRAILERS: ReadonlySet<string> = new Set([
  'authorization',
  'connection',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'cookie',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

function trailersOf({ trailersDistinct }: IncomingMessage): HeaderList {
  return Object.entries(trailersDistinct).flatMap(([name, values = []]) =>
    NO_TRAILERS.has(name) ? [] : values.map((value): [string, string] => [name, value]),
  );
}

function parseTarget(request: IncomingMessage): URL | undefined {
  const { localAddress = '127.0.0.1', localPort } = request.socket;
  const local = `${localAddress.includes(':') ? `[${localAddress}]` : localAddress}:${localPort}`;
  const host = request.headers.host || local;
  const target = request.url ?? '/';
  // A host with a slash, a query or user information would move where the path begins.
  if (!/^[\w.:[\]-]+$/.test(host)) return undefined;
  const absolute = /^https?:\/\//i.test(target)
    ? target
    : `http://${host}${target.startsWith('/') ? '' : '/'}${target}`;
  return URL.canParse(absolute) ? new URL(absolute) : undefined;
}
