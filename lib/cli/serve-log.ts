/** What `nebula serve` writes to stderr: JSON lines by pino, none of which a guest can forge, since what it wrote is a text in them. */

import { constants, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino, type Logger } from 'pino';
import type { LogRecord } from '../schema/log-record.ts';
import type { Access } from '../triggers/http/access.ts';
import type { LogKind } from './options.ts';

/** Bytes that may wait for a reader of stderr who is slow; what is more is dropped, since no caller waits for a log. */
const WAITING_BYTES = 4 * 1024 * 1024;
const STDERR = 2;
/** How long the end waits for that reader. */
const FLUSH_MS = 2000;

/** Which kind of line tells of an event. */
const KIND_OF_EVENT: Readonly<Record<LogRecord['event'], LogKind>> = {
  deploy: 'deploy',
  remove: 'deploy',
  failure: 'failure',
  refusal: 'failure',
  stderr: 'stderr',
  'left-out': 'failure',
};

/** The log of one server. */
export class ServeLog {
  /** For what goes wrong inside Nebula, and what `--watch` does: always on. */
  readonly logger: Logger;
  /** Told of each request; undefined where requests are not logged. */
  readonly onAccess: ((access: Access) => void) | undefined;
  readonly #kinds: ReadonlySet<LogKind>;
  readonly #destination: ReturnType<typeof pino.destination>;
  #hasStarted = false;

  constructor(kinds: readonly LogKind[]) {
    this.#kinds = new Set(kinds);
    this.#destination = pino.destination({ dest: openStderr(), sync: false, maxLength: WAITING_BYTES });
    // A full disk ends no server: what cannot be written is dropped.
    this.#destination.on('error', () => undefined);
    this.logger = pino(this.#destination);
    if (this.#kinds.has('access')) this.onAccess = (access) => this.logger.info(access, 'Request');
  }

  /** Tells of a record, if its kind is asked for. What is deployed before the start is told in its one line. */
  readonly onLog = ({ timeMs: _timeMs, level, message, ...fields }: LogRecord): void => {
    if (!this.#kinds.has(KIND_OF_EVENT[fields.event])) return;
    if (!this.#hasStarted && fields.event === 'deploy' && level === 'info') return;
    this.logger[level](fields, message);
  };

  /** The server answers. */
  started(url: string, functions: number): void {
    this.#hasStarted = true;
    if (this.#kinds.has('start')) this.logger.info({ url, functions }, 'Started');
  }

  /** A signal came, and the server takes no more. */
  ending(): void {
    if (this.#kinds.has('start')) this.logger.info('Ending');
  }

  /** Everything is over; what waits is written, unless nobody reads it. */
  async ended(): Promise<void> {
    if (this.#hasStarted && this.#kinds.has('start')) this.logger.info('Ended');
    // Writing it at once would overtake what is on its way.
    await Promise.race([
      new Promise<void>((resolve) => this.#destination.flush(() => resolve())),
      sleep(FLUSH_MS, undefined, { ref: false }),
    ]);
    this.#destination.destroy();
  }
}

/** stderr, where it can be so without blocking: a write to a pipe that nobody reads would keep the process from its end. */
function openStderr(): number {
  const { O_WRONLY, O_APPEND, O_NONBLOCK } = constants;
  try {
    return openSync('/dev/stderr', O_WRONLY | O_APPEND | O_NONBLOCK);
  } catch {
    // A socket, or no such name.
    return STDERR;
  }
}
