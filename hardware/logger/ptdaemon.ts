/**
 * Logs of SPEC's PTDaemon: rows of names and values, `Time,28-12-2020 15:21:14.682,Watts,22.950000,...,Mark,<label>`. The
 * local time has no zone and counts as UTC. Each value is the mean since the one before it.
 * Source: mlcommons/power-dev.
 */

import { LogBuilder, numberOf, type ImportedLog, type LogParser } from './log.ts';

const TIME = /^(\d\d)-(\d\d)-(\d{4}) (\d\d):(\d\d):(\d\d(?:\.\d+)?)$/;

function timeSOf(field: string | undefined): number | undefined {
  const parts = TIME.exec(field?.trim() ?? '');
  if (parts === null) return undefined;
  const [day, month, year, hour, minute, second] = parts.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return Date.UTC(year, month - 1, day, hour, minute) / 1e3 + second;
}

class PtDaemonParser implements LogParser {
  readonly #builder = new LogBuilder();
  #mark: { label: string; startS: number } | undefined;
  #lastS = Number.NaN;

  row(line: string): void {
    this.#builder.countRow();
    const fields = line.split(',');
    const values = new Map<string, string>();
    for (let index = 0; index + 1 < fields.length; index += 2) {
      values.set((fields[index] as string).trim(), fields[index + 1] as string);
    }
    const timeS = timeSOf(values.get('Time'));
    const powerW = numberOf(values.get('Watts'));
    // A reading below zero is the daemon's sign that the analyser gave none.
    if (timeS === undefined || powerW === undefined || powerW < 0) {
      this.#builder.malformed(line);
      return;
    }
    if (!this.#builder.add(timeS, powerW)) return;
    const label = values.get('Mark')?.trim() ?? '';
    if (this.#mark !== undefined && this.#mark.label !== label) this.#endMark();
    if (label !== '' && this.#mark === undefined) this.#mark = { label, startS: timeS };
    this.#lastS = timeS;
  }

  #endMark(): void {
    if (this.#mark !== undefined) this.#builder.mark({ ...this.#mark, endS: this.#lastS });
    this.#mark = undefined;
  }

  finish(): ImportedLog {
    this.#endMark();
    return this.#builder.finish({ source: 'PTDaemon', rule: 'average', clock: 'logger', synthetic: false });
  }
}

/** Reads a log of SPEC's PTDaemon, its marks as windows. */
export function ptDaemonParser(): LogParser {
  return new PtDaemonParser();
}
