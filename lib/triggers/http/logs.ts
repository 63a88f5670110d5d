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
  const headers = ['Content-Type', EVENT_STREAM, 'Cache-Control', 'no-store', 'X-Accel-Buffering', 'no'];
  const ending = new AbortController();
  // Asked here, so that a function nobody knows is told before the answer begins.
  const records = context.nebula.followLogs({ ...query, signal: ending.signal });
  if (exchange.method === 'HEAD') return { status: 200, headers, body: NO_BYTES };
  const body = events(context, exchange.signal, records, ending);
  return { status: 200, headers, body: NO_BYTES, stream: { body, trailers: () => undefined } };
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
  // Four digits are a year.
  const timeMs = /^(0|\d{5,15})$/.test(text) ? Number(text) : /^\d{4}/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isFinite(timeMs)) throw malformedTarget('a time in ISO 8601 or milliseconds since 1970', text);
  return timeMs;
}

/** The records as events, until the client is gone or the server drains. */
async function* events(
  context: LogContext,
  client: AbortSignal,
  records: AsyncGenerator<LogRecord, void, undefined>,
  ending: AbortController,
): AsyncGenerator<Uint8Array, void, undefined> {
  const end = (): void => ending.abort();
  watchAbort(client, end);
  const next = new NextRecord(records);
  try {
    yield comment('records follow');
    for (let looks = 1; !client.aborted && !context.isDraining; ) {
      const found = await next.within(LOOK_MS);
      if (found === 'ended') return;
      if (found !== 'later') yield event(found);
      else if (looks++ % LOOKS_A_COMMENT === 0) yield comment('');
    }
  } finally {
    unwatchAbort(client, end);
    ending.abort();
    await records.return(undefined);
  }
}

/** The next record, waited for in turns. A promise raced again and again would keep something of each race. */
class NextRecord {
  readonly #records: AsyncGenerator<LogRecord, void, undefined>;
  #isAsked = false;
  #found: LogRecord | 'ended' | undefined;
  #wake: (() => void) | undefined;

  constructor(records: AsyncGenerator<LogRecord, void, undefined>) {
    this.#records = records;
  }

  /** The next record, `ended` behind the last, or `later` where none comes within the time. */
  async within(timeMs: number): Promise<LogRecord | 'ended' | 'later'> {
    if (!this.#isAsked) this.#ask();
    if (this.#found === undefined) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = undefined;
    }
    const found = this.#found;
    if (found === undefined) return 'later';
    this.#found = undefined;
    this.#isAsked = false;
    return found;
  }

  #ask(): void {
    this.#isAsked = true;
    const tell = (found: LogRecord | 'ended'): void => {
      this.#found = found;
      this.#wake?.();
    };
    this.#records.next().then(
      ({ done, value }) => tell(done === true ? 'ended' : value),
      () => tell('ended'),
    );
  }
}

// JSON has no newline in it, so that no message can end its event.
function event(record: LogRecord): Uint8Array {
  return UTF8_ENCODER.encode(`id: ${record.sequence}\ndata: ${JSON.stringify(record)}\n\n`);
}

function comment(text: string): Uint8Array {
  return UTF8_ENCODER.encode(`: ${text}\n\n`);
}
