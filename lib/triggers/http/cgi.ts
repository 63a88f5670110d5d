/** `ANY /fn/:name/*`: a function as a CGI/1.1 program (RFC 3875). */

import { NO_BYTES } from '../../../host/bytes.ts';
import { NebulaError } from '../../../host/errors.ts';
import type { Nebula } from '../../api/nebula.ts';
import { outcomeFields } from '../../wire/outcome.ts';
import { cgiEnvironment, type FunctionPath } from './cgi-environment.ts';
import { parseCgiResponse } from './cgi-response.ts';
import { readInput, type Answer, type Exchange } from './exchange.ts';
import { guestFailureAnswer, lossOf, type Asker } from './outcome-answer.ts';
import { MalformedRequest, parseRequestTarget, type RequestTarget } from './request-target.ts';

/** Local redirects that may follow one another. */
const REDIRECTS_LIMIT = 5;

/** Answers a request to a function; `serve` answers the one that a local redirect stands for. */
export async function serveCgi(
  nebula: Nebula,
  exchange: Exchange,
  asker: Asker,
  path: FunctionPath,
  serve: (exchange: Exchange) => Promise<Answer>,
): Promise<Answer> {
  const { name } = path;
  const input = await readInput(exchange, nebula.get(name).limits.inputBytes);
  const record = nebula.get(name);
  const environment = cgiEnvironment(exchange, path, input.byteLength, {
    authorization: record.manifest.http?.authorization === true,
  });
  const { signal, requestId } = exchange;
  const outcome = await nebula.invoke(name, input, { environment, signal, requestId }).catch((error: unknown) => {
    throw lossOf(record, error, asker);
  });
  if (outcome.kind !== 'ok') return guestFailureAnswer(record, outcome, asker);
  const response = parseCgiResponse(name, outcome.stdout);
  if (response.kind === 'local-redirect') return serve(redirected(exchange, name, response.location));
  const { status, headers, body, statedBytes } = response;
  // What a program that answers HEAD without a body does not state is not known.
  const sizeBytes = statedBytes ?? (body.byteLength > 0 ? body.byteLength : undefined);
  return { status, headers: [...headers, ...outcomeFields(record, outcome)], body, headLength: { sizeBytes } };
}

/**
 * The request that a local redirect stands for. It has the first one's header fields and no body (section 6.2.2), so it can
 * only be a GET or HEAD; and it is a function's, since it goes past what guards the other routes.
 * @throws NebulaError GUEST_RESPONSE
 */
function redirected(exchange: Exchange, name: string, location: string): Exchange {
  if (exchange.redirects >= REDIRECTS_LIMIT)
    throw refuse(name, `more than ${REDIRECTS_LIMIT} local redirects in a row`);
  const method = exchange.method === 'HEAD' ? 'HEAD' : 'GET';
  return {
    method,
    target: locate(exchange, name, method, location),
    protocol: exchange.protocol,
    remoteAddress: exchange.remoteAddress,
    localAddress: exchange.localAddress,
    signal: exchange.signal,
    requestId: exchange.requestId,
    redirects: exchange.redirects + 1,
    hasBody: false,
    header: (field) => (isBodyField(field) ? undefined : exchange.header(field)),
    headers: () => [...exchange.headers()].filter(([field]) => !isBodyField(field)),
    readBody: () => Promise.resolve(NO_BYTES),
    bodyStream: noBody,
  };
}

function locate({ target }: Exchange, name: string, method: string, location: string): RequestTarget {
  try {
    const located = parseRequestTarget(method, location, target.scheme, target.authority);
    if (located.path.startsWith('/fn/')) return located;
  } catch (error) {
    if (!(error instanceof MalformedRequest)) throw error;
    throw refuse(name, `its local redirect is none: ${error.message}`);
  }
  throw refuse(
    name,
    `expected a local redirect to a function, "/fn/NAME", got ${JSON.stringify(location.slice(0, 128))}`,
  );
}

function refuse(name: string, detail: string): NebulaError {
  return new NebulaError('GUEST_RESPONSE', { name, detail });
}

async function* noBody(): AsyncGenerator<Uint8Array, void, undefined> {}

function isBodyField(name: string): boolean {
  return name.startsWith('content-') || name === 'transfer-encoding';
}
