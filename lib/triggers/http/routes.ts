/**
 * The routes: what each path and method does, for either transport. `handle` never rejects: whatever goes wrong is an answer.
 */

import { NO_BYTES } from '../../../host/bytes.ts';
import { isNebulaError, messageOf, NebulaError } from '../../../host/errors.ts';
import { DEFAULT_LIMITS } from '../../../host/limits.ts';
import type { FunctionRecord, Nebula } from '../../api.ts';
import { toManifestJson } from '../../wire/manifest-json.ts';
import { createAuthorize, type AccessOptions, type Authorize } from './authorization.ts';
import { parseFunctionPath } from './cgi-environment.ts';
import { serveCgi } from './cgi.ts';
import { serveComponent } from './component.ts';
import { readDeployment } from './deployment.ts';
import { readInput, type Answer, type Exchange, type HttpLogger } from './exchange.ts';
import type { Metrics } from './metrics.ts';
import { outcomeAnswer } from './outcome-answer.ts';
import { failureAnswer, malformedRequestAnswer } from './problem-answer.ts';
import { hasDotSegment, MalformedRequest, malformedTarget, NO_DOT_SEGMENTS } from './request-target.ts';
import { ResponseTally } from './response-tally.ts';

export interface RouteOptions extends AccessOptions {
  /** Told of failures inside Nebula. */
  readonly logger?: HttpLogger;
  /** Bytes a deployed module may have; default: the default limit. */
  readonly moduleBytes?: number;
}

type Action = (exchange: Exchange) => Answer | Promise<Answer>;

interface Route {
  readonly actions: Readonly<Partial<Record<string, Action>>>;
  /** Whether only who may manage functions may use it. */
  readonly isManaged: boolean;
}

/** What some route or other takes; a function may know more. */
const ALL_METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';

const JSON_TYPE = ['Content-Type', 'application/json'];

export class Routes {
  readonly tally: ResponseTally = new ResponseTally();
  /** Whether `/readyz` says that no calls should be sent here any more. */
  isDraining = false;
  readonly #nebula: Nebula;
  readonly #options: RouteOptions;
  readonly #authorize: Authorize;
  readonly #fixed: ReadonlyMap<string, Route>;
  #metrics: Metrics | undefined;

