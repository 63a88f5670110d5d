/** The log as it grows. */

import { setTimeout as sleep } from 'node:timers/promises';
import { unwatchAbort, watchAbort } from '../../pools/abort-watch.ts';
import type { LogRecord } from '../schema/log-record.ts';
import type { Log, LogQuery } from './log.ts';

const TOGETHER_MS = 20;

/**
 * The records that are kept, then each as it comes, until `signal` aborts or the log is closed. Nothing is held for a reader who is
 * slow: what is not kept any more when it comes to it is told in a record `left-out`.
 */
export async function* followLog(
  log: Log,
  query: LogQuery,
  signal?: AbortSignal,
): AsyncGenerator<LogRecord, void, undefined> {
  let { after = 0 } = query;
  if (after > log.newest) {
    after = 0;
    yield missedRecord(1, query.name);
  }
  let wake: (() => void) | undefined;
  const tell = (): void => wake?.();
  const unfollow = log.follow(tell);
  if (signal !== undefined) watchAbort(signal, tell);
  try {
    for (;;) {
      if (signal?.aborted === true) return;
      const changed = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const missed = log.missedBy({ ...query, after });
      const records = log.read({ ...query, after });
      after = Math.max(after, missed, records.at(-1)?.sequence ?? 0);
      if (missed > 0) yield missedRecord(missed, query.name);
      yield* records;
      if (records.length > 0) continue;
      if (log.isClosed) return;
      await changed;
      // Those that come together are read together.
      await sleep(TOGETHER_MS);
    }
  } finally {
    unfollow();
    if (signal !== undefined) unwatchAbort(signal, tell);
  }
}

function missedRecord(sequence: number, name = ''): LogRecord {
  const message = 'Records up to this one were not read in time, and are not kept any more';
  return { sequence, timeMs: Date.now(), level: 'warn', event: 'left-out', name, message };
}
