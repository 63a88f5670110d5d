/**
 * The thread that makes a guest's requests while the guest's own thread waits. It trusts the guest's thread for what is
 * granted, checks addresses after the name is looked up, follows no redirect, and keeps connections for the next request.
 */

import { lookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { isIP } from 'node:net';
import { Readable } from 'node:stream';
import { type MessagePort, workerData } from 'node:worker_threads';
import { Agent, buildConnector } from 'undici';
import { isPublicAddress } from '../../capabilities/http/public-address.ts';
import type { HeaderList } from '../../http-message.ts';
import { type OutgoingAnswer, type OutgoingRequestMessage, type SocketMessage, WINDOW_BYTES } from './messages.ts';
import { isSocketMessage, Sockets } from './socket-connections.ts';

/** Connections to one origin. */
const CONNECTIONS = 16;
/** The shortest time to connect that is kept apart from others. */
const MIN_CONNECT_MS = 64;
const PROHIBITED = 'ERR_ADDRESS_PROHIBITED';

type HttpMessage = Exclude<OutgoingRequestMessage, SocketMessage>;
type Start = Extract<HttpMessage, { op: 'start' }>;
type LookupCallback = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

function prohibited(): Error {
  return Object.assign(new Error('the address is not a public one'), { code: PROHIBITED });
}

/** Looks a name up and gives only addresses of the public internet. */
function lookupPublic(hostname: string, options: LookupOptions, callback: LookupCallback): void {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) {
      callback(error, []);
      return;
    }
    const allowed = addresses.filter(({ address }) => isPublicAddress(address));
    const [first] = allowed;
    if (first === undefined) callback(prohibited(), []);
    else if (options.all === true) callback(null, allowed);
    else callback(null, first.address, first.family);
  });
}

/** Connects to public addresses only, whatever led there: names are checked as they are looked up, addresses here. */
function connectPublic(timeoutMs: number): buildConnector.connector {
  const connect = buildConnector({ timeout: timeoutMs, lookup: lookupPublic });
  return (options, callback) => {
    const literal = options.hostname.replace(/^\[|\]$/g, '');
    if (isIP(literal) !== 0 && !isPublicAddress(literal)) callback(prohibited(), null);
    else connect(options, callback);
  };
}

// Connections made under one grant must not serve another.
const agents = new Map<string, Agent>();

/** Guests choose among few: each has an agent with connections of its own. Rounds up to a power of two. */
function roundTimeout(connectMs: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(MIN_CONNECT_MS, connectMs)));
}

function agentFor({ isPrivateGranted, timeouts }: Start): Agent {
  const timeoutMs = roundTimeout(timeouts.connectMs);
  const key = `${String(isPrivateGranted)} ${timeoutMs}`;
  let agent = agents.get(key);
  if (agent === undefined) {
    const connect = isPrivateGranted ? { timeout: timeoutMs } : connectPublic(timeoutMs);
    agent = new Agent({ connections: CONNECTIONS, connect });
    agents.set(key, agent);
  }
  return agent;
}

/** One request as undici makes it, its bodies at the pace of who reads them. */
class UndiciRequest {
  readonly #port: MessagePort;
  readonly #start: Start;
  readonly #signal: Int32Array;
  readonly #abort: AbortController = new AbortController();
  #pieces: Uint8Array[] = [];
  #isEnded = false;
  #underWay = 0;
  #wake: (() => void) | undefined;

  constructor(port: MessagePort, start: Start) {
    this.#port = port;
    this.#start = start;
    this.#signal = new Int32Array(start.signal, 0, 1);
  }

  accept(message: HttpMessage): void {
    if (message.op === 'data') this.#pieces.push(message.bytes);
    else if (message.op === 'end') this.#isEnded = true;
    else if (message.op === 'taken') this.#underWay -= message.count;
    else if (message.op === 'abort') this.#abort.abort();
    this.#wake?.();
  }

  async run(): Promise<void> {
    const { id, origin, path, method, headers, hasBody, timeouts } = this.#start;
    try {
      const response = await agentFor(this.#start).request({
        origin,
        path,
        method,
        headers: headers.flat(),
        body: hasBody ? Readable.from(this.#body()) : null,
        headersTimeout: timeouts.headMs,
        bodyTimeout: timeouts.betweenBytesMs,
        signal: this.#abort.signal,
      });
      this.#tell({ kind: 'head', id, status: response.statusCode, headers: toList(response.headers) });
      await this.#relay(response.body as AsyncIterable<Uint8Array>);
      const trailers = toList(response.trailers);
      this.#tell({ kind: 'end', id, trailers: trailers.length === 0 ? undefined : trailers });
    } catch (error) {
      this.#tell({ kind: 'error', id, code: codeOf(error) });
    }
  }

