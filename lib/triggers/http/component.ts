/** `ANY /fn/:name/*` for a component: its `wasi:http/incoming-handler` answers, bodies streamed both ways. */

import { NO_BYTES } from '../../../host/bytes.ts';
import type { HeaderList, RequestHead } from '../../../host/http-message.ts';
import { NebulaError } from '../../../host/errors.ts';
import { hasContent, isForGuest, isServersField } from '../../../host/http-fields.ts';
import type { Nebula } from '../../api/nebula.ts';
import { GuestEnded } from '../../component/guest-ended.ts';
import { announcedBytes, type Answer, type Exchange } from './exchange.ts';
import { guestFailureAnswer, lossOf, type Asker } from './outcome-answer.ts';

/** Answers a request by the component; `GUEST_*` and DEADLINE become problems. @throws NebulaError */
export async function serveComponent(nebula: Nebula, exchange: Exchange, name: string, asker: Asker): Promise<Answer> {
  const record = nebula.get(name);
  const announced = announcedBytes(exchange.header('content-length'));
  const { inputBytes } = record.limits;
  if (announced !== undefined && announced > inputBytes) {
    throw new NebulaError('INPUT_TOO_LARGE', { limitBytes: inputBytes });
  }
  const body = exchange.hasBody ? exchange.bodyStream() : NO_BYTES;
  try {
    const response = await nebula
      .fn(name)
      .with({ requestId: exchange.requestId })
      .send(toHead(exchange), body, exchange.signal);
    // Nobody but the body's reader is told how the guest ended.
    response.outcome.catch(() => undefined);
    const { status, whole } = response;
    const isWhole = whole !== undefined && hasContent(exchange.method, status) && response.trailers() === undefined;
    // The transport says how long a body is that it has.
    const fields = guestsFields(isWhole ? response.headers.filter(([name]) => !isLength(name)) : response.headers);
    const headers = [...fields.flat(), 'Nebula-Function-Version', String(record.version)];
    if (isWhole) return { status, headers, body: whole };
    return {
      status,
      headers,
      body: NO_BYTES,
      stream: {
        body: response.body,
        trailers: () => guestsFields(response.trailers() ?? []),
        onCut: (listener) => response.onCut?.(listener),
      },
    };
  } catch (error) {
    if (error instanceof GuestEnded && error.outcome.kind !== 'ok')
      return guestFailureAnswer(record, error.outcome, asker);
    throw error instanceof GuestEnded ? error.toFailure() : lossOf(record, error, asker);
  }
}

function isLength(name: string): boolean {
  return name.toLowerCase() === 'content-length';
}

/** What a guest says, but for what is not its to say. */
function guestsFields(headers: HeaderList): HeaderList {
  return headers.filter(([name]) => !isServersField(name.toLowerCase()));
}

/** The guest sees the path after the function's name, so that it need not know where it is mounted. */
function toHead(exchange: Exchange): RequestHead {
  const { target, method } = exchange;
  const { path, pathWithQuery, scheme } = target;
  const slash = path.indexOf('/', '/fn/'.length);
  const headers: [string, string][] = [];
  for (const [name, value] of exchange.headers()) if (isForGuest(name)) headers.push([name, value]);
  return {
    method,
    scheme,
    authority: target.authority.text,
    pathWithQuery: slash === -1 ? `/${pathWithQuery.slice(path.length)}` : pathWithQuery.slice(slash),
    headers,
  };
}
