/**
 * A client for a Nebula server, on an undici Pool. A call is sent again only where the error table says that it may succeed
 * then and nothing can have run twice: after a refused connection, after a 503, and for reads after a lost connection.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { Pool, Response } from 'undici';
import { argumentError, isNebulaError, messageOf, NebulaError } from '../host/errors.ts';
import { hasContent } from '../host/http-fields.ts';
import { unwatchAbort, watchAbort } from '../pools/abort-watch.ts';
import type { DeployOptions, FunctionRecord, Input } from './api.ts';
import { SNAPSHOT_LIMIT_BYTES } from './triggers/http/deployment.ts';
import { toManifestJson } from './manifest.ts';
export type { RemoteEnding, RemoteOutcome } from './triggers/http/remote-outcome.ts';
import {
  readRemoteFailure,
  readRemoteOutcome,
  type RemoteOutcome,
  type RemoteReply,
} from './triggers/http/remote-outcome.ts';

export interface ClientOptions {
  /** Where the server is; a path is put before every route's. */
  readonly url: string | URL;
  /** Bearer token of the management routes. */
  readonly token?: string;
  /** Time an answer may take to begin, and then between its pieces; default 60,000. */
  readonly timeoutMs?: number;
  /** Connections at once; default 64. */
  readonly connections?: number;
  /** How often a call is sent at most; default 3. */
  readonly attempts?: number;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
}

export interface FetchOptions extends CallOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Input;
}

/** What a deploy over HTTP may say. A path would name a file of the server's, so a snapshot goes as its bytes. */
export interface RemoteDeployOptions extends Omit<DeployOptions, 'name' | 'snapshot'> {
  /** What `nebula snapshot` wrote, at most 256 MiB. */
  readonly snapshot?: Uint8Array;
}

interface Call extends FetchOptions {
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

const DOT_SEGMENT = /(^|[/\\])(\.|%2e){1,2}([/\\]|$)/i;

// Codes of failures that come before a request is written.
const UNSENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

export class NebulaClient {
  readonly #pool: Pool;
  readonly #url: URL;
  readonly #attempts: number;
  readonly #authorization: Readonly<Record<string, string>>;

  constructor(options: ClientOptions) {
    const { token, timeoutMs = 60_000, connections = 64, attempts = 3 } = options;
    if (!URL.canParse(String(options.url))) throw argumentError('url', 'a URL', String(options.url));
    this.#url = new URL(options.url);
    if (!/^https?:$/.test(this.#url.protocol)) throw argumentError('url', 'an http or https URL', this.#url.href);
    for (const [name, value] of Object.entries({ timeoutMs, connections, attempts })) {
      if (!Number.isInteger(value) || value < 1) throw argumentError(name, 'a positive integer', value);
    }
    this.#attempts = attempts;
    this.#authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    this.#pool = new Pool(this.#url.origin, {
      connections,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      connect: { timeout: Math.min(timeoutMs, 10_000) },
    });
  }

  /**
   * Runs a function once. What the guest did is in the outcome.
   * @throws NebulaError by the server's code; SERVER_UNREACHABLE, SERVER_ANSWER, CLIENT_CLOSED
   */
  async invoke(name: string, input: Input = '', options: CallOptions = {}): Promise<RemoteOutcome> {
    const path = `/invoke/${segment(name)}`;
    const reply = await this.#send({ ...options, path, method: 'POST', body: input, isRaw: true });
    return readRemoteOutcome(this.#url.href, reply);
  }

  /** Deploys a function, or a new version of one. @throws NebulaError as `Nebula.deploy` does, and as `invoke` does here */
  async deploy(name: string, module: Uint8Array, options: RemoteDeployOptions = {}): Promise<FunctionRecord> {
    const { snapshot, ...rest } = options;
    if (snapshot !== undefined && !(snapshot instanceof Uint8Array && snapshot.length <= SNAPSHOT_LIMIT_BYTES)) {
      const got = (snapshot as unknown) instanceof Uint8Array ? snapshot.length : snapshot;
      throw argumentError('options.snapshot', `the bytes of a snapshot, at most ${SNAPSHOT_LIMIT_BYTES}`, got);
    }
    const manifest = JSON.stringify(toManifestJson({ ...rest, name }));
    const path = functionPath(name);
    // A header is bounded by the server's parser; a long manifest goes into the body.
    const isBare = snapshot === undefined && encodeURIComponent(manifest).length < 4096;
    const headers = isBare
      ? { 'content-type': 'application/wasm', 'nebula-manifest': encodeURIComponent(manifest) }
      : { 'content-type': 'application/json' };
    const stored = snapshot === undefined ? '' : `,"snapshot":"${toBase64(snapshot)}"`;
    const body = isBare ? module : `{"manifest":${manifest},"module":"${toBase64(module)}"${stored}}`;
    return this.#readJson<FunctionRecord>({ path, method: 'PUT', headers, body });
  }

  /** @throws NebulaError FUNCTION_NOT_FOUND, UNAUTHORIZED, STORE_FAILED */
  async undeploy(name: string): Promise<void> {
    await this.#send({ path: functionPath(name), method: 'DELETE' });
  }

  /** Returns to the version before. @throws NebulaError FUNCTION_NOT_FOUND, NO_PREVIOUS_VERSION, UNAUTHORIZED */
  rollback(name: string): Promise<FunctionRecord> {
    return this.#readJson<FunctionRecord>({ path: `${functionPath(name)}/rollback`, method: 'POST' });
  }

  async list(): Promise<readonly FunctionRecord[]> {
    const { functions } = await this.#readJson<{ functions: FunctionRecord[] }>({
      path: '/functions',
      isRepeatable: true,
    });
    return functions;
  }

