/** `GET /logs` and `/functions/:name/logs`: the records of the log, as JSON, or as server-sent events that go on. */

import { NO_BYTES, UTF8_ENCODER } from '../../../host/bytes.ts';
import { unwatchAbort, watchAbort } from '../../../pools/abort-watch.ts';
import type { LogQuery } from '../../observe/log.ts';
import type { LogRecord } from '../../schema/log-record.ts';
import type { Answer, Exchange } from './exchange.ts';
import { malformedTarget } from './request-target.ts';
import type { RouteContext } from './route.ts';

/** What the query may say, and what each holds. */
export const LOG_QUERY = {
  after: 'only records behind the one of this sequence; a reader that comes back says Last-Event-ID instead',
  since: 'only records of this time or later, in ISO 8601 or milliseconds since 1970',
} as const satisfies Readonly<Record<string, string>>;

const EVENT_STREAM = 'text/event-stream';

/** How often a stream looks whether the server wants to end; and looks of which each a comment is sent, which proxies wait for. */
const LOOK_MS = 1000;
const LOOKS_A_COMMENT = 15;

type LogContext = Pick<RouteContext, 'nebula' | 'isDraining'>;

/** Answers with the records of one function, or of all. @throws MalformedRequest, NebulaError FUNCTION_NOT_FOUND */
export function serveLogs(context: LogContext, exchange: Exchange, name: string): Answer {
  const query = { ...queryOf(exchange), ...(name === '' ? {} : { name }) };
  if (exchange.header('accept')?.includes(EVENT_STREAM) !== true) {
    const body = JSON.stringify({ records: context.nebula.logs(query) });
    return { status: 200, headers: ['Content-Type', 'application/json', 'Cache-Control', 'no-store'], body };
  }
  return {
    status: 200,
    headers: ['Content-Type', EVENT_STREAM, 'Cache-Control', 'no-store', 'X-Accel-Buffering', 'no'],
    body: NO_BYTES,
    stream: { body: events(context, exchange.signal, query), trailers: () => undefined },
  };
}

function queryOf(exchange: Exchange): Pick<LogQuery, 'after' | 'sinceMs'> {
  const { pathWithQuery, path } = exchange.target;
  const given = new URLSearchParams(pathWithQuery.slice(path.length));
  for (const key of given.keys()) {
    if (!Object.hasOwn(LOG_QUERY, key))
      throw malformedTarget(`a query of ${Object.keys(LOG_QUERY).join(' and ')}`, key);
  }
  const after = given.get('after') ?? exchange.header('last-event-id');
  const since = given.get('since');
  return {
    ...(after === undefined ? {} : { after: toSequence(after) }),
    ...(since === null ? {} : { sinceMs: toTimeMs(since) }),
  };
}

function toSequence(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw malformedTarget('the sequence of a record, an integer', text);
  return Number(text);
}

function toTimeMs(text: string): number {
  const timeMs = /^\d{1,15}$/.test(text) ? Number(text) : Date.parse(text);
  if (!Number.isFinite(timeMs)) throw malformedTarget('a time in ISO 8601 or milliseconds since 1970', text);
  return timeMs;
}

/** The records as events, until the client is gone or the server drains. */
async function* events(
  context: LogContext,
  client: AbortSignal,
  query: LogQuery,
): AsyncGenerator<Uint8Array, void, undefined> {
  const ending = new AbortController();
  const end = (): void => ending.abort();
  watchAbort(client, end);
  const records = context.nebula.followLogs({ ...query, signal: ending.signal });
  try {
    yield comment('records follow');
    let next = records.next();
    for (let looks = 1; !client.aborted; ) {
      const found = await within(next, LOOK_MS);
      if (found === 'later') {
        if (context.isDraining) return;
        if (looks++ % LOOKS_A_COMMENT === 0) yield comment('');
        continue;
      }
      if (found.done === true) return;
      yield event(found.value);
      next = records.next();
    }
  } finally {
    unwatchAbort(client, end);
    ending.abort();
    await records.return(undefined);
  }
}

/** What a promise resolves to, or `later` where it takes longer. */
async function within<T>(promise: Promise<T>, timeMs: number): Promise<T | 'later'> {
  let timer: NodeJS.Timeout | undefined;
  const later = new Promise<'later'>((resolve) => {
    timer = setTimeout(resolve, timeMs, 'later');
  });
  try {
    return await Promise.race([promise, later]);
  } finally {
    clearTimeout(timer);
  }
}

// JSON has no newline in it, so that no message can end its event.
function event(record: LogRecord): Uint8Array {
  return UTF8_ENCODER.encode(`id: ${record.sequence}\ndata: ${JSON.stringify(record)}\n\n`);
}

function comment(text: string): Uint8Array {
  return UTF8_ENCODER.encode(`: ${text}\n\n`);
}
