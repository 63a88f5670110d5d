/** One door to all importers: the name of a format and a log in pieces. */

import { HardwareError } from '../instrument/errors.ts';
import { fnb58BluetoothParser, fnb58Parser } from './fnb58.ts';
import { GivenOptions } from './given-options.ts';
import { joulescopeStatisticsParser, joulescopeWaveformParser } from './joulescope.ts';
import type { ImportOptions, ImportedLog, LogParser } from './log.ts';
import { monsoonParser } from './monsoon.ts';
import { nebulaCsvParser, type Sidecar } from './nebula-csv.ts';
import { otiiParser } from './otii.ts';
import { ppk2CsvParser } from './ppk2-csv.ts';
import { ptDaemonParser } from './ptdaemon.ts';
import { eachRow, type Chunks } from './rows.ts';

const PARSERS: Readonly<Record<string, (options: ImportOptions) => LogParser>> = {
  'ppk2-csv': ppk2CsvParser,
  'joulescope-statistics': joulescopeStatisticsParser,
  'joulescope-waveform': joulescopeWaveformParser,
  otii: otiiParser,
  'monsoon-csv': monsoonParser,
  fnb58: fnb58Parser,
  'fnb58-ble': fnb58BluetoothParser,
  ptdaemon: ptDaemonParser,
};

/** The formats that `importLog` reads; `nebula-csv` needs its sidecar and `ppk2` its file (importPpk2). */
export const LOG_FORMATS: readonly string[] = Object.keys(PARSERS);

async function readWith(parser: LogParser, chunks: Chunks): Promise<ImportedLog> {
  await eachRow(chunks, (line) => parser.row(line), parser.maxLine);
  return parser.finish();
}

/**
 * Reads a log. Rows that cannot be read are counted, not repaired.
 * @throws HardwareError LOG_FORMAT, LOG_VOLTAGE, TRACE_INVALID
 */
export async function importLog(format: string, chunks: Chunks, options: ImportOptions = {}): Promise<ImportedLog> {
  const open = Object.hasOwn(PARSERS, format) ? PARSERS[format] : undefined;
  if (open === undefined) {
    throw new HardwareError('ARGUMENT', { what: 'format', expected: LOG_FORMATS.join(', '), got: format });
  }
  const given = new GivenOptions(options);
  const log = await readWith(open(given), chunks);
  given.requireUsed(format);
  return log;
}

/**
 * Reads Nebula's own CSV.
 * @throws HardwareError LOG_FORMAT, TRACE_INVALID
 */
export function importNebulaCsv(chunks: Chunks, sidecar: Sidecar): Promise<ImportedLog> {
  return readWith(nebulaCsvParser(sidecar), chunks);
}