  /** @throws NebulaError FUNCTION_NOT_FOUND, UNAUTHORIZED */
  get(name: string): Promise<FunctionRecord> {
    return this.#readJson<FunctionRecord>({ path: functionPath(name), isRepeatable: true });
  }

  /** Whether the server answers at all. */
  async health(): Promise<boolean> {
    return (await this.#probe('/healthz')) === 200;
  }

  /** Whether the server takes calls. */
  async ready(): Promise<boolean> {
    return (await this.#probe('/readyz')) === 200;
  }

  /** The metrics in Prometheus' text format. */
  async metrics(): Promise<string> {
    return toText((await this.#send({ path: '/metrics', isRepeatable: true })).body);
  }

  /** The server's OpenAPI document. */
  openapi(): Promise<Readonly<Record<string, unknown>>> {
    return this.#readJson<Readonly<Record<string, unknown>>>({ path: '/openapi.json', isRepeatable: true });
  }

  /**
   * Sends a request to a function as a CGI program; `path` is what follows its name: from a slash, or a query alone. The
   * response is the function's own or a problem, as the server sent it; the token is not sent: functions are no managers.
   */
  async fetch(name: string, path = '', options: FetchOptions = {}): Promise<Response> {
    const { status, headers, body } = await this.#send({
      ...options,
      path: `/fn/${segment(name)}${checkPath(path)}`,
      isRaw: true,
    });
    const pairs = Object.entries(headers).flatMap(([key, value]) =>
      [value ?? []].flat().map((item): [string, string] => [key, item]),
    );
    return new Response(hasContent(options.method ?? 'GET', status) ? body : null, { status, headers: pairs });
  }

  /** Lets calls in flight finish and closes the connections. */
  close(): Promise<void> {
    return this.#pool.close();
  }

  async #probe(path: string): Promise<number> {
    try {
      return (await this.#request({ path })).status;
    } catch (error) {
      if (isNebulaError(error)) return error.httpStatus;
      throw error;
    }
  }

  async #readJson<T>(call: Call): Promise<T> {
    const { body } = await this.#send(call);
    try {
      return JSON.parse(toText(body)) as T;
    } catch (error) {
      throw new NebulaError(
        'SERVER_ANSWER',
        { url: this.#url.href, detail: 'its answer is not JSON' },
        { cause: error },
      );
    }
  }

  /** A signal of its own for each call: undici and timers listen to what they are given, and many calls may share one. */
  async #send(call: Call): Promise<RemoteReply> {
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
      reply = await this.#request(call);
    } catch (error) {
      const isLost = isNebulaError(error) && error.key === 'SERVER_UNREACHABLE';
      if (!isLost) throw error;
      return { failure: error, isResendable: call.isRepeatable === true || UNSENT.has(codeOf(error.cause)) };
    }
    if (reply.status < 400) return { reply, isResendable: false };
    const failure = readRemoteFailure(this.#url.href, reply);
    // Where there is an outcome a guest has run, whatever its answer looks like.
    const hasRun = reply.headers['nebula-outcome'] !== undefined;
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

  async #request(call: Call): Promise<RemoteReply> {
    const { path, method = 'GET', body, signal } = call;
    const isForGuest = path.startsWith('/fn/') || path.startsWith('/invoke/');
    try {
      const reply = await this.#pool.request({
        path: this.#url.pathname.replace(/\/$/, '') + path,
        method,
        headers: { ...(isForGuest ? {} : this.#authorization), ...call.headers },
        body: body ?? null,
        ...(signal === undefined ? {} : { signal }),
      });
      return { status: reply.statusCode, headers: reply.headers, body: await reply.body.bytes() };
    } catch (error) {
      if (signal?.aborted === true) throw new NebulaError('CLIENT_CLOSED', {}, { cause: error });
      throw new NebulaError('SERVER_UNREACHABLE', { url: this.#url.href, detail: detailOf(error) }, { cause: error });
    }
  }
}

function functionPath(name: string): string {
  return `/functions/${segment(name)}`;
}

/** A function's name as one segment of a path; escaping leaves the dots, which would ask for something else. */
function segment(name: string): string {
  if (name === '' || name === '.' || name === '..') throw argumentError('name', "a function's name", name);
  return encodeURIComponent(name);
}

/** What may follow a function's name in a request line: nothing that leads out of it, or ends the line. */
function checkPath(path: string): string {
  const isPath = /^([/?][\u0021-\u0022\u0024-\u007e]*)?$/.test(path);
  const [steps = ''] = path.split('?');
  if (isPath && !DOT_SEGMENT.test(steps)) return path;
  throw argumentError('path', 'a path from its slash, or a query, in printable ASCII and without dot segments', path);
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
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
