/** `ANY /fn/:name/*`: a function as a CGI/1.1 program (RFC 3875). */

import { NebulaError } from '../../host/errors.ts';
import type { Nebula } from '../api.ts';
import { cgiEnvironment, type FunctionPath } from './cgi-environment.ts';
import { parseCgiResponse } from './cgi-response.ts';
import { EMPTY, readInput, type Answer, type Exchange } from './exchange.ts';
import { guestFailureAnswer, outcomeHeaders } from './outcome-answer.ts';

/** Local redirects that may follow one another. */
const REDIRECTS_LIMIT = 5;

/** Answers a request by one invocation; `dispatch` answers the request that a local redirect stands for. */
export async function serveCgi(
  nebula: Nebula,
  exchange: Exchange,
  path: FunctionPath,
  dispatch: (exchange: Exchange) => Promise<Answer>,
): Promise<Answer> {
  const { name } = path;
  const input = await readInput(exchange, nebula.get(name).limits.inputBytes);
  const environment = cgiEnvironment(exchange, path, input.byteLength);
  const record = nebula.get(name);
  const outcome = await nebula.invoke(name, input, { environment, signal: exchange.signal });
  if (outcome.kind !== 'ok') return guestFailureAnswer(record, outcome);
  const response = parseCgiResponse(name, outcome.stdout);
  if (response.kind === 'local-redirect') {
    if (exchange.redirects >= REDIRECTS_LIMIT) {
      throw new NebulaError('GUEST_RESPONSE', {
        name,
        detail: `more than ${REDIRECTS_LIMIT} local redirects in a row`,
      });
    }
    return dispatch(redirected(exchange, response.location));
  }
  const { status, headers, body } = response;
  return { status, headers: [...headers, ...outcomeHeaders(record, outcome)], body };
}

// The redirected request has the first one's header fields and no body (section 6.2.2), so it can only be a GET or HEAD.
function redirected(exchange: Exchange, location: string): Exchange {
  return {
    method: exchange.method === 'HEAD' ? 'HEAD' : 'GET',
    url: new URL(location, exchange.url),
    protocol: exchange.protocol,
    remoteAddress: exchange.remoteAddress,
    signal: exchange.signal,
    redirects: exchange.redirects + 1,
    header: (name) => (isBodyField(name) ? undefined : exchange.header(name)),
    headers: () => [...exchange.headers()].filter(([name]) => !isBodyField(name)),
    readBody: () => Promise.resolve(EMPTY),
    bodyStream: noBody,
  };
}

async function* noBody(): AsyncGenerator<Uint8Array, void, undefined> {}

function isBodyField(name: string): boolean {
  return name.startsWith('content-') || name === 'transfer-encoding';
}
