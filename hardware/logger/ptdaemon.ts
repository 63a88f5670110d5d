/**
 * Logs of SPEC's PTDaemon: rows of names and values, `Time,12-28-2020 15:21:14.682,Watts,22.950000,...,Mark,<label>`, and
 * with several channels the sum first and `Ch1,Watts,...` for each behind the mark; -1 is what was not measured, `notset`
 * no mark. The local time has no zone and counts as UTC; month or day comes first by where the daemon ran. Each value is the
 * mean since the one before it. Source: mlcommons/power-dev, its logs and compliance/check.py.
 */

import { LogBuilder, numberOf, type ImportOptions, type ImportedLog, type LogParser } from './log.ts';
import { Agreement } from './physics.ts';
import { formatError } from './table.ts';

const format = 'ptdaemon';
const TIME = /^(\d\d)-(\d\d)-(\d{4}) (\d\d):(\d\d):(\d\d(?:\.\d+)?)$/;
const NO_MARK = 'notset';

/** A row's time as it stands: which of the first two is the month shows in other rows. */
interface WrittenTime {
  readonly first: number;
  readonly second: number;
  readonly year: number;
  readonly dayS: number;
}

interface Row {
  readonly time: WrittenTime;
  readonly powerW: number;
  readonly mark: string;
}

function writtenTime(field: string | undefined): WrittenTime | undefined {
  const parts = TIME.exec(field?.trim() ?? '');
  if (parts === null) return undefined;
  const [first = 0, second = 0, year = 0, hours = 0, minutes = 0, seconds = 0] = parts.slice(1).map(Number);
  if (Math.min(first, second) > 12 || Math.max(first, second) > 31) return undefined;
  return { first, second, year, dayS: hours * 3600 + minutes * 60 + seconds };
}

function timeSOf({ first, second, year, dayS }: WrittenTime, dayFirst: boolean): number {
  const [month, day] = dayFirst ? [second, first] : [first, second];
  return Date.UTC(year, month - 1, day) / 1e3 + dayS;
}

/** By a number that is no month, else by which of both makes the days follow each other; else as the checker reads it. */
function isDayFirst(rows: readonly Row[]): boolean {
  let first = 0;
  let second = 0;
  const longest = [0, 0] as [number, number];
  for (const [index, { time }] of rows.entries()) {
    if (time.first > 12) first++;
    if (time.second > 12) second++;
    const before = rows[index - 1];
    if (before === undefined) continue;
    for (const order of [0, 1] as const) {
      const stepS = timeSOf(time, order === 1) - timeSOf(before.time, order === 1);
      longest[order] = Math.max(longest[order], Math.abs(stepS));
    }
  }
  if (first > 0 && second > 0) {
    throw formatError(format, 'days and months in one order', `${first} rows by day first, ${second} by month`);
  }
  if (first > 0 || second > 0) return first > 0;
  return longest[1] < longest[0];
}

/** Values by name; those of a channel behind its own name. */
function groupsOf(line: string): Map<string, Map<string, string>> {
  const groups = new Map<string, Map<string, string>>();
  let values = new Map<string, string>();
  groups.set('', values);
  const fields = line.split(',').map((field) => field.trim());
  for (let index = 0; index < fields.length; ) {
    const name = fields[index] as string;
    if (/^Ch\d+$/i.test(name)) {
      values = new Map();
      groups.set(name.toLowerCase(), values);
      index++;
    } else {
      if (!values.has(name)) values.set(name, fields[index + 1] ?? '');
      index += 2;
    }
  }
  return groups;
}

/** What a row says that was measured. */
function measured(values: ReadonlyMap<string, string>, name: string): number | undefined {
  const value = numberOf(values.get(name));
  return value === undefined || value < 0 ? undefined : value;
}

class PtDaemonParser implements LogParser {
  readonly #builder = new LogBuilder();
  readonly #rows: Row[] = [];
  readonly #product = new Agreement();
  readonly #channel: string | undefined;
  readonly #channels = new Set<string>();
  #mark: { label: string; startS: number } | undefined;
  #lastS = Number.NaN;

  constructor(channel: string | undefined) {
    this.#channel = channel;
  }

  row(line: string): void {
    this.#builder.countRow();
    const groups = groupsOf(line);
    const head = groups.get('') as Map<string, string>;
    for (const name of groups.keys()) if (name !== '') this.#channels.add(`Ch${name.slice(2)}`);
    const values = groups.get(this.#channel?.toLowerCase() ?? '') ?? new Map<string, string>();
    const time = writtenTime(head.get('Time'));
    const powerW = measured(values, 'Watts');
    if (time === undefined || powerW === undefined) {
      this.#builder.malformed(line);
      return;
    }
    const [volts, amperes, factor] = ['Volts', 'Amps', 'PF'].map((name) => measured(values, name));
    const isWhole = volts !== undefined && amperes !== undefined && factor !== undefined;
    this.#product.add(powerW, isWhole ? volts * amperes * factor : undefined);
    const mark = head.get('Mark') ?? '';
    this.#rows.push({ time, powerW, mark: mark === NO_MARK ? '' : mark });
  }

  #add({ time, powerW, mark }: Row, dayFirst: boolean): void {
    const timeS = timeSOf(time, dayFirst);
    if (!this.#builder.add(timeS, powerW)) return;
    if (this.#mark !== undefined && this.#mark.label !== mark) this.#endMark();
    if (mark !== '' && this.#mark === undefined) this.#mark = { label: mark, startS: timeS };
    this.#lastS = timeS;
  }

  #endMark(): void {
    if (this.#mark !== undefined) this.#builder.mark({ ...this.#mark, endS: this.#lastS });
    this.#mark = undefined;
  }

  finish(): ImportedLog {
    if (this.#channel !== undefined && !this.#channels.has(`Ch${this.#channel.slice(2)}`)) {
      const got = this.#channels.size === 0 ? 'none' : [...this.#channels].join(', ');
      throw formatError(format, `the channel ${this.#channel}`, got);
    }
    this.#product.require(format, 'Watts as Volts times Amps times PF');
    const dayFirst = isDayFirst(this.#rows);
    for (const row of this.#rows) this.#add(row, dayFirst);
    this.#endMark();
    const limits = { format, leastHz: 0.01, mostHz: 100 };
    return this.#builder.finish({ source: 'PTDaemon', rule: 'average', clock: 'logger', synthetic: false, limits });
  }
}

/** Reads a log of SPEC's PTDaemon, its marks as windows: the sum of its channels, or the one that is named. */
export function ptDaemonParser(options: ImportOptions): LogParser {
  return new PtDaemonParser(options.channel);
}
