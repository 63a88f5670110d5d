/**
 * CSV of Nordic's Power Profiler: any subset of Timestamp(ms), Current(uA), D0-D7, D0 .. D7. Lost samples are rows left
 * out; there is no voltage. Source: NordicSemiconductor/pc-nrfconnect-ppk, csv export.
 */

import { HardwareError } from '../instrument/errors.ts';
import type { DigitalLevel } from './digital-line.ts';
import { LogBuilder, numberOf, type ImportOptions, type LogParser } from './log.ts';
import { TableParser, formatError, type TableFormat } from './table.ts';

const FORMAT = 'ppk2-csv';
const LIMITS = { format: FORMAT, leastHz: 0.5, mostHz: 100_000 } as const;

/** Names of the PPK2's digital inputs, the lowest bit first. */
export const PPK2_LINES: readonly string[] = ['D0', 'D1', 'D2', 'D3', 'D4', 'D5', 'D6', 'D7'];

function levelOf(character: string | undefined): DigitalLevel | undefined {
  if (character === '0') return 0;
  if (character === '1') return 1;
  return character === 'X' || character === '-' ? character : undefined;
}

interface Places {
  readonly time: number;
  readonly current: number;
  readonly packed: number;
  /** Pairs of line name and column. */
  readonly single: readonly (readonly [string, number])[];
}

/** The levels of a row's lines; undefined when one cannot be read. */
function levelsOf(fields: readonly string[], places: Places): (readonly [string, DigitalLevel])[] | undefined {
  const levels: (readonly [string, DigitalLevel])[] = [];
  if (places.packed >= 0) {
    const packed = (fields[places.packed] as string).trim();
    if (packed.length !== 8) return undefined;
    for (const [index, name] of PPK2_LINES.entries()) {
      const level = levelOf(packed[index]);
      if (level === undefined) return undefined;
      levels.push([name, level]);
    }
    return levels;
  }
  for (const [name, place] of places.single) {
    const level = levelOf(fields[place]?.trim());
    if (level === undefined) return undefined;
    levels.push([name, level]);
  }
  return levels;
}

/** @param sampleS the interval, where rows have no times */
function openTable(builder: LogBuilder, places: Places, sampleS: number | undefined, vddV: number): TableFormat {
  let row = 0;
  return {
    row(fields) {
      const index = row++;
      const timeMs = places.time >= 0 ? numberOf(fields[places.time]) : index * (sampleS ?? 0) * 1e3;
      const currentUa = numberOf(fields[places.current]);
      const levels = levelsOf(fields, places);
      if (timeMs === undefined || currentUa === undefined || levels === undefined) return false;
      const timeS = timeMs / 1e3;
      if (builder.add(timeS, currentUa * 1e-6 * vddV)) {
        for (const [name, level] of levels) builder.level(name, timeS, level);
      }
      return true;
    },
    finish: () =>
      builder.finish({ source: 'PPK2', rule: 'instant', clock: 'logger', synthetic: false, limits: LIMITS }),
  };
}

/** Reads the CSV; without timestamps it needs `sampleS`. */
export function ppk2CsvParser(options: ImportOptions): LogParser {
  const builder = new LogBuilder();
  return new TableParser({
    format: FORMAT,
    separator: ',',
    builder,
    open(columns, place) {
      const current = place('Current(uA)');
      const time = place('Timestamp(ms)');
      if (current < 0) throw formatError(FORMAT, 'a column Current(uA)', columns.join(','));
      const sampleS = time < 0 ? options.sampleS : undefined;
      if (time < 0 && sampleS === undefined) {
        throw formatError(FORMAT, 'a column Timestamp(ms), or the sampling interval', columns.join(','));
      }
      const { vddV } = options;
      if (vddV === undefined) throw new HardwareError('LOG_VOLTAGE', { format: FORMAT });
      const single = PPK2_LINES.map((name) => [name, place(name)] as const).filter(([, at]) => at >= 0);
      return openTable(builder, { time, current, packed: place('D0-D7'), single }, sampleS, vddV);
    },
  });
}
