/** Requests to a component as fetch has them: a Request of undici's, and a Response whose body comes. */

import { Response, type HeadersInit, type Request } from 'undici';
import { NO_BYTES } from '../../host/bytes.ts';
import type { RequestHead } from '../../host/http-message.ts';
import { hasContent } from '../../host/http-fields.ts';
import { GuestEnded } from './guest-ended.ts';
import { sendRequest } from './request.ts';
import type { Target } from './target.ts';
import type { RequestBody } from './reception.ts';

/** Sends a Request, which `signal` aborts, and resolves with its Response. @throws what `sendRequest` throws, before the response's head */
export async function fetchFrom(target: Target, request: Request, signal?: AbortSignal): Promise<Response> {
  const body: RequestBody = request.body === null ? NO_BYTES : (request.body as AsyncIterable<Uint8Array>);
  const answer = await sendRequest(target, headOf(request), body, signal).catch(explain);
  answer.outcome.catch(() => undefined);
  const headers: HeadersInit = answer.headers.map(([name, value]) => [name, value]);
  if (!hasContent(request.method, answer.status)) {
    await drain(told(answer.body));
    return new Response(null, { status: answer.status, headers });
  }
  return new Response(told(answer.body), { status: answer.status, headers });
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
