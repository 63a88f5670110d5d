/**
 * What happened to the functions of one Nebula: deploys, failures, and what guests wrote to stderr. The latest of each function
 * are kept here; whoever wants all of them listens.
 */

import { isNebulaError, messageOf } from '../../host/errors.ts';
import { describeEnding, type Outcome } from '../../host/outcome.ts';
import { ALL_PHASES, storeAllPhases } from '../../host/phases.ts';
import type { FunctionRecord } from '../schema/function-record.ts';
import type { LogRecord } from '../schema/log-record.ts';
import type { NebulaStats } from '../schema/stats.ts';
import { lostStderr } from '../wire/outcome.ts';
import { FunctionLog, type NewRecord } from './function-log.ts';
import type { Call, Observer } from './observer.ts';
import { oneLine, stderrLines } from './stderr-lines.ts';

/** Functions without a version in force whose records are kept: removed ones, and those whose first deploy failed. */
export const KEPT_GONE = 32;

/** Which records are asked for. */
export interface LogQuery {
  /** Of one function; without it, of all. */
  readonly name?: string;
  /** Those behind this one; default 0, all that are kept. */
  readonly after?: number;
  /** Those of this time, in milliseconds since 1970, or later. */
  readonly sinceMs?: number;
}

const unused = new Float32Array(ALL_PHASES.length);

/** The log of one Nebula. */
export class Log implements Observer {
  readonly #functions: Map<string, FunctionLog> = new Map();
  readonly #inForce: Set<string> = new Set();
  /** Functions with records that are not in force, the latest last. */
  readonly #gone: Set<string> = new Set();
  readonly #followers: Set<() => void> = new Set();
  readonly #onLog: ((record: LogRecord) => void) | undefined;
  #sequence = 0;
  #failures = 0;
  #firstFailure: string | undefined;
  #isClosed = false;

  /** @param onLog is told of each record; what it throws is counted, and fails no call */
  constructor(onLog?: (record: LogRecord) => void) {
    this.#onLog = onLog;
  }

  start(): void {}

  /** Tells what the guest wrote to stderr, and how it ended unless `ok`. */
  end(call: Call, outcome: Outcome): void {
    const { stderr } = outcome;
    if (outcome.kind === 'ok' && stderr.byteLength === 0) return;
    const { version, name } = call.function;
    const log = this.#logOf(name);
    const about = { version, ...idOf(call) };
    const nowMs = Date.now();
    if (stderr.byteLength > 0) writeStderr(log, about, stderr, nowMs);
    if (outcome.kind === 'ok' || !log.happenedPace.take(nowMs)) return;
    log.add({
      level: outcome.kind === 'aborted' ? 'info' : 'warn',
      event: 'failure',
      ...about,
      message: oneLine(`The guest ended with ${describeEnding(outcome)}`),
      outcome: outcome.kind,
      durationMs: storeAllPhases(unused, 0, outcome.phases) / 1e6,
    });
  }

