/**
 * The HTTP server: node:http, with `POST /invoke/:name` on a path of its own and everything else through the routes.
 * It handles no signal; whoever started it calls `close`.
 */

import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { argumentError, NebulaError } from '../../../host/errors.ts';
import type { Nebula } from '../../api/nebula.ts';
import type { Access } from './access.ts';
import { isLoopbackHost, toHostname } from './authorization.ts';
import type { HttpLogger } from './logger.ts';
import { InvokeCall, invokedName, type InvokeContext } from './invoke-call.ts';
import { connectionOf, trackConnection } from './node-call.ts';
import { answerExchange, NodeExchange, targetOf, type Message } from './node-exchange.ts';
import { refuse, refuseTunnel, refuseUnreadable } from './refusal.ts';
import { MalformedRequest, parseHostFields, type RequestTarget } from './request-target.ts';
import { Router } from './router.ts';

/** Where a server listens, who may manage functions, and how long clients may take. */
export interface ServerOptions {
  /** Address to bind to; default 127.0.0.1. Any but a loopback address needs a token. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** Bearer token of the management routes. */
  readonly token?: string;
  /**
   * Further names, without a port, under which the management routes answer. They know loopback's, `host`, and the address a
   * connection came in at; a request under any other name is refused, because a page can make its own name point here.
   */
  readonly hosts?: readonly string[];
  /** Told of failures inside Nebula; pino's logger fits. */
  readonly logger?: HttpLogger;
  /** Told of each request that could be read, once its answer is handed on or its client gone; on the path of every request. */
  readonly onAccess?: (access: Access) => void;
  /** Time calls in flight get to finish when the server closes; default 10,000. */
  readonly drainMs?: number;
  /** Connections at once; default: as many as the machine gives. */
  readonly connections?: number;
  /** Bytes a deployed module may have. */
  readonly moduleBytes?: number;
  readonly timeouts?: ServerTimeouts;
}

/** How long a client may take. */
export interface ServerTimeouts {
  /** To send a request's headers; default 10,000. */
  readonly headersMs?: number;
  /** To send a whole request; default 120,000. */
  readonly requestMs?: number;
  /** To begin the next request on a kept connection; default 65,000, more than the usual 60 s of balancers. */
  readonly keepAliveMs?: number;
  /** To read something of an answer that waits for it; default 60,000. Its connection is cut then, since its answer is held. */
  readonly sendMs?: number;
}

/** A server that listens. */
export interface NebulaServer {
  /** Where it listens, such as `http://127.0.0.1:7070`. */
  readonly url: string;
  /** Takes no new connections, lets calls in flight finish for `drainMs`, then closes what is left. */
  close(): Promise<void>;
}

const DRAIN_MS = 10_000;

/**
 * Serves a Nebula over HTTP. The Nebula stays the caller's to close.
 * @throws NebulaError LISTEN_REFUSED; the system's error when the address is in use or not this machine's
 */
