/** The raw data of a run: one line per measurement, appended as it is made. Nothing is ever left out or put in order. */

import { createWriteStream, type WriteStream } from 'node:fs';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';

/**
 * Phases of a call that all targets have alike, in the order they happen: request to the guest's first own instruction,
 * the guest's own run, its end to the whole answer with the caller, the answer to a target that is as before.
 */
export const CALL_PHASES = ['start', 'run', 'answer', 'teardown'] as const;

/** One of `CALL_PHASES`. */
export type CallPhase = (typeof CALL_PHASES)[number];

/** One measurement of one call, in nanoseconds. */
export interface Row {
  /** Name of the run. */
  readonly run: string;
  /** From 0; -1 before the first block, where the warm-ups are. */
  readonly block: number;
  /** Number of the call in the run: its measurements have it in common. */
  readonly call: number;
  readonly target: string;
  readonly function: string;
  readonly input: string;
  /** A call phase; `total`, from the request to the whole answer; `executor.*` as the executor tells; `engine.*` the engine's. */
  readonly phase: string;
  readonly ns: number;
  /** `ok`, another kind of outcome, `failed` (no outcome) or `mismatch` (another answer than expected). */
  readonly outcome: string;
  /** Why the outcome is not `ok`. */
  readonly reason?: string;
  readonly warmUp?: true;
}

/** Appends rows to a file. */
export class RowWriter {
  readonly #stream: WriteStream;
  #failure: Error | undefined;
  #count = 0;

  constructor(path: string) {
    this.#stream = createWriteStream(path);
    this.#stream.on('error', (error) => (this.#failure = error));
  }

  get count(): number {
    return this.#count;
  }

  /** @throws the error of an earlier write */
  write(rows: readonly Row[]): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.#count += rows.length;
    this.#stream.write(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  }

  async close(): Promise<void> {
    this.#stream.end();
    if (!this.#stream.closed) await once(this.#stream, 'close');
    if (this.#failure !== undefined) throw this.#failure;
  }
}

/** Reads rows back, out of a file that may have been compressed (gzip) since. @throws Error that names the line which is none */
export async function readRows(path: string): Promise<Row[]> {
  const rows: Row[] = [];
  const file = createReadStream(path);
  const input = path.endsWith('.gz') ? file.pipe(createGunzip()) : file;
  const lines = createInterface({ input, crlfDelay: Infinity });
  let number = 0;
  for await (const line of lines) {
    number++;
    if (line === '') continue;
    rows.push(parseRow(line, `${path}:${number}`));
  }
  return rows;
}

function parseRow(line: string, place: string): Row {
  let row: Partial<Row>;
  try {
    row = JSON.parse(line) as Partial<Row>;
  } catch (cause) {
    throw new Error(`Cannot read the row at ${place}: expected a JSON object`, { cause });
  }
  const whole = typeof row.target === 'string' && typeof row.phase === 'string' && Number.isFinite(row.ns);
  if (!whole || !Number.isInteger(row.block) || !Number.isInteger(row.call) || typeof row.outcome !== 'string') {
    throw new Error(`Cannot read the row at ${place}: expected target, phase, ns, block, call and outcome`);
  }
  return row as Row;
}

const COLUMNS = [
  'run',
  'block',
  'call',
  'target',
  'function',
  'input',
  'phase',
  'ns',
  'outcome',
  'warmUp',
  'reason',
] as const;

/** The rows as CSV (RFC 4180), for spreadsheets and R. */
export function toCsv(rows: readonly Row[]): string {
  const lines = rows.map((row) => COLUMNS.map((column) => csvCell(row[column])).join(','));
  return `${[COLUMNS.join(','), ...lines].join('\r\n')}\r\n`;
}

function csvCell(value: string | number | boolean | undefined): string {
  const text = value === undefined ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
