/**
 * One request of node:http while it is answered: its body, its client's going away, its response. Whoever answers it
 * extends NodeCall. Nothing here knows a route.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { NO_BYTES } from '../../../host/bytes.ts';
import { NebulaError } from '../../../host/errors.ts';
import { GatheredBytes } from '../../../host/gathered-bytes.ts';
import { hasContent } from '../../../host/http-fields.ts';
import { TARGET_CHARACTERS, traceparentOf, type Access } from './access.ts';
import { announcedBytes, BodyTooLarge, lengthOf, type Answer, type BodyStream } from './exchange.ts';
import { REQUEST_ID_FIELD, requestIdOf } from './request-id.ts';
import { DisconnectSignal } from '../../../pools/disconnect-signal.ts';

/** Calls in flight on one connection; more than one when the client pipelines. */
export type Connection = Set<NodeCall>;

const CONNECTION: unique symbol = Symbol('nebula.connection');
const CALL: unique symbol = Symbol('nebula.call');

/** A body that nobody wants is read to its end when it is announced to be no longer, so that the connection can stay. */
const DISCARD_BYTES = 65_536;

/** Time a client gets to read an answer that came before it had sent its whole request. */
const LINGER_MS = 1000;

/** Bodies up to this size are sent in one piece with the head. */
const JOINED_BYTES = 4096;

type TrackedSocket = Socket & { [CONNECTION]?: Connection };
type TrackedRequest = IncomingMessage & { [CALL]?: NodeCall };

/** Remembers the calls of a connection, and ends them when it closes. */
export function trackConnection(socket: Socket): void {
  (socket as TrackedSocket)[CONNECTION] = new Set();
  socket.on('close', endCalls);
}

/** The calls in flight on a connection. */
export function connectionOf(socket: Socket): Connection {
  return ((socket as TrackedSocket)[CONNECTION] ??= new Set());
}

function endCalls(this: TrackedSocket): void {
  for (const call of this[CONNECTION] ?? []) call.disconnect();
}

// One function each for all requests: a closure per request would be garbage on the invocation path.
function takeChunk(this: TrackedRequest, chunk: Buffer): void {
  this[CALL]?.take(chunk);
}

function endBody(this: TrackedRequest): void {
  this[CALL]?.endBody();
}

function breakBody(this: TrackedRequest): void {
  this[CALL]?.disconnect();
}

/** What all calls of a server share. */
export interface CallContext {
  /** Whether connections are closed after their answers. */
  isDraining: boolean;
  /** Told of each request once it is answered. */
  readonly onAccess?: ((access: Access) => void) | undefined;
}

export abstract class NodeCall {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly #context: CallContext;
  readonly #connection: Connection;
  #expectsContinue: boolean;
  #isDisconnected = false;
  #signal: DisconnectSignal | undefined = undefined;
  #isReading = false;
  #limitBytes = 0;
  #sizeBytes = 0;
  /** The first piece of the body, and all of them where there are more. */
  #first: Buffer | undefined = undefined;
  #gathered: GatheredBytes | undefined = undefined;
  #requestId: string | undefined = undefined;
  #startedMs = 0;
  #remoteAddress = '';

  constructor(context: CallContext, request: IncomingMessage, response: ServerResponse, expectsContinue: boolean) {
    this.request = request;
    this.response = response;
    this.#context = context;
    if (context.onAccess !== undefined) {
      this.#startedMs = performance.now();
      // A socket that was closed does not know it any more.
      this.#remoteAddress = request.socket.remoteAddress ?? '0.0.0.0';
    }
    this.#expectsContinue = expectsContinue;
    this.#connection = connectionOf(request.socket);
    this.#connection.add(this);
    (request as TrackedRequest)[CALL] = this;
  }

  /** The whole body was read. */
  protected abstract onBody(body: Uint8Array): void;

  /** The body was too large, or the client went away: BodyTooLarge or CLIENT_CLOSED. */
  protected abstract onBodyFailure(error: unknown): void;