export async function startServer(nebula: Nebula, options: ServerOptions = {}): Promise<NebulaServer> {
  const { host = '127.0.0.1', port = 0, drainMs = DRAIN_MS } = options;
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw argumentError('port', 'an integer from 0 to 65535', port);
  if (!(drainMs >= 0)) throw argumentError('drainMs', 'a non-negative number', drainMs);
  const isOpen = options.token === undefined;
  if (isOpen && !isLoopbackHost(host)) throw new NebulaError('LISTEN_REFUSED', { address: `${host}:${port}` });
  const bound = toHostname(host);
  const hosts = [...(options.hosts ?? []), ...(bound === undefined ? [] : [bound])];
  const router = new Router(nebula, { ...options, hosts, openOnLoopback: isOpen });
  const context: InvokeContext = { nebula, router, isDraining: false, onAccess: unfailing(options) };
  const server = createServer({
    headersTimeout: options.timeouts?.headersMs ?? 10_000,
    requestTimeout: options.timeouts?.requestMs ?? 120_000,
    keepAliveTimeout: options.timeouts?.keepAliveMs ?? 65_000,
    connectionsCheckingInterval: 500,
    // Checked in `serve`, whose answer is a problem.
    requireHostHeader: false,
  });
  // Node would leave out fields beyond 2,000 without a word, Content-Length among them; their bytes are limited already.
  server.maxHeadersCount = 0;
  server.timeout = options.timeouts?.sendMs ?? 60_000;
  server.on('timeout', cutIdle);
  if (options.connections !== undefined) server.maxConnections = options.connections;
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    trackConnection(socket);
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('request', (request, response) => serve(context, { request, response, expectsContinue: false }));
  server.on('checkContinue', (request, response) => serve(context, { request, response, expectsContinue: true }));
  server.on('checkExpectation', (request, response) => {
    refuse(context, { request, response, expectsContinue: false }, 417);
  });
  server.on('connect', (request, socket) => refuseTunnel(router.tally, request, socket as Socket));
  server.on('clientError', (error, socket) => refuseUnreadable(error, socket as Socket));
  await listen(server, host, port);
  const address = server.address() as AddressInfo;
  // A name may resolve to more than it promises.
  if (isOpen && !isLoopbackHost(address.address)) {
    server.close();
    throw new NebulaError('LISTEN_REFUSED', { address: `${address.address}:${address.port}` });
  }
  let closing: Promise<void> | undefined;
  return {
    url: `http://${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${address.port}`,
    close: () => (closing ??= drain({ server, sockets, context, drainMs })),
  };
}

/** An access log that fails no request: what it throws is told to the logger. */
function unfailing({ onAccess, logger }: ServerOptions): ((access: Access) => void) | undefined {
  if (onAccess === undefined) return undefined;
  return (access) => {
    try {
      onAccess(access);
    } catch (error) {
      logger?.error({ err: error }, 'onAccess failed');
    }
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host.replace(/^\[|\]$/g, ''), () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Told of each connection on which nothing moved for `sendMs`, or for `keepAliveMs` between requests. */
function cutIdle(socket: Socket): void {
  // A function that is still at work may take its time.
  if (socket.writableLength > 0 || connectionOf(socket).size === 0) socket.destroy();
}

interface Draining {
  readonly server: Server;
  readonly sockets: ReadonlySet<Socket>;
  readonly context: InvokeContext;
  readonly drainMs: number;
}

function drain({ server, sockets, context, drainMs }: Draining): Promise<void> {
  context.isDraining = true;
  context.router.isDraining = true;
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), drainMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
    // Node counts a connection that never sent a byte as busy, so that its timeouts reach it.
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
  });
}

/** @throws MalformedRequest for what the version of HTTP does not have */
function checkVersion({ httpVersionMinor, headers }: IncomingMessage): void {
  if (httpVersionMinor > 0) {
    if (headers.host === undefined) throw new MalformedRequest('expected a Host field, got none');
  } else if (headers['transfer-encoding'] !== undefined) {
    // Source: RFC 9112, section 6.1. Whatever passed it on saw another end of it.
    throw new MalformedRequest('expected no Transfer-Encoding in HTTP/1.0, got one');
  }
}

function serve(context: InvokeContext, message: Message): void {
  const { request } = message;
  if (request.httpVersionMajor !== 1) {
    refuse(context, message, 505, `expected HTTP/1.1 or HTTP/1.0, got HTTP/${request.httpVersion}`);
    return;
  }
  let target: RequestTarget;
  try {
    const host = parseHostFields(request.rawHeaders);
    checkVersion(request);
    const name = invokedName(request);
    if (name !== undefined) {
      new InvokeCall(context, name, message).start();
      return;
    }
    target = targetOf(request, host);
  } catch (error) {
    if (!(error instanceof MalformedRequest)) throw error;
    refuse(context, message, 400, error.message);
    return;
  }
  const exchange = new NodeExchange(context, message, target);
  answerExchange(context.router, exchange);
}
