/** What an energy run leaves in its folder beside the comparison's files, and reading it back. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { HardwareError } from '../../hardware/instrument/errors.ts';
import { openLog, type LogSource } from '../../hardware/logger/open-log.ts';
import type { ImportedLog } from '../../hardware/logger/log.ts';
import type { LineCost } from '../../hardware/marker/line.ts';
import { markerLogRows, readMarkerLog, type ReadMarkerLog } from '../../hardware/marker/log-file.ts';
import type { MarkerLog } from '../../hardware/analysis/edges.ts';
import type { MachineReading } from '../../hardware/gate/machine.ts';
import type { RunFolder } from '../compare/folder.ts';
import { asProbed, type Lengthened, type Probe } from './pace.ts';
import type { RecordingEnd } from './recorder.ts';
import type { FailedMarks } from './session.ts';
import { parseWindows, windowLines, type WindowRecord } from './windows.ts';

/** What the run knew beside its rows: marker, source, machine. */
export const SESSION_FILE = 'session.json';
/** Which log was imported, where it was recorded elsewhere. */
const IMPORT_FILE = 'import.json';
/** The recording of power, in our own CSV. */
export const TRACE_FILE = 'power.csv';
/** What the marker wrote. */
export const EDGES_FILE = 'edges.ndjson';
const WINDOWS_FILE = 'windows.ndjson';

/** session.json. */
export interface SessionRecord {
  readonly marker: {
    readonly text: string;
    readonly label: string;
    readonly synthetic: boolean;
    readonly cost: LineCost | null;
    /** Edges that were written and not remembered. */
    readonly forgotten: number;
    readonly failed: FailedMarks;
  };
  /** Null where nothing was recorded beside the run. */
  readonly source: {
    readonly text: string;
    readonly recording: RecordingEnd;
    /** What of the plan the source made longer; runs of before have none. */
    readonly lengthened?: Lengthened;
    /** What was found of the source before the run, where it was given. */
    readonly probe?: Probe;
  } | null;
  /** Before the first guard and after the last one; null when the run ended before its end. */
  readonly machine: { readonly before: MachineReading; readonly after: MachineReading | null };
  /** Keeps a result whose gates failed. */
  readonly forced: boolean;
}

/** import.json: a log that was recorded elsewhere, kept in the folder as it came. */
export interface ImportRecord extends LogSource {
  /** Digital line of the log that the marker moves. */
  readonly line: string | null;
  /** The logger's program ran on this machine: its wall clock is that of the run. */
  readonly here: boolean;
  readonly sha256: string;
  readonly importedAt: string;
}

/** Everything of an energy run but the rows of its comparison. */
export interface EnergyRecord {
  readonly session: SessionRecord;
  readonly windows: readonly WindowRecord[];
  readonly log: ReadMarkerLog;
  /** Undefined where no power was recorded. */
  readonly power: { readonly imported: ImportedLog; readonly line: string | null; readonly sha256: string } | undefined;
}

/** Writes what an energy run leaves beside its rows: session.json, edges.ndjson, windows. */
export async function writeRecord(
  folder: RunFolder,
  session: SessionRecord,
  windows: readonly WindowRecord[],
  log: MarkerLog,
): Promise<void> {
  await folder.writeText(WINDOWS_FILE, windowLines(windows));
  await folder.writeText(EDGES_FILE, [...markerLogRows(log, session.marker.label)].join(''));
  await folder.writeJson(SESSION_FILE, session);
}

/** Keeps the result of a run that was measured although its gates failed; the stamp stays. */
export async function forceRun(folder: RunFolder): Promise<void> {
  const session = await folder.readJson<SessionRecord>(SESSION_FILE);
  await folder.writeJson(SESSION_FILE, { ...session, forced: true });
}

/** Reads a marker's log. @throws HardwareError LOG_FORMAT, and the error of a file that cannot be read */
export function readEdges(path: string): Promise<ReadMarkerLog> {
  return readMarkerLog(createReadStream(path));
}

/** SHA-256 of a file, in hex. */
async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Puts a log and its sidecar into the folder, in place of whatever power was known of the run. */
export async function keepLog(
  folder: RunFolder,
  given: LogSource,
  { line, here }: Pick<ImportRecord, 'line' | 'here'>,
): Promise<void> {
  const kept = join('log', basename(given.path));
  await mkdir(join(folder.path, 'log'), { recursive: true });
  const target = join(folder.path, kept);
  if (target !== given.path) await copyFile(given.path, target);
  if (given.format === 'nebula-csv') await copyFile(`${given.path}.json`, `${target}.json`);
  const sha256 = await sha256Of(target);
  const record: ImportRecord = { ...given, path: kept, line, here, sha256, importedAt: new Date().toISOString() };
  await folder.writeJson(IMPORT_FILE, record);
}

/** Reads what an energy run left. @throws Error, HardwareError for files that are not what they should be */
export async function readRecord(folder: RunFolder): Promise<EnergyRecord> {
  const session = await folder.readJson<SessionRecord>(SESSION_FILE);
  const windowsPath = join(folder.path, WINDOWS_FILE);
  const windows = parseWindows(await readFile(windowsPath, 'utf8'), windowsPath);
  const log = await readEdges(join(folder.path, EDGES_FILE));
  return { session, windows, log, power: await readPower(folder, session, log) };
}

/**
 * A log whose logger ran on the machine that marked.
 * @throws HardwareError ARGUMENT for one that is not on a wall clock
 */
export function onOurClock(imported: ImportedLog, { host }: MarkerLog): ImportedLog {
  const { trace } = imported;
  if (trace.clock !== 'host-realtime' || host === undefined) {
    const expected = 'a log on the wall clock of the machine that logged, and edges that say whose they are (--here)';
    const got = host === undefined ? 'edges that do not' : `a log on the clock ${trace.clock}`;
    throw new HardwareError('ARGUMENT', { what: trace.source, expected, got });
  }
  return { ...imported, trace: { ...trace, host } };
}

async function readPower(folder: RunFolder, session: SessionRecord, log: MarkerLog): Promise<EnergyRecord['power']> {
  if (await folder.has(IMPORT_FILE)) {
    const record = await folder.readJson<ImportRecord>(IMPORT_FILE);
    const path = join(folder.path, record.path);
    const sha256 = await sha256Of(path);
    if (sha256 !== record.sha256) {
      throw new Error(`Cannot use "${path}": expected the log with SHA-256 ${record.sha256}, got ${sha256}`);
    }
    const opened = await openLog({ ...record, path });
    return { imported: record.here ? onOurClock(opened, log) : opened, line: record.line, sha256 };
  }
  if (session.source === null) return undefined;
  const path = join(folder.path, TRACE_FILE);
  const opened = await openLog({ path, format: 'nebula-csv' });
  const imported = { ...opened, trace: asProbed(opened.trace, session.source.probe) };
  return { imported, line: null, sha256: await sha256Of(path) };
}
