/**
 * Connections to one server, and when a call is sent again: only where the error table says that it may succeed then and
 * nothing can have run twice: after a refused connection, after a 503, and for reads after a lost connection.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { argumentError, isNebulaError, messageOf, NebulaError } from '../../host/errors.ts';
import { unwatchAbort, watchAbort } from '../../pools/abort-watch.ts';
import { hasOutcome, parseFailure, type RemoteReply } from '../wire/outcome.ts';
import type { ClientOptions, FetchOptions } from './options.ts';

/** One call of a route. */
export interface Call extends FetchOptions {
  /** Behind the server's own path. */
  readonly path: string;
  /** Whether it may be sent again when it is not known whether the server saw it. */
  readonly isRepeatable?: boolean;
  /** Whether statuses of failure are the caller's to read. */
  readonly isRaw?: boolean;
}

/** What sending a call once came to: a reply, a failure, or a reply that tells of a failure. */
interface Attempt {
  readonly reply?: RemoteReply;
  readonly failure?: NebulaError;
  readonly isResendable: boolean;
}

/** The longest pause before a call is sent again, whatever Retry-After says. */
const PAUSE_LIMIT_MS = 5000;
const FIRST_PAUSE_MS = 50;

// Codes of failures that come before a request is written.
const UNSENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** A pool of connections to a server. */
export class Connection {
  readonly #pool: Pool;
  /** Where the server is. */
  readonly url: URL;
  readonly #attempts: number;
  readonly #authorization: Readonly<Record<string, string>>;

  constructor(options: ClientOptions) {
    const { token, timeoutMs = 60_000, connections = 64, attempts = 3 } = options;
    if (!URL.canParse(String(options.url))) throw argumentError('url', 'a URL', String(options.url));
    this.url = new URL(options.url);
    if (!/^https?:$/.test(this.url.protocol)) throw argumentError('url', 'an http or https URL', this.url.href);
    for (const [name, value] of Object.entries({ timeoutMs, connections, attempts })) {
      if (!Number.isInteger(value) || value < 1) throw argumentError(name, 'a positive integer', value);
    }
    this.#attempts = attempts;
    this.#authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    this.#pool = new Pool(this.url.origin, {
      connections,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      connect: { timeout: Math.min(timeoutMs, 10_000) },
    });
  }

  /** A signal of its own for each call: undici and timers listen to what they are given, and many calls may share one. */
  async send(call: Call): Promise<RemoteReply> {
    const { signal } = call;
    if (signal === undefined) return this.#sendUntil(call);
    const own = new AbortController();
    const abort = (): void => own.abort(signal.reason);
    if (signal.aborted) abort();
    watchAbort(signal, abort);
    try {
      return await this.#sendUntil({ ...call, signal: own.signal });
    } finally {
      unwatchAbort(signal, abort);
    }
  }

  async #sendUntil(call: Call): Promise<RemoteReply> {
    for (let attempt = 1; ; attempt += 1) {
      const { reply, failure, isResendable } = await this.#attempt(call);
      if (!isResendable || attempt >= this.#attempts) {
        if (reply !== undefined && (failure === undefined || call.isRaw === true)) return reply;
        throw failure;
      }
      const pauseMs = retryAfterMs(reply?.headers['retry-after']) ?? FIRST_PAUSE_MS * 2 ** (attempt - 1);
      await this.#pause(pauseMs, call);
    }
  }

  async #attempt(call: Call): Promise<Attempt> {
    let reply: RemoteReply;
    try {
      reply = await this.request(call);
    } catch (error) {
      const isLost = isNebulaError(error) && error.key === 'SERVER_UNREACHABLE';
      if (!isLost) throw error;
      return { failure: error, isResendable: call.isRepeatable === true || UNSENT.has(codeOf(error.cause)) };
    }
    if (reply.status < 400) return { reply, isResendable: false };
    const failure = parseFailure(this.url.href, reply);
    // Where there is an outcome a guest has run, whatever its answer looks like.
    const hasRun = hasOutcome(reply);
    return { reply, failure, isResendable: reply.status === 503 && failure.retryable && !hasRun };
  }

  // Clients that were refused together must not come back together.
  async #pause(pauseMs: number, call: Call): Promise<void> {
    try {
      const jittered = Math.min(pauseMs, PAUSE_LIMIT_MS) * (1 + Math.random() / 2);
      await sleep(jittered, undefined, call.signal === undefined ? {} : { signal: call.signal });
    } catch (error) {
      throw new NebulaError('CLIENT_CLOSED', {}, { cause: error });
    }
  }

  /** Sends a call once. @throws NebulaError SERVER_UNREACHABLE, CLIENT_CLOSED */
  async request(call: Call): Promise<RemoteReply> {
    const { path, method = 'GET', body, signal } = call;
    // A guest sees the fields of these, but not of /invoke/.
    const isForGuest = path.startsWith('/fn/');
    try {
      const reply = await this.#pool.request({
        path: this.url.pathname.replace(/\/$/, '') + path,
        method,
        headers: { ...(isForGuest ? {} : this.#authorization), ...call.headers },
        body: body ?? null,
        ...(signal === undefined ? {} : { signal }),
      });
      return { status: reply.statusCode, headers: reply.headers, body: await reply.body.bytes() };
    } catch (error) {
      throw this.#lost(error, signal);
    }
  }

  /** Asks once for an answer that goes on: its pieces as they come. @throws NebulaError by the server's code, SERVER_UNREACHABLE */
  async *stream(call: Call): AsyncGenerator<Uint8Array, void, undefined> {
    const { path, signal, headers } = call;
    try {
      const { statusCode, ...reply } = await this.#pool.request({
        path: this.url.pathname.replace(/\/$/, '') + path,
        method: 'GET',
        headers: { ...this.#authorization, ...headers },
        ...(signal === undefined ? {} : { signal }),
      });
      if (statusCode !== 200) {
        const whole = { status: statusCode, headers: reply.headers, body: await reply.body.bytes() };
        throw parseFailure(this.url.href, whole);
      }
      yield* reply.body as AsyncIterable<Uint8Array>;
    } catch (error) {
      throw isNebulaError(error) ? error : this.#lost(error, signal);
    }
  }

  #lost(error: unknown, signal: AbortSignal | undefined): NebulaError {
    if (signal?.aborted === true) return new NebulaError('CLIENT_CLOSED', {}, { cause: error });
    return new NebulaError('SERVER_UNREACHABLE', { url: this.url.href, detail: detailOf(error) }, { cause: error });
  }

  /** Lets calls in flight finish and closes the connections. */
  close(): Promise<void> {
    return this.#pool.close();
  }
}

// A host with several addresses fails with an AggregateError that has the code of its members.
function codeOf(error: unknown): string {
  return (error as { code?: string } | undefined)?.code ?? '';
}

function detailOf(error: unknown): string {
  return messageOf(error) || codeOf(error) || 'no connection';
}

function retryAfterMs(header: string | string[] | undefined): number | undefined {
  if (typeof header !== 'string') return undefined;
  const waitMs = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(waitMs) ? Math.max(0, waitMs) : undefined;
}
