/** Answers requests by the table of routes (route-table.ts), for either transport. `handle` never rejects: whatever goes wrong is an answer. */

import { NO_BYTES } from '../../../host/bytes.ts';
import { isNebulaError, NebulaError } from '../../../host/errors.ts';
import { DEFAULT_LIMITS } from '../../../host/limits.ts';
import type { Nebula } from '../../api/nebula.ts';
import {
  createAuthorize,
  createTokenCheck,
  type AccessOptions,
  type Authorize,
  type BearsToken,
  type Sender,
} from './authorization.ts';
import { logOf } from '../../observe/log-of.ts';
import { oneLine } from '../../observe/stderr-lines.ts';
import type { Answer, Exchange } from './exchange.ts';
import type { HttpLogger } from './logger.ts';
import { ALL_METHODS } from './function-requests.ts';
import type { Metrics } from './metrics.ts';
import { failureAnswer, malformedRequestAnswer } from './problem-answer.ts';
import { MalformedRequest } from './request-target.ts';
import { ResponseTally } from './response-tally.ts';
import { matchPath } from './route-match.ts';
import type { Route, RouteContext } from './route.ts';

/** Who may manage functions, and what holds for all routes. */
export interface RouteOptions extends AccessOptions {
  /** Told of failures inside Nebula. */
  readonly logger?: HttpLogger;
  /** Bytes a deployed module may have; default: the default limit. */
  readonly moduleBytes?: number;
}

/** The routes of one Nebula. */
export class Router implements RouteContext {
  readonly nebula: Nebula;
  readonly moduleBytes: number;
  readonly tally: ResponseTally = new ResponseTally();
  /** Whether `/readyz` says that no calls should be sent here any more. */
  isDraining = false;
  readonly #logger: HttpLogger | undefined;
  readonly #authorize: Authorize;
  readonly bearsToken: BearsToken;
  #metrics: Metrics | undefined;

  constructor(nebula: Nebula, options: RouteOptions) {
    this.nebula = nebula;
    this.moduleBytes = options.moduleBytes ?? DEFAULT_LIMITS.moduleBytes;
    this.#logger = options.logger;
    this.#authorize = createAuthorize(options);
    this.bearsToken = createTokenCheck(options.token);
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
          : this.#failed(error, exchange.requestId);
    }
    this.tally.count(answer.status);
    return answer;
  }

  /** The answer for something that was thrown outside of `handle`, counted. */
  fail(error: unknown, requestId: string): Answer {
    const answer = this.#failed(error, requestId);
    this.tally.count(answer.status);
    return answer;
  }

  #failed(error: unknown, requestId: string): Answer {
    // A guest's fault is its operator's to know, since its caller cannot mend it.
    if (isNebulaError(error) && error.key === 'GUEST_RESPONSE') {
      const log = logOf(this.nebula);
      if (log === undefined) this.#logger?.warn({ code: error.code, requestId }, oneLine(error.message));
      else log.unanswered(String(error.fields['name']), requestId, error);
    }
    return failureAnswer(error, requestId, this.#logger);
  }

  /** Tells of an answer that could not be written. */
  unsent(error: unknown, requestId: string): void {
    this.#logger?.error({ err: error, requestId }, 'An answer could not be written');
  }

  mayManage(sender: Sender): boolean {
    try {
      this.#authorize(sender);
      return true;
    } catch (error) {
      if (isNebulaError(error)) return false;
      throw error;
    }
  }

  async metrics(): Promise<Metrics> {
    const { createMetrics } = await import('./metrics.ts');
    return (this.#metrics ??= createMetrics(this.nebula, this.tally));
  }

  #dispatch(exchange: Exchange): Answer | Promise<Answer> {
    const { method, target } = exchange;
    const { path } = target;
    if (path === '*') return { status: 204, headers: ['Allow', ALL_METHODS], body: NO_BYTES };
    const match = matchPath(path);
    if (match === undefined) throw new NebulaError('ROUTE_NOT_FOUND', { method, path });
    const { routes, name } = match;
    const [first] = routes;
    if (first?.method === 'ANY') return first.run(this, exchange, name);
    const allowed = allowedMethods(routes);
    if (method === 'OPTIONS') return { status: 204, headers: ['Allow', allowed], body: NO_BYTES };
    const asked = method === 'HEAD' ? 'GET' : method;
    const route = routes.find((each) => each.method === asked);
    // Who may not manage functions is not told which methods there are.
    if ((route ?? first)?.managed === true) this.#authorize(exchange);
    if (route === undefined) throw new NebulaError('METHOD_NOT_ALLOWED', { method, allowed });
    return route.run(this, exchange, name);
  }
}

function allowedMethods(routes: readonly Route[]): string {
  const methods = routes.map(({ method }): string => method);
  return [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
}
