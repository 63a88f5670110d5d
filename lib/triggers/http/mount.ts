/** The HTTP face inside an application of others on node:http: bodies streamed both ways, calls ended when their client goes away. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { argumentError } from '../../../host/errors.ts';
import type { Nebula } from '../../api/nebula.ts';
import type { MountOptions } from './mount-options.ts';
import { trackConnection } from './node-call.ts';
import { answerExchange, NodeExchange, type Message } from './node-exchange.ts';
import { refuse } from './refusal.ts';
import { MalformedRequest, parseHostFields, parseRequestTarget, type RequestTarget } from './request-target.ts';
import { Router } from './router.ts';

/** One request of the application's that is Nebula's to answer. */
export interface MountedRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Path and query as they were sent, without the mount's own path. */
  readonly target: string;
  /** The client's address as the application knows it, proxies in front of it considered. */
  readonly remoteAddress: string | undefined;
}

/** Connections whose end is listened to already. */
const tracked = new WeakSet<Socket>();

class MountedExchange extends NodeExchange {
  readonly #address: string | undefined;

  constructor(context: object, message: Message, target: RequestTarget, address: string | undefined) {
    super({ isDraining: false, ...context }, message, target);
    this.#address = address;
  }

  override get remoteAddress(): string {
    return this.#address ?? super.remoteAddress;
  }
}

/**
 * What answers requests. The routes that manage functions need the token, and are closed where none was set.
 * @throws TypeError, from the answerer, for a request whose body somebody has read
 */
export function createMount(nebula: Nebula, options: MountOptions): (mounted: MountedRequest) => void {
  const router = new Router(nebula, options);
  const context = { nebula, router, isDraining: false };
  return ({ request, response, target, remoteAddress }) => {
    if (request.readableDidRead) {
      throw argumentError('the body', 'left to Nebula: mount it before what parses bodies', 'one that was read');
    }
    const { socket } = request;
    if (!tracked.has(socket)) {
      tracked.add(socket);
      trackConnection(socket);
    }
    const message: Message = { request, response, expectsContinue: false };
    if (request.httpVersionMajor !== 1) {
      refuse(context, message, 505, `expected HTTP/1.1 or HTTP/1.0, got HTTP/${request.httpVersion}`);
      return;
    }
    let located: RequestTarget;
    try {
      const host = parseHostFields(request.rawHeaders);
      if (host === undefined) throw new MalformedRequest('expected a Host field, got none');
      const scheme = (socket as Partial<TLSSocket>).encrypted === true ? 'https' : 'http';
      located = parseRequestTarget(request.method ?? 'GET', target, scheme, host);
    } catch (error) {
      if (!(error instanceof MalformedRequest)) throw error;
      refuse(context, message, 400, error.message);
      return;
    }
    const exchange = new MountedExchange(context, message, located, remoteAddress);
    // Where the application took its time the client may have left before anybody listened.
    if (socket.destroyed) exchange.disconnect();
    answerExchange(router, exchange);
  };
}