  /** Whether the body is being read. */
  get isReading(): boolean {
    return this.#isReading;
  }

  get isDisconnected(): boolean {
    return this.#isDisconnected;
  }

  /** By which the log and the answer call this request. */
  get requestId(): string {
    return (this.#requestId ??= requestIdOf(this.request.headers['x-request-id']));
  }

  /** Aborts when the client goes away. */
  get signal(): AbortSignal {
    if (this.#signal === undefined) {
      this.#signal = new DisconnectSignal();
      if (this.#isDisconnected) this.#signal.abort(new NebulaError('CLIENT_CLOSED'));
    }
    return this.#signal;
  }

  /** Reads the body: `onBody` or `onBodyFailure` follows, perhaps at once. */
  read(limitBytes: number): void {
    const { headers } = this.request;
    const announced = announcedBytes(headers['content-length']);
    if (this.#isDisconnected) this.onBodyFailure(new NebulaError('CLIENT_CLOSED'));
    else if (announced !== undefined && announced > limitBytes) {
      this.onBodyFailure(new BodyTooLarge(announced, limitBytes));
    } else if ((announced ?? 0) === 0 && headers['transfer-encoding'] === undefined) this.onBody(NO_BYTES);
    else this.#startReading(limitBytes);
  }

  #startReading(limitBytes: number): void {
    this.#limitBytes = limitBytes;
    this.#isReading = true;
    this.expect();
    this.request.on('data', takeChunk);
    this.request.on('end', endBody);
    this.request.on('error', breakBody);
  }

  /** Tells a client that waits for it to send the body. */
  protected expect(): void {
    if (!this.#expectsContinue) return;
    this.#expectsContinue = false;
    this.response.writeContinue();
  }

  /** A piece of the body arrived. */
  take(chunk: Buffer): void {
    if (!this.#isReading) return;
    this.#sizeBytes += chunk.byteLength;
    if (this.#sizeBytes > this.#limitBytes) {
      this.#stopReading();
      this.onBodyFailure(new BodyTooLarge(this.#sizeBytes, this.#limitBytes));
    } else if (this.#first === undefined) this.#first = chunk;
    else {
      if (this.#gathered === undefined) {
        this.#gathered = new GatheredBytes();
        this.#gathered.add(this.#first);
      }
      this.#gathered.add(chunk);
    }
  }

  /** The body is complete. */
  endBody(): void {
    if (!this.#isReading) return;
    const body = this.#gathered?.whole() ?? this.#first ?? NO_BYTES;
    this.#stopReading();
    this.onBody(body);
  }

  #stopReading(): void {
    this.#isReading = false;
    this.#first = undefined;
    this.#gathered = undefined;
  }

  /** The client went away. */
  disconnect(): void {
    if (this.#isDisconnected) return;
    this.#isDisconnected = true;
    const wasReading = this.#isReading;
    this.#stopReading();
    if (wasReading) this.onBodyFailure(new NebulaError('CLIENT_CLOSED'));
    this.#signal?.abort(new NebulaError('CLIENT_CLOSED'));
  }

  /** Writes the answer, unless nobody is there to read it, or an application around this has answered before. */
  send(answer: Answer): void {
    if (this.response.headersSent || this.response.destroyed) {
      this.#drop(answer);
      return;
    }
    if (answer.stream !== undefined) {
      void this.#stream(answer.status, answer.headers, answer.stream);
      return;
    }
    this.#connection.delete(this);
    this.#tellAccess(answer.status);
    if (this.#isDisconnected) return;
    const { status } = answer;
    const { method = 'GET' } = this.request;
    const body = method === 'HEAD' || hasContent(method, status) ? answer.body : NO_BYTES;
    const headers = [...answer.headers, REQUEST_ID_FIELD, this.requestId];
    const length = lengthOf(method, answer);
    if (length !== undefined) headers.push('Content-Length', String(length));
    if (this.#isUnwanted()) {
      this.#sendAndLinger(status, headers, body);
      return;
    }
    if (this.#context.isDraining || this.#expectsContinue) headers.push('Connection', 'close');
    this.response.writeHead(status, headers);
    end(this.response, body);
  }

  /** Lets go of an answer that comes too late, and of the guest that still makes it. */
  #drop({ stream }: Answer): void {
    const { headersSent, statusCode } = this.response;
    this.#connection.delete(this);
    if (!headersSent) this.disconnect();
    this.#tellAccess(statusCode);
    this.disconnect();
    if (stream !== undefined) giveUp(stream.body);
  }

  /** Writes a body as fast as the client reads it. */
  async #stream(status: number, headers: readonly string[], stream: BodyStream): Promise<void> {
    const { response } = this;
    try {
      const all = [...headers, REQUEST_ID_FIELD, this.requestId];
      if (this.#context.isDraining) all.push('Connection', 'close');
      response.writeHead(status, all);
      response.flushHeaders();
      // A client that does not read would not notice that nothing more comes.
      stream.onCut?.(() => response.destroy());
      for await (const chunk of stream.body) {
        // An application may end what it did not begin.
        if (this.#isDisconnected || response.writableEnded) return;
        if (!response.write(chunk)) await writable(response);
      }
      const trailers = stream.trailers();
      if (trailers !== undefined)
        response.addTrailers(trailers.map(([name, value]): [string, string] => [name, value]));
      response.end();
    } catch {
      // The head is out: all that is left to say that the body is not whole is to cut the connection.
      response.destroy();
      giveUp(stream.body);
    } finally {
      this.#connection.delete(this);
      this.#tellAccess(status);
    }
  }

  #tellAccess(status: number): void {
    const { onAccess } = this.#context;
    if (onAccess === undefined) return;
    const { method = '', url = '', headers } = this.request;
    onAccess({
      requestId: this.requestId,
      method,
      target: url.slice(0, TARGET_CHARACTERS),
      status: this.#isDisconnected ? 499 : status,
      durationMs: performance.now() - this.#startedMs,
      remoteAddress: this.#remoteAddress,
      ...traceparentOf(headers['traceparent']),
    });
  }

  /** Whether the rest of the body is too long to be read only to keep the connection. */
  #isUnwanted(): boolean {
    const { complete, headers } = this.request;
    if (complete) return false;
    if (headers['transfer-encoding'] !== undefined) return true;
    return Number(headers['content-length'] ?? 0) > DISCARD_BYTES;
  }

  // Closing at once would reset the connection while the client still sends, and the reset can overtake the answer. So the
  // answer is sent whole, and the connection closed when the client has stopped sending or had its time.
  #sendAndLinger(status: number, headers: string[], body: Uint8Array | string): void {
    const { request, response } = this;
    headers.push('Connection', 'close');
    response.writeHead(status, headers);
    if (body.length > 0) response.write(body);
    else response.flushHeaders();
    const end = (): void => {
      clearTimeout(timer);
      response.end();
    };
    const timer = setTimeout(end, LINGER_MS).unref();
    request.once('end', end);
    request.once('close', end);
    request.on('error', end);
    request.resume();
  }
}

/** Ends a response. node:http sends a short text in one piece with the head, and bytes in one of their own. */
function end(response: ServerResponse, body: Uint8Array | string): void {
  if (typeof body === 'string' || body.length > JOINED_BYTES) response.end(body);
  else response.end(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1'), 'latin1');
}

/** Ends a body that nobody reads on. One that was never begun has to be, since `return` alone would end nothing behind it. */
function giveUp(body: AsyncGenerator<Uint8Array, void, undefined>): void {
  body.next().then(
    () => body.return().catch(() => undefined),
    () => undefined,
  );
}

/** Waits until the client has read enough, or has gone. */
function writable(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    if (response.destroyed) {
      resolve();
      return;
    }
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}
