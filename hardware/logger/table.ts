/** Logs whose first row names columns: finds the columns, hands each row's fields to a format, counts what is short. */

import { HardwareError } from '../instrument/errors.ts';
import type { ImportedLog, LogBuilder, LogParser } from './log.ts';

/** Where the columns of a header are; -1 for one that the log does not have. */
export type ColumnPlaces = (...names: readonly string[]) => number;

/** What a format does with rows once it has seen the header. */
export interface TableFormat {
  /** False when the row cannot be read. */
  row(fields: readonly string[]): boolean;
  finish(): ImportedLog;
}

/** Which columns of a table are what. */
export interface TableOptions {
  readonly format: string;
  readonly separator: string | RegExp;
  readonly builder: LogBuilder;
  /** @throws HardwareError LOG_FORMAT for a header that is not this format's, LOG_VOLTAGE */
  readonly open: (columns: readonly string[], place: ColumnPlaces) => TableFormat;
}

/** A parser that takes its first row for the header. */
export class TableParser implements LogParser {
  readonly #options: TableOptions;
  #format: TableFormat | undefined;
  #columns = 0;

  constructor(options: TableOptions) {
    this.#options = options;
  }

  row(line: string): void {
    const { builder, separator } = this.#options;
    const fields = line
      .replace(/^\uFEFF/, '')
      .trim()
      .split(separator);
    if (this.#format === undefined) {
      const columns = fields.map((field) => field.trim());
      this.#columns = columns.length;
      const places = new Map(columns.map((column, place) => [column.toLowerCase(), place]));
      this.#format = this.#options.open(columns, (...names) => {
        for (const name of names) {
          const place = places.get(name.toLowerCase());
          if (place !== undefined) return place;
        }
        return -1;
      });
      return;
    }
    builder.countRow();
    // A row cut short or run into the next one may still hold numbers, but not these columns.
    if (fields.length !== this.#columns || !this.#format.row(fields)) builder.malformed(line);
  }

  finish(): ImportedLog {
    if (this.#format === undefined) throw formatError(this.#options.format, 'a header row', 'an empty log');
    return this.#format.finish();
  }
}

/** A log that is not what it was said to be. */
export function formatError(format: string, expected: string, got: string): HardwareError {
  return new HardwareError('LOG_FORMAT', { format, expected, got: JSON.stringify(got.slice(0, 200)) });
}