  async #relay(body: AsyncIterable<Uint8Array>): Promise<void> {
    const { id, bodyBytes } = this.#start;
    let total = 0;
    for await (const bytes of body) {
      total += bytes.length;
      if (total > bodyBytes) throw Object.assign(new Error('the body is too large'), { code: 'ERR_BODY_SIZE' });
      this.#underWay += bytes.length;
      this.#tell({ kind: 'data', id, bytes });
      while (this.#underWay >= WINDOW_BYTES && !this.#abort.signal.aborted) await this.#woken();
    }
  }

  async *#body(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const piece = this.#pieces.shift();
      if (piece !== undefined) {
        yield piece;
        this.#tell({ kind: 'sent', id: this.#start.id, count: piece.length });
      } else if (this.#isEnded || this.#abort.signal.aborted) return;
      else await this.#woken();
    }
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }

  #tell(answer: OutgoingAnswer): void {
    this.#port.postMessage(answer);
    Atomics.add(this.#signal, 0, 1);
    Atomics.notify(this.#signal, 0);
  }
}

function toList(headers: Readonly<Record<string, string | string[] | undefined>>): HeaderList {
  return Object.entries(headers).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value ?? '']).map((each): [string, string] => [name, each]),
  );
}

const CODES: Readonly<Record<string, { readonly tag: string; readonly val?: unknown }>> = {
  [PROHIBITED]: { tag: 'destination-IP-prohibited' },
  ERR_BODY_SIZE: { tag: 'HTTP-response-body-size' },
  ECONNREFUSED: { tag: 'connection-refused' },
  ECONNRESET: { tag: 'connection-terminated' },
  EPIPE: { tag: 'connection-terminated' },
  EHOSTUNREACH: { tag: 'destination-IP-unroutable' },
  ENETUNREACH: { tag: 'destination-IP-unroutable' },
  EAI_AGAIN: { tag: 'DNS-timeout' },
  ENOTFOUND: { tag: 'DNS-error', val: { rcode: 'NXDOMAIN' } },
  ETIMEDOUT: { tag: 'connection-timeout' },
  UND_ERR_CONNECT_TIMEOUT: { tag: 'connection-timeout' },
  UND_ERR_HEADERS_TIMEOUT: { tag: 'HTTP-response-timeout' },
  UND_ERR_BODY_TIMEOUT: { tag: 'connection-read-timeout' },
  UND_ERR_HEADERS_OVERFLOW: { tag: 'HTTP-response-header-section-size' },
  UND_ERR_SOCKET: { tag: 'connection-terminated' },
  UND_ERR_REQ_CONTENT_LENGTH_MISMATCH: { tag: 'HTTP-request-body-size' },
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: { tag: 'HTTP-response-incomplete' },
};

function codeOf(error: unknown): { readonly tag: string; readonly val?: unknown } {
  const errors = error instanceof AggregateError ? (error.errors as unknown[]) : [error];
  for (const each of errors) {
    const code = String((each as { code?: unknown } | null)?.code);
    const known = CODES[code];
    if (known !== undefined) return known;
    if (code.startsWith('HPE_')) return { tag: 'HTTP-protocol-error' };
    if (/^(CERT_|ERR_TLS|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/.test(code)) return { tag: 'TLS-certificate-error' };
    if (code === 'EPROTO') return { tag: 'TLS-protocol-error' };
  }
  return { tag: 'internal-error' };
}

const { port } = workerData as { readonly port: MessagePort };
const requests = new Map<number, UndiciRequest>();
const sockets = new Sockets((answer, signal) => {
  port.postMessage(answer);
  Atomics.add(signal, 0, 1);
  Atomics.notify(signal, 0);
});
port.on('message', (message: OutgoingRequestMessage) => {
  if (isSocketMessage(message)) {
    sockets.accept(message);
    return;
  }
  if (message.op !== 'start') {
    requests.get(message.id)?.accept(message);
    return;
  }
  const request = new UndiciRequest(port, message);
  requests.set(message.id, request);
  void request.run().finally(() => requests.delete(message.id));
});
