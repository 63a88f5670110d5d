/**
 * The HTTP server: node:http, with `POST /invoke/:name` on a path of its own and everything else through the routes.
 * It handles no signal; whoever started it calls `close`.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { argumentError, NebulaError } from '../../host/errors.ts';
import type { Nebula } from '../api.ts';
import { isLoopbackHost } from './authorization.ts';
import type { HttpLogger } from './exchange.ts';
import { InvokeCall, invokedName, type InvokeContext } from './invoke-call.ts';
import { connectionOf, trackConnection } from './node-call.ts';
import { NodeExchange } from './node-exchange.ts';
import { malformedRequestProblem, titleOf } from './problem.ts';
import { Routes } from './routes.ts';

export interface ServerOptions {
  /** Address to bind to; default 127.0.0.1. Any but a loopback address needs a token. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** Bearer token of the management routes. */
  readonly token?: string;
  /** Told of failures inside Nebula; pino's logger fits. */
  readonly logger?: HttpLogger;
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
}

export interface NebulaServer {
  /** Where it listens, such as `http://127.0.0.1:7070`. */
  readonly url: string;
  /** Takes no new connections, lets calls in flight finish for `drainMs`, then closes what is left. */
  close(): Promise<void>;
}

const DRAIN_MS = 10_000;

/** Time a client gets to read what was wrong with its request. */
const LINGER_MS = 1000;

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
  const routes = new Routes(nebula, { ...options, openOnLoopback: isOpen });
  const context: InvokeContext = { nebula, routes, isDraining: false };
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
  if (options.connections !== undefined) server.maxConnections = options.connections;
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    trackConnection(socket);
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('request', (request, response) => serve(context, request, response, false));
  server.on('checkContinue', (request, response) => serve(context, request, response, true));
  server.on('checkExpectation', (request, response) => {
    refuse(context, new NodeExchange(context, request, response, false), 417);
  });
  server.on('clientError', (error, socket) => refuseMalformed(error, socket as Socket));
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

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host.replace(/^\[|\]$/g, ''), () => {
      server.off('error', reject);
      resolve();
    });
  });
}

interface Draining {
  readonly server: Server;
  readonly sockets: ReadonlySet<Socket>;
  readonly context: InvokeContext;
  readonly drainMs: number;
}

function drain({ server, sockets, context, drainMs }: Draining): Promise<void> {
  context.isDraining = true;
  context.routes.isDraining = true;
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

function serve(
  context: InvokeContext,
  request: IncomingMessage,
  response: ServerResponse,
  expectsContinue: boolean,
): void {
  if (request.headers.host === undefined && request.httpVersionMinor > 0) {
    refuse(context, new NodeExchange(context, request, response, expectsContinue), 400);
    return;
  }
  const name = invokedName(request);
  if (name === undefined) serveRoute(context, new NodeExchange(context, request, response, expectsContinue));
  else new InvokeCall(context, name, { request, response, expectsContinue }).start();
}

function serveRoute(context: InvokeContext, exchange: NodeExchange): void {
  if (exchange.isWellFormed) void context.routes.handle(exchange).then((answer) => exchange.send(answer));
  else refuse(context, exchange, 400);
}

/** Answers a request that no route is asked about. */
function refuse(context: InvokeContext, exchange: NodeExchange, status: number): void {
  context.routes.tally.count(status);
  const headers = ['Content-Type', 'application/problem+json'];
  exchange.send({ status, headers, body: malformedRequestProblem(status) });
}

/** Statuses for what node:http reports through `clientError`; anything else is 400. */
const MALFORMED_STATUSES: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

// What the parser cannot read gets an answer only where no other answer is due first: the client could not tell them apart.
function refuseMalformed(error: Error, socket: Socket): void {
  const { code = '' } = error as NodeJS.ErrnoException;
  const calls = [...connectionOf(socket)];
  const isAnswerable = calls.length <= 1 && calls.every((call) => call.isReading);
  if (!socket.writable || code === 'ECONNRESET' || !isAnswerable) {
    socket.destroy();
    return;
  }
  for (const call of calls) call.disconnect();
  const status = MALFORMED_STATUSES[code] ?? 400;
  const body = malformedRequestProblem(status);
  socket.end(
    `HTTP/1.1 ${status} ${titleOf(status)}\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}
