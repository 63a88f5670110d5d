/** `ANY /fn/:name/*`: requests that a function answers itself, as a component of wasi:http or as a CGI program. */

import { NebulaError } from '../../../host/errors.ts';
import { parseFunctionPath } from './cgi-environment.ts';
import { serveCgi } from './cgi.ts';
import { serveComponent } from './component.ts';
import type { Answer, Exchange } from './exchange.ts';
import { hasDotSegment, malformedTarget, NO_DOT_SEGMENTS } from './request-target.ts';
import type { Asker } from './outcome-answer.ts';
import type { RouteContext } from './route.ts';

/** What calls need of the routes' context. */
type CallContext = Pick<RouteContext, 'nebula' | 'mayManage' | 'bearsToken'>;

/** What some route or other takes; a function may know more. */
export const ALL_METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';

/** Who sent a request. */
export function askerOf(context: CallContext, exchange: Exchange): Asker {
  return { requestId: exchange.requestId, mayManage: () => context.mayManage(exchange) };
}

/** The request as a guest may see it: who calls as a manager has a token that no guest is to have. */
function withoutToken(exchange: Exchange): Exchange {
  return {
    method: exchange.method,
    target: exchange.target,
    protocol: exchange.protocol,
    remoteAddress: exchange.remoteAddress,
    localAddress: exchange.localAddress,
    signal: exchange.signal,
    requestId: exchange.requestId,
    redirects: exchange.redirects,
    hasBody: exchange.hasBody,
    header: (name) => (name === 'authorization' ? undefined : exchange.header(name)),
    headers: () => [...exchange.headers()].filter(([name]) => name !== 'authorization'),
    readBody: (limitBytes) => exchange.readBody(limitBytes),
    bodyStream: () => exchange.bodyStream(),
  };
}

/** Answers a request to a function. @throws NebulaError, MalformedRequest */
export async function serveFunction(context: CallContext, exchange: Exchange): Promise<Answer> {
  const { nebula } = context;
  const { method, target } = exchange;
  // It would send back what proxies on the way added. Source: RFC 9110, section 9.3.8.
  if (method === 'TRACE') throw new NebulaError('METHOD_NOT_ALLOWED', { method, allowed: ALL_METHODS });
  const path = parseFunctionPath(target.path.slice('/fn/'.length));
  if (path === undefined) throw new NebulaError('ROUTE_NOT_FOUND', { method, path: target.path });
  // Whoever decodes the path next would see a segment between encoded slashes too.
  if (hasDotSegment(path.pathInfo)) throw malformedTarget(NO_DOT_SEGMENTS, target.path);
  const kind = nebula.get(path.name).component?.kind;
  const asker = askerOf(context, exchange);
  const hidesToken = context.bearsToken(exchange);
  if (kind === 'http') return serveComponent(nebula, hidesToken ? withoutToken(exchange) : exchange, path.name, asker);
  return serveCgi(nebula, hidesToken ? withoutToken(exchange) : exchange, asker, path, (next) =>
    serveFunction(context, next),
  );
}
