/** A log by its path: the format is named, or told by what can be told for sure. */

import { createReadStream, existsSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { HardwareError, detailOf } from '../instrument/errors.ts';
import { LOG_FORMATS, importLog, importNebulaCsv } from './formats.ts';
import { GivenOptions } from './given-options.ts';
import { importJls } from './joulescope-jls.ts';
import type { ImportOptions, ImportedLog } from './log.ts';
import { parseSidecar } from './nebula-csv.ts';
import { importPpk2 } from './ppk2-session.ts';

/** All formats that a file can have. */
const FILE_FORMATS: readonly string[] = ['nebula-csv', 'ppk2', 'joulescope-jls', ...LOG_FORMATS];

/** A log by its path and format. */
export interface LogSource extends ImportOptions {
  readonly path: string;
  readonly format: string;
}

/** Headers that no two formats share. */
const HEADERS: readonly (readonly [RegExp, string])[] = [
  [/(^|,)Current\(uA\)/, 'ppk2-csv'],
  [/^#?\s*(time,)?current,voltage,power,charge,energy/, 'joulescope-statistics'],
  [/^#\s*time,[^,]*\.[ivp0-3t](,|$)/i, 'joulescope-waveform'],
  [/^Time\(ms\),.*Main\(mA\)/, 'monsoon-csv'],
  [/^timestamp sample_in_packet /, 'fnb58'],
  [/^epoch,utc_time,device,/, 'fnb58-ble'],
  [/^Time,\d\d-\d\d-\d{4} .*,Watts,/, 'ptdaemon'],
];

async function firstLine(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(4096), position: 0 });
    return (
      buffer
        .toString('utf8', 0, bytesRead)
        .replace(/^\uFEFF/, '')
        .split(/\r?\n/)
        .find((line) => line.trim() !== '') ?? ''
    ).trim();
  } finally {
    await file.close();
  }
}

/**
 * The format of a log file, from its sidecar, its ending or its first line.
 * @throws HardwareError LOG_FORMAT when none of them tells
 */
export async function formatOf(path: string): Promise<string> {
  if (existsSync(`${path}.json`)) return 'nebula-csv';
  if (path.endsWith('.ppk2')) return 'ppk2';
  if (path.endsWith('.jls')) return 'joulescope-jls';
  let line: string;
  try {
    line = await firstLine(path);
  } catch (error) {
    throw new HardwareError(
      'LOG_FORMAT',
      { format: 'a log', expected: 'a file', got: detailOf(error) },
      { cause: error },
    );
  }
  const known = HEADERS.find(([header]) => header.test(line));
  if (known !== undefined) return known[1];
  const got = JSON.stringify(line.slice(0, 120));
  const expected = `the format to be named (${FILE_FORMATS.join(', ')})`;
  throw new HardwareError('LOG_FORMAT', { format: 'a known format', expected, got });
}

/**
 * Reads a log file.
 * @throws HardwareError LOG_FORMAT, LOG_VOLTAGE, TRACE_INVALID, PACKAGE_MISSING
 */
export async function openLog({ path, format, ...options }: LogSource): Promise<ImportedLog> {
  try {
    if (format === 'ppk2') return await importPpk2(path, options);
    if (format === 'joulescope-jls') return await importJls(path, options);
    if (format !== 'nebula-csv') return await importLog(format, createReadStream(path), options);
    new GivenOptions(options).requireUsed(format);
    const sidecar = parseSidecar(await readFile(`${path}.json`, 'utf8'));
    return await importNebulaCsv(createReadStream(path), sidecar);
  } catch (error) {
    if (error instanceof HardwareError || (error as { code?: unknown }).code === undefined) throw error;
    throw new HardwareError('LOG_FORMAT', { format, expected: 'a file', got: detailOf(error) }, { cause: error });
  }
}
