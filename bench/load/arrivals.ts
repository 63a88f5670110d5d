/**
 * Open-loop load: requests leave at a constant rate, whether or not those before them were answered, and their latency counts
 * from when they should have left. A generator that waits for answers would leave out exactly the requests that a slow
 * server delays: coordinated omission (Tene, "How NOT to Measure Latency", 2013).
 */

import { build, type Histogram } from 'hdr-histogram-js';
import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises';

/** Sends one request. Resolves to undefined when it was answered as it should, to the reason when not. */
export type Send = () => Promise<string | undefined>;

/** Requests at a constant rate. */
export interface ArrivalOptions {
  /** Arrivals per second. */
  readonly ratePerSecond: number;
  readonly arrivals: number;
  /** Requests on the way at once; beyond that the server has failed and no more are sent. */
  readonly outstandingMax: number;
  /** How long the last requests may take after the last arrival, in milliseconds. */
  readonly drainMs: number;
}

/** What came of them; histograms in microseconds. */
export interface ArrivalResult {
  readonly sent: number;
  readonly answered: number;
  /** Requests that failed, by reason; `unsent` and `unanswered` among them. */
  readonly failures: Readonly<Record<string, number>>;
  /** From the intended start of a request to its answer, in microseconds. */
  readonly latencyUs: Histogram;
  /** From the intended start of a request to when it left, in microseconds: what the generator itself adds. */
  readonly lagUs: Histogram;
  /** From the first intended start to the last answer. */
  readonly elapsedMs: number;
}

/** Within this of its time a request is waited for by polling, for timers are a millisecond coarse. */
const POLL_MS = 2;
const LARGEST_US = 600_000_000;

/** A histogram of microseconds with three significant digits. */
function createHistogram(): Histogram {
  return build({ lowestDiscernibleValue: 1, highestTrackableValue: LARGEST_US, numberOfSignificantValueDigits: 3 });
}

/** Sends requests when they are due, however late the answers are (open loop), and waits for the last ones. */
export async function sendAtRate(send: Send, options: ArrivalOptions): Promise<ArrivalResult> {
  const { ratePerSecond, arrivals, outstandingMax, drainMs } = options;
  const latencyUs = createHistogram();
  const lagUs = createHistogram();
  const failures: Record<string, number> = {};
  const fail = (reason: string, count = 1): void => void (failures[reason] = (failures[reason] ?? 0) + count);
  const pending = new Set<Promise<void>>();
  const startMs = performance.now();
  let answered = 0;
  let sent = 0;
  let lastMs = startMs;
  let closed = false;
  const one = async (intendedMs: number): Promise<void> => {
    const reason = await send().catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
    if (closed) return;
    lastMs = performance.now();
    if (reason !== undefined) {
      fail(reason);
      return;
    }
    answered++;
    latencyUs.recordValue(microseconds(lastMs - intendedMs));
  };
  while (sent < arrivals && pending.size < outstandingMax) {
    const intendedMs = startMs + (sent * 1000) / ratePerSecond;
    const waitMs = intendedMs - performance.now();
    if (waitMs > POLL_MS) await sleep(waitMs - POLL_MS);
    while (performance.now() < intendedMs) await immediate();
    lagUs.recordValue(microseconds(performance.now() - intendedMs));
    sent++;
    const request = one(intendedMs).finally(() => pending.delete(request));
    pending.add(request);
    // Behind its schedule it must still let answers in.
    if (waitMs <= 0 && sent % 16 === 0) await immediate();
  }
  if (sent < arrivals) fail('unsent', arrivals - sent);
  await settledWithin(pending, drainMs);
  closed = true;
  if (pending.size > 0) fail('unanswered', pending.size);
  return { sent, answered, failures, latencyUs, lagUs, elapsedMs: lastMs - startMs };
}

async function settledWithin(pending: Iterable<Promise<void>>, limitMs: number): Promise<void> {
  const patience = new AbortController();
  // Rejects when it is not needed any more.
  const limit = sleep(limitMs, undefined, { signal: patience.signal }).catch(() => undefined);
  await Promise.race([Promise.all(pending), limit]);
  patience.abort();
}

const microseconds = (ms: number): number => Math.min(LARGEST_US, Math.max(1, Math.round(ms * 1000)));
