/** A client for a Nebula server. */

import { argumentError, isNebulaError, NebulaError } from '../../host/errors.ts';
import { hasContent } from '../../host/http-fields.ts';
import type { FunctionRecord } from '../schema/function-record.ts';
import type { WebResponse } from '../schema/globals.ts';
import type { Input } from '../api/exports.ts';
import type { LogQuery } from '../observe/log.ts';
import type { LogRecord } from '../schema/log-record.ts';
import { encodeDeployment, SNAPSHOT_LIMIT_BYTES } from '../wire/deployment.ts';
import { textOf } from '../wire/json.ts';
import { fromRecordJson } from '../wire/manifest-json.ts';
import { parseOutcome, type RemoteOutcome } from '../wire/outcome.ts';
import { Connection, type Call } from './connection.ts';
import type { CallOptions, ClientOptions, FetchOptions, RemoteDeployOptions } from './options.ts';
import { eventData } from './event-data.ts';
import { checkPath, functionPath, logsPath, segment } from './paths.ts';

/** Calls and manages the functions of a server. */
export class NebulaClient {
  readonly #connection: Connection;

  /** @throws TypeError or RangeError for options that do not fit */
  constructor(options: ClientOptions) {
    this.#connection = new Connection(options);
  }

  /**
   * Runs a function once. What the guest did is in the outcome.
   * @throws NebulaError by the server's code; SERVER_UNREACHABLE, SERVER_ANSWER, CLIENT_CLOSED
   */
  async invoke(name: string, input: Input = '', options: CallOptions = {}): Promise<RemoteOutcome> {
    const path = `/invoke/${segment(name)}`;
    const reply = await this.#connection.send({ ...options, path, method: 'POST', body: input, isRaw: true });
    return parseOutcome(this.#connection.url.href, reply);
  }

  /** Deploys a function, or a new version of one. @throws NebulaError as `Nebula.deploy` does, and as `invoke` does here */
  async deploy(name: string, module: Uint8Array, options: RemoteDeployOptions = {}): Promise<FunctionRecord> {
    const { snapshot, ...rest } = options;
    if (snapshot !== undefined && !(snapshot instanceof Uint8Array && snapshot.length <= SNAPSHOT_LIMIT_BYTES)) {
      const got = (snapshot as unknown) instanceof Uint8Array ? snapshot.length : snapshot;
      throw argumentError('options.snapshot', `the bytes of a snapshot, at most ${SNAPSHOT_LIMIT_BYTES}`, got);
    }
    const manifest = { ...rest, name };
    const message = encodeDeployment(snapshot === undefined ? { module, manifest } : { module, manifest, snapshot });
    return this.#readRecord({ path: functionPath(name), method: 'PUT', ...message });
  }

  /** Removes a function. @throws NebulaError FUNCTION_NOT_FOUND, UNAUTHORIZED, STORE_FAILED */
  async undeploy(name: string): Promise<void> {
    await this.#connection.send({ path: functionPath(name), method: 'DELETE' });
  }

  /** Returns to the version before. @throws NebulaError FUNCTION_NOT_FOUND, NO_PREVIOUS_VERSION, UNAUTHORIZED */
  rollback(name: string): Promise<FunctionRecord> {
    return this.#readRecord({ path: `${functionPath(name)}/rollback`, method: 'POST' });
  }

  /** Every function, by name. @throws NebulaError UNAUTHORIZED */
  async list(): Promise<readonly FunctionRecord[]> {
    return this.#read({ path: '/functions', isRepeatable: true }, ({ functions }: { functions: FunctionRecord[] }) =>
      functions.map((record) => fromRecordJson(record)),
    );
  }

  /** One function. @throws NebulaError FUNCTION_NOT_FOUND, UNAUTHORIZED */
  get(name: string): Promise<FunctionRecord> {
    return this.#readRecord({ path: functionPath(name), isRepeatable: true });
  }

  /** The latest records of what happened to functions, oldest first. @throws NebulaError FUNCTION_NOT_FOUND, UNAUTHORIZED */
  logs(query: LogQuery = {}): Promise<readonly LogRecord[]> {
    const call = { path: logsPath(query), isRepeatable: true };
    return this.#read(call, ({ records }: { records: LogRecord[] }) => records.map((record) => record));
  }

  /** The same, and then each record as it comes, until the server ends or `signal` aborts. @throws as `logs`; SERVER_ANSWER */
  async *followLogs(query: LogQuery = {}, options: CallOptions = {}): AsyncGenerator<LogRecord, void, undefined> {
    const headers = { accept: 'text/event-stream' };
    const pieces = this.#connection.stream({ ...options, path: logsPath(query), headers });
    for await (const data of eventData(pieces)) {
      try {
        yield JSON.parse(data) as LogRecord;
      } catch (error) {
        const detail = 'one of its events is not JSON';
        throw new NebulaError('SERVER_ANSWER', { url: this.#connection.url.href, detail }, { cause: error });
      }
    }
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
    return textOf((await this.#connection.send({ path: '/metrics', isRepeatable: true })).body);
  }

  /** The server's OpenAPI document. */
  openapi(): Promise<Readonly<Record<string, unknown>>> {
    return this.#read({ path: '/openapi.json', isRepeatable: true }, (page: Readonly<Record<string, unknown>>) => page);
  }

  /**
   * Sends a request to a function as a CGI program; `path` is what follows its name: from a slash, or a query alone. The
   * response is the function's own or a problem, as the server sent it; the token is not sent: functions are no managers.
   */
  async fetch(name: string, path = '', options: FetchOptions = {}): Promise<WebResponse> {
    const { status, headers, body } = await this.#connection.send({
      ...options,
      path: `/fn/${segment(name)}${checkPath(path)}`,
      isRaw: true,
    });
    const pairs = Object.entries(headers).flatMap(([key, value]) =>
      [value ?? []].flat().map((item): [string, string] => [key, item]),
    );
    return new Response(hasContent(options.method ?? 'GET', status) ? (body as BodyInit) : null, {
      status,
      headers: pairs,
    });
  }

  /** Lets calls in flight finish and closes the connections. */
  close(): Promise<void> {
    return this.#connection.close();
  }

  async #probe(path: string): Promise<number> {
    try {
      return (await this.#connection.request({ path })).status;
    } catch (error) {
      if (isNebulaError(error)) return error.httpStatus;
      throw error;
    }
  }

  #readRecord(call: Call): Promise<FunctionRecord> {
    return this.#read(call, fromRecordJson);
  }

  /** What `decode` makes of an answer in JSON. */
  async #read<Answer>(call: Call, decode: (json: never) => Answer): Promise<Answer> {
    const { body } = await this.#connection.send(call);
    let detail = 'its answer is not JSON';
    try {
      const json = JSON.parse(textOf(body)) as never;
      detail = "its answer is not one of Nebula's";
      return decode(json);
    } catch (error) {
      throw new NebulaError('SERVER_ANSWER', { url: this.#connection.url.href, detail }, { cause: error });
    }
  }
}
