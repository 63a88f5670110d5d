/**
 * A marker's log as a file: a line of JSON for what it is, then one for each edge. What `nebula bench import --edges` reads,
 * and what a service with markers of its own writes beside its logger's recording.
 */

import type { EdgeKind, HostEdge, MarkerLog, WallReading } from '../analysis/edges.ts';
import { HardwareError } from '../instrument/errors.ts';
import { hostFields, hostOf, type HostIdentity } from '../instrument/host.ts';
import { eachRow, type Chunks } from '../logger/rows.ts';

const FORMAT = 'nebula-edges';
const VERSION = 1;

/** The lines of the file, each with its end. Times are decimal nanoseconds of CLOCK_MONOTONIC. */
export function* markerLogRows(log: MarkerLog, marker: string): Generator<string> {
  const { synthetic, host, bursts } = log;
  const head = { format: FORMAT, version: VERSION, clock: 'host-monotonic', marker, synthetic, ...hostFields(host) };
  const wall = log.wall?.map(({ hostNs, realNs }) => ({ host_ns: `${hostNs}`, real_ns: `${realNs}` }));
  yield `${JSON.stringify({ ...head, ...(bursts === undefined ? {} : { bursts }), ...(wall === undefined ? {} : { wall }) })}\n`;
  for (const { id, kind, level, beforeNs, afterNs, written, calls } of log.edges) {
    const edge = { id, kind, level, before_ns: `${beforeNs}`, after_ns: `${afterNs}`, written };
    yield `${JSON.stringify(calls === undefined ? edge : { ...edge, calls })}\n`;
  }
}

/** A log read back, with what the marker was. */
export interface ReadMarkerLog extends MarkerLog {
  readonly marker: string;
}

const KINDS: readonly EdgeKind[] = ['start', 'end', 'sync'];

type Fields = Readonly<Record<string, unknown>>;

function refuse(row: number, expected: string, got: unknown): never {
  const shown = JSON.stringify(got) ?? 'nothing';
  throw new HardwareError('LOG_FORMAT', { format: FORMAT, expected: `${expected} in row ${row}`, got: shown });
}

function fieldsOf(line: string, row: number): Fields {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return refuse(row, 'JSON', line.slice(0, 120));
  }
  return typeof parsed === 'object' && parsed !== null ? (parsed as Fields) : refuse(row, 'an object', parsed);
}

function nanoseconds(fields: Fields, name: string, row: number): bigint {
  const text = fields[name];
  return typeof text === 'string' && /^\d{1,19}$/.test(text)
    ? BigInt(text)
    : refuse(row, `${name} in nanoseconds, of at most 19 digits`, text);
}

function edgeOf(fields: Fields, row: number): HostEdge {
  const { id, kind, level, written, calls } = fields;
  if (typeof id !== 'string' || id === '') return refuse(row, 'an id', id);
  if (level !== 0 && level !== 1) return refuse(row, 'level: 0 or 1', level);
  if (typeof written !== 'boolean') return refuse(row, 'written: true or false', written);
  const beforeNs = nanoseconds(fields, 'before_ns', row);
  const afterNs = nanoseconds(fields, 'after_ns', row);
  if (afterNs < beforeNs) {
    const expected = `an after_ns of at least ${beforeNs} in row ${row}`;
    throw new HardwareError('EDGES_INVALID', { what: id, expected, got: `${afterNs}` });
  }
  const edge: HostEdge = { id, kind: kindOf(kind, row), level, beforeNs, afterNs, written };
  if (calls === undefined) return edge;
  if (typeof calls !== 'number' || !Number.isSafeInteger(calls) || calls < 1) {
    return refuse(row, 'calls: an integer of at least 1', calls);
  }
  return { ...edge, calls };
}

function kindOf(kind: unknown, row: number): EdgeKind {
  const known = KINDS.find((each) => each === kind);
  return known ?? refuse(row, `kind: ${KINDS.join(', ')}`, kind);
}

interface Head {
  readonly marker: string;
  readonly synthetic: boolean;
  readonly host?: HostIdentity;
  readonly wall?: readonly WallReading[];
  readonly bursts?: 'load';
}

/** Readings of the wall clock; undefined in files that have none. */
function wallOf(value: unknown, row: number): readonly WallReading[] | undefined {
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) return refuse(row, 'wall: a list', value);
  return (value as Fields[]).map((reading) => ({
    hostNs: nanoseconds(reading ?? {}, 'host_ns', row),
    realNs: nanoseconds(reading ?? {}, 'real_ns', row),
  }));
}

function headOf(fields: Fields, row: number): Head {
  const { format, version, synthetic, marker } = fields;
  if (format !== FORMAT || version !== VERSION) return refuse(row, `format ${FORMAT}, version ${VERSION}`, fields);
  if (typeof synthetic !== 'boolean') return refuse(row, 'synthetic: true or false', synthetic);
  const host = hostOf(fields);
  const named = typeof marker === 'string' ? marker : 'unknown';
  const wall = wallOf(fields['wall'], row);
  if (fields['bursts'] !== undefined && fields['bursts'] !== 'load')
    return refuse(row, 'bursts: load', fields['bursts']);
  return {
    marker: named,
    synthetic,
    ...(host === undefined ? {} : { host }),
    ...(wall === undefined ? {} : { wall }),
    ...(fields['bursts'] === undefined ? {} : { bursts: 'load' }),
  };
}

/**
 * Reads a log back.
 * @throws HardwareError LOG_FORMAT naming the row and the field, EDGES_INVALID for an edge that ends before it begins
 */
export async function readMarkerLog(chunks: Chunks): Promise<ReadMarkerLog> {
  const edges: HostEdge[] = [];
  const heads: Head[] = [];
  let row = 0;
  await eachRow(chunks, (line) => {
    row++;
    const fields = fieldsOf(line, row);
    if (heads.length === 0) heads.push(headOf(fields, row));
    else edges.push(edgeOf(fields, row));
  });
  const [head] = heads;
  return head === undefined ? refuse(1, `format ${FORMAT}`, 'an empty file') : { edges, ...head };
}
