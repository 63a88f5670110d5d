/** A request of node:http as the routes see it. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { HeaderList } from '../../../host/http-message.ts';
import { NebulaError } from '../../../host/errors.ts';
import { isTrailerField } from '../../../host/http-fields.ts';
import type { Sender } from './authorization.ts';
import { announcedBytes, type Exchange } from './exchange.ts';
import type { RequestStream } from '../../component/reception.ts';
import { NodeCall, type CallContext } from './node-call.ts';
import { parseHostFields, parseRequestTarget, type Authority, type RequestTarget } from './request-target.ts';
import type { Router } from './router.ts';

/** A request of node:http with what answers it. */
export interface Message {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly expectsContinue: boolean;
}

/** A request of node:http as the routes take it. */
export class NodeExchange extends NodeCall implements Exchange {
  readonly redirects = 0;
  readonly target: RequestTarget;
  #settle: { resolve(body: Uint8Array): void; reject(error: unknown): void } | undefined = undefined;

  constructor(context: CallContext, message: Message, target: RequestTarget) {
    super(context, message.request, message.response, message.expectsContinue);
    this.target = target;
  }

  /** Whether there is more of the body to come, and nothing was answered yet. */
  override get isReading(): boolean {
    return super.isReading || (!this.request.complete && !this.response.headersSent);
  }

  get method(): string {
    return this.request.method ?? 'GET';
  }

  get protocol(): string {
    return `HTTP/${this.request.httpVersion}`;
  }

  get remoteAddress(): string {
    return this.request.socket.remoteAddress ?? '0.0.0.0';
  }

  get localAddress(): string | undefined {
    return this.request.socket.localAddress;
  }

  get hasBody(): boolean {
    const { headers } = this.request;
    return (announcedBytes(headers['content-length']) ?? 0) > 0 || headers['transfer-encoding'] !== undefined;
  }

  header(name: string): string | undefined {
    return fieldOf(this.request, this.target, name);
  }

  *headers(): Iterable<readonly [string, string]> {
    for (const name of Object.keys(this.request.headers)) {
      if (name !== 'x-request-id') yield [name, this.header(name) ?? ''];
    }
    yield ['x-request-id', this.requestId];
  }

  readBody(limitBytes: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.read(limitBytes);
    });
  }

  bodyStream(): RequestStream {
    return { [Symbol.asyncIterator]: () => this.#pieces(), trailers: () => trailersOf(this.request) };
  }

  async *#pieces(): AsyncGenerator<Uint8Array, void, undefined> {
    this.expect();
    try {
      // The response still needs the connection when nobody wants the rest of the body.
      for await (const chunk of this.request.iterator({ destroyOnReturn: false })) yield chunk as Buffer;
    } catch (error) {
      throw new NebulaError('CLIENT_CLOSED', {}, { cause: error });
    } finally {
      // A rest that nobody reads would hold up the next request of the connection.
      this.request.resume();
    }
  }

  protected override onBody(body: Uint8Array): void {
    this.#settle?.resolve(body);
  }

  protected override onBodyFailure(error: unknown): void {
    this.#settle?.reject(error);
  }
}

/** Answers a request by the routes. An answer that cannot be written is told to their logger, and cuts the connection. */
export function answerExchange(router: Router, exchange: NodeExchange): void {
  router
    .handle(exchange)
    .then((answer) => exchange.send(answer))
    .catch((error: unknown) => {
      exchange.response.destroy();
      router.unsent(error, exchange.requestId);
    });
}

function fieldOf({ headers }: IncomingMessage, target: RequestTarget, name: string): string | undefined {
  // Source: RFC 9112, section 3.2.2.
  if (name === 'host' && target.isAbsolute) return target.authority.text;
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

/** Who sent a request whose fields were read before. */
export function senderOf(request: IncomingMessage): Sender {
  const target = targetOf(request, parseHostFields(request.rawHeaders));
  return {
    method: request.method ?? 'GET',
    target,
    localAddress: request.socket.localAddress,
    header: (name) => fieldOf(request, target, name),
  };
}

function trailersOf({ trailersDistinct }: IncomingMessage): HeaderList {
  return Object.entries(trailersDistinct).flatMap(([name, values = []]) =>
    isTrailerField(name) ? values.map((value): [string, string] => [name, value]) : [],
  );
}

/**
 * Where a request of node:http goes; without a Host field, to the address it came in at.
 * @param host of its Host field
 * @throws MalformedRequest
 */
export function targetOf(
  { method = 'GET', url = '/', socket }: IncomingMessage,
  host: Authority | undefined,
): RequestTarget {
  return parseRequestTarget(method, url, 'http', host ?? localAuthority(socket));
}

function localAuthority({ localAddress = '127.0.0.1', localPort = 80 }: Socket): Authority {
  const hostname = localAddress.includes(':') ? `[${localAddress}]` : localAddress;
  return { text: `${hostname}:${localPort}`, hostname, port: String(localPort) };
}