  /** Tells of a call that Nebula could not carry out, and what its guest had written where it was lost with its thread. */
  fail(call: Call, error: unknown): void {
    const { version, name } = call.function;
    const about = { version, ...idOf(call) };
    const stderr = lostStderr(error);
    if (stderr !== undefined && stderr.byteLength > 0) writeStderr(this.#logOf(name), about, stderr, Date.now());
    this.#happened(name, { level: levelOf(error), event: 'refusal', ...about, ...described(error) });
  }

  /** A function is in force, of which nothing need be told. */
  restored(name: string): void {
    this.#inForce.add(name);
  }

  /** A version is in force. */
  deployed({ name, version, report, digest }: FunctionRecord, how: string, durationMs: number): void {
    this.#inForce.add(name);
    this.#gone.delete(name);
    const message = `${how} version ${version}, ${digest.slice(0, 12)}, put back by ${report.strategy}`;
    this.#happened(name, { level: 'info', event: 'deploy', version, message, durationMs });
  }

  /** A version was refused; the one before stays in force. */
  refused(name: string, error: unknown): void {
    this.#happened(name, { level: 'warn', event: 'deploy', ...described(error) });
  }

  /** What a guest answered could not be passed on to its caller. */
  unanswered(name: string, requestId: string, error: unknown): void {
    this.#happened(name, { level: 'warn', event: 'failure', requestId, ...described(error) });
  }

  /** There is no version in force any more. */
  removed(name: string): void {
    this.#happened(name, { level: 'info', event: 'remove', message: 'Removed' });
    this.#inForce.delete(name);
    this.#forget(name);
  }

  /** Whether there are records of a function. */
  has(name: string): boolean {
    return this.#functions.has(name);
  }

  /** The records that are kept, oldest first. */
  read({ name, after = 0, sinceMs = 0 }: LogQuery = {}): readonly LogRecord[] {
    // A sequence that was not reached yet is of another log: the reader's server was started anew.
    const from = after > this.#sequence ? 0 : after;
    const records = this.#logsOf(name).flatMap((log) => log.read(from));
    return records.filter(({ timeMs }) => timeMs >= sinceMs).sort((left, right) => left.sequence - right.sequence);
  }

  /** Of a reader who has all up to `after`: the last record that it missed and that is not kept any more; 0 for none. */
  missedBy({ name, after = 0 }: LogQuery): number {
    if (after === 0) return 0;
    const forgotten = Math.max(0, ...this.#logsOf(name).map((log) => log.forgotten));
    return forgotten > after ? forgotten : 0;
  }

  /** Calls `listener` at each record, and when the log is closed, until what it answers is called. */
  follow(listener: () => void): () => void {
    this.#followers.add(listener);
    return () => this.#followers.delete(listener);
  }

  /** Number of the latest record. */
  get newest(): number {
    return this.#sequence;
  }

  /** Whether nothing more comes. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  close(): void {
    this.#isClosed = true;
    for (const follower of this.#followers) follower();
  }

  stats(): Partial<NebulaStats> {
    const first = this.#firstFailure;
    return {
      log: {
        records: this.#sequence,
        failures: this.#failures,
        ...(first === undefined ? {} : { firstFailure: first }),
      },
    };
  }

  #happened(name: string, record: NewRecord): void {
    const log = this.#logOf(name);
    if (log.happenedPace.take(Date.now())) log.add(record);
  }

  #logsOf(name: string | undefined): readonly FunctionLog[] {
    if (name === undefined) return [...this.#functions.values()];
    const log = this.#functions.get(name);
    return log === undefined ? [] : [log];
  }

  #logOf(name: string): FunctionLog {
    let log = this.#functions.get(name);
    if (log === undefined) {
      log = new FunctionLog((record) => this.#place(name, record));
      this.#functions.set(name, log);
      // A call may end after its function is gone.
      if (!this.#inForce.has(name)) this.#forget(name);
    }
    return log;
  }

  #place(name: string, record: NewRecord): LogRecord {
    const placed = { sequence: ++this.#sequence, timeMs: Date.now(), name, ...record };
    try {
      // One that is asynchronous may fail later.
      const told: unknown = this.#onLog?.(placed);
      if (told instanceof Promise) told.catch((error: unknown) => this.#failed(error));
    } catch (error) {
      this.#failed(error);
    }
    for (const follower of this.#followers) follower();
    return placed;
  }

  #failed(error: unknown): void {
    this.#failures++;
    this.#firstFailure ??= messageOf(error);
  }

  #forget(name: string): void {
    this.#gone.delete(name);
    this.#gone.add(name);
    if (this.#gone.size <= KEPT_GONE) return;
    const [oldest] = this.#gone;
    this.#gone.delete(oldest as string);
    this.#functions.delete(oldest as string);
  }
}

function writeStderr(
  log: FunctionLog,
  about: Pick<NewRecord, 'version' | 'requestId'>,
  stderr: Uint8Array,
  nowMs: number,
): void {
  // Bytes that nobody will see are not read.
  if (!log.writtenPace.take(nowMs)) return;
  const { lines, leftOut } = stderrLines(stderr);
  log.writtenPace.leaveOut(leftOut);
  for (const [at, message] of lines.entries()) {
    if (at > 0 && !log.writtenPace.take(nowMs)) continue;
    log.add({ level: 'info', event: 'stderr', ...about, message });
  }
}

function idOf({ invocation: { requestId } }: Call): { readonly requestId?: string } {
  return requestId === undefined ? {} : { requestId };
}

function levelOf(error: unknown): LogRecord['level'] {
  return isNebulaError(error) && error.key !== 'INTERNAL' && error.key !== 'WORKER_LOST' ? 'warn' : 'error';
}

function described(error: unknown): Pick<NewRecord, 'message' | 'code'> {
  const message = oneLine(messageOf(error));
  return isNebulaError(error) ? { message, code: error.code } : { message };
}
