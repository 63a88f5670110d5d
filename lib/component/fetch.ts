/** Requests to a component as fetch has them: any Request, and a Response of the global class whose body comes. */

import { NO_BYTES } from '../../host/bytes.ts';
import type { RequestHead } from '../../host/http-message.ts';
import { argumentError } from '../../host/errors.ts';
import { hasContent } from '../../host/http-fields.ts';
import type { RequestLike, WebResponse } from '../schema/globals.ts';
import { GuestEnded } from './guest-ended.ts';
import { sendRequest } from './request.ts';
import type { Target } from './target.ts';
import type { RequestBody } from './reception.ts';

/** The signal that aborts a request, of the one that it brings. */
type JoinSignal = (signal: AbortSignal) => AbortSignal | undefined;

/**
 * Sends a Request, which what `join` makes of its own signal aborts, and resolves with its Response.
 * @throws TypeError for what is no Request; what `sendRequest` throws, before the response's head
 */
export async function fetchFrom(target: Target, given: RequestLike, join: JoinSignal): Promise<WebResponse> {
  const request = toRequest(given);
  const body: RequestBody = request.body === null ? NO_BYTES : (request.body as object as AsyncIterable<Uint8Array>);
  const answer = await sendRequest(target, headOf(request), body, join(request.signal)).catch(explain);
  answer.outcome.catch(() => undefined);
  const headers = answer.headers.map(([name, value]): [string, string] => [name, value]);
  if (!hasContent(request.method, answer.status)) {
    await drain(told(answer.body));
    return new Response(null, { status: answer.status, headers });
  }
  return toResponse(told(answer.body), { status: answer.status, headers });
}

/** A Request of the global class, of undici's or of another made like it. @throws TypeError */
export function toRequest(given: RequestLike): Request {
  const request = given as Partial<Request> | null | undefined;
  if (typeof request?.url !== 'string' || typeof request.headers?.get !== 'function') {
    throw argumentError('request', 'a Request', given);
  }
  return request as Request;
}

/** A Response whose body is what is iterated over: Node's class takes that, and TypeScript's declaration of it does not. */
export function toResponse(body: AsyncIterable<Uint8Array>, init: ResponseInit): Response {
  return new Response(body as object as BodyInit, init);
}

function explain(error: unknown): never {
  throw error instanceof GuestEnded ? error.toFailure() : error;
}

/** The body, its failures in the words of the table. */
async function* told(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* body;
  } catch (error) {
    explain(error);
  }
}

async function drain(body: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of body) continue;
}

function headOf(request: Request): RequestHead {
  // The URL standard wrote the text; taking it apart anew would lose an empty query.
  const [, named, authority = '', pathWithQuery = ''] = /^(\w+):\/\/([^/?#]*)([^#]*)/.exec(request.url) ?? [];
  const headers: [string, string][] = [['host', authority], ...request.headers];
  return {
    method: request.method,
    scheme: named === 'https' ? 'https' : 'http',
    authority,
    pathWithQuery,
    headers: request.headers.has('host') ? headers.slice(1) : headers,
  };
}