  constructor(nebula: Nebula, options: RouteOptions) {
    this.#nebula = nebula;
    this.#options = options;
    this.#authorize = createAuthorize(options);
    this.#fixed = new Map<string, Route>([
      ['/healthz', { actions: { GET: () => jsonAnswer(200, { status: 'ok' }) }, isManaged: false }],
      ['/readyz', { actions: { GET: () => this.#readiness() }, isManaged: false }],
      ['/metrics', { actions: { GET: () => this.#readMetrics() }, isManaged: true }],
      ['/openapi.json', { actions: { GET: () => this.#describe() }, isManaged: false }],
      ['/functions', { actions: { GET: () => jsonAnswer(200, { functions: nebula.list() }) }, isManaged: true }],
    ]);
  }

  /** Answers a request, and counts the answer. */
  async handle(exchange: Exchange): Promise<Answer> {
    let answer: Answer;
    try {
      answer = await this.#dispatch(exchange);
    } catch (error) {
      answer =
        error instanceof MalformedRequest
          ? malformedRequestAnswer(400, error.message)
          : failureAnswer(error, this.#options.logger);
    }
    this.tally.count(answer.status);
    return answer;
  }

  /** The answer for something that was thrown outside of `handle`, counted. */
  fail(error: unknown): Answer {
    const answer = failureAnswer(error, this.#options.logger);
    this.tally.count(answer.status);
    return answer;
  }

  #dispatch(exchange: Exchange): Answer | Promise<Answer> {
    const { method, target } = exchange;
    const { path } = target;
    if (path.startsWith('/fn/')) return this.#serveFunction(exchange);
    if (path === '*') return { status: 204, headers: ['Allow', ALL_METHODS], body: NO_BYTES };
    const route = this.#fixed.get(path) ?? this.#namedRoute(path);
    if (route === undefined) throw routeNotFound(exchange);
    const allowed = allowedMethods(route);
    if (method === 'OPTIONS') return { status: 204, headers: ['Allow', allowed], body: NO_BYTES };
    if (route.isManaged) this.#authorize(exchange);
    const action = route.actions[method === 'HEAD' ? 'GET' : method];
    if (action === undefined) throw new NebulaError('METHOD_NOT_ALLOWED', { method, allowed });
    return action(exchange);
  }

  #namedRoute(path: string): Route | undefined {
    const [, folder, encoded = '', verb, ...rest] = path.split('/');
    const name = decodeName(encoded);
    if (name === undefined || rest.length > 0) return undefined;
    if (folder === 'invoke' && verb === undefined) {
      return { actions: { POST: (exchange) => this.#invoke(exchange, name) }, isManaged: false };
    }
    if (folder !== 'functions') return undefined;
    if (verb === 'rollback') return { actions: { POST: () => this.#rollback(name) }, isManaged: true };
    if (verb !== undefined) return undefined;
    return {
      actions: {
        GET: () => jsonAnswer(200, this.#nebula.get(name)),
        PUT: (exchange) => this.#deploy(exchange, name),
        DELETE: () => this.#undeploy(name),
      },
      isManaged: true,
    };
  }

  async #serveFunction(exchange: Exchange): Promise<Answer> {
    const { method, target } = exchange;
    // It would send back what proxies on the way added. Source: RFC 9110, section 9.3.8.
    if (method === 'TRACE') throw new NebulaError('METHOD_NOT_ALLOWED', { method, allowed: ALL_METHODS });
    const path = parseFunctionPath(target.path.slice('/fn/'.length));
    if (path === undefined) throw routeNotFound(exchange);
    // Whoever decodes the path next would see a segment between encoded slashes too.
    if (hasDotSegment(path.pathInfo)) throw malformedTarget(NO_DOT_SEGMENTS, target.path);
    const kind = this.#nebula.get(path.name).component?.kind;
    if (kind === 'http') return serveComponent(this.#nebula, exchange, path.name);
    return serveCgi(this.#nebula, exchange, path, (next) => this.#serveFunction(next));
  }

  async #invoke(exchange: Exchange, name: string): Promise<Answer> {
    const input = await readInput(exchange, this.#nebula.get(name).limits.inputBytes);
    const record = this.#nebula.get(name);
    return outcomeAnswer(record, await this.#nebula.invoke(name, input, { signal: exchange.signal }));
  }

  async #deploy(exchange: Exchange, name: string): Promise<Answer> {
    const moduleBytes = this.#options.moduleBytes ?? DEFAULT_LIMITS.moduleBytes;
    const { module, options } = await readDeployment(exchange, name, moduleBytes);
    const record = await this.#nebula.deploy(module, options).catch((error: unknown) => {
      throw toDeployError(error);
    });
    return jsonAnswer(record.version === 1 ? 201 : 200, record, ['Location', `/functions/${name}`]);
  }

  async #undeploy(name: string): Promise<Answer> {
    await this.#nebula.undeploy(name);
    return { status: 204, headers: [], body: NO_BYTES };
  }

  async #rollback(name: string): Promise<Answer> {
    const record: FunctionRecord = await this.#nebula.rollback(name);
    return jsonAnswer(200, record);
  }

  #readiness(): Answer {
    if (this.isDraining) throw new NebulaError('CLOSED');
    return jsonAnswer(200, { status: 'ready' });
  }

  async #readMetrics(): Promise<Answer> {
    const { createMetrics } = await import('./metrics.ts');
    const metrics = (this.#metrics ??= createMetrics(this.#nebula, this.tally));
    return { status: 200, headers: ['Content-Type', metrics.contentType], body: await metrics.read() };
  }

  async #describe(): Promise<Answer> {
    const { openApiDocument } = await import('./openapi.ts');
    return jsonAnswer(200, openApiDocument());
  }
}

function allowedMethods(route: Route): string {
  const methods = Object.keys(route.actions);
  return [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
}

function routeNotFound(exchange: Exchange): NebulaError {
  return new NebulaError('ROUTE_NOT_FOUND', { method: exchange.method, path: exchange.target.path });
}

function decodeName(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded) || undefined;
  } catch {
    // A broken escape names nothing.
    return undefined;
  }
}

// What `deploy` calls a caller's mistake came in the manifest.
function toDeployError(error: unknown): unknown {
  const isArgument = error instanceof Error && (error as { code?: unknown }).code === 'ERR_NEBULA_ARGUMENT';
  if (isNebulaError(error) || !isArgument) return error;
  return new NebulaError('MANIFEST_INVALID', { detail: messageOf(error) }, { cause: error });
}

function jsonAnswer(status: number, value: unknown, headers: readonly string[] = []): Answer {
  return { status, headers: [...JSON_TYPE, ...headers], body: JSON.stringify(toManifestJson(value)) };
}
