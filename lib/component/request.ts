/** Sends a request to a component: to a guest in this thread, or to one on another, once enough of its body is here. */

import { NebulaError } from '../../host/errors.ts';
import type { RequestHead } from '../../host/http-message.ts';
import { receive, type RequestBody } from './reception.ts';
import { StreamedRequest } from './streamed-request.ts';
import type { ComponentResponse, Target } from './target.ts';
import { sendWhole } from './whole-request.ts';

/**
 * Sends a request and resolves with the response's head.
 * @throws GuestEnded; NebulaError DEADLINE for the first byte, CLIENT_CLOSED, CLIENT_SLOW, INPUT_TOO_LARGE, QUEUE_FULL; what
 * `invoke` throws
 */
export async function sendRequest(
  target: Target,
  request: RequestHead,
  body: RequestBody,
  signal?: AbortSignal,
): Promise<ComponentResponse> {
  if (target.isInThread) return sendWhole(target, request, body, signal ?? new AbortController().signal);
  if (isAborted(signal)) throw new NebulaError('CLIENT_CLOSED');
  const { name, limits, clients } = target;
  const received =
    body instanceof Uint8Array ? { whole: body, trailers: undefined } : await receive(body, limits, signal);
  if (received.whole === undefined) {
    await clients.takePlace(name, limits.queueLength, signal);
    // It may have gone between the place and this line, where nobody listened.
    if (isAborted(signal)) {
      clients.leavePlace(name);
      throw new NebulaError('CLIENT_CLOSED');
    }
  }
  return new StreamedRequest(target, signal).start(request, received);
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}
