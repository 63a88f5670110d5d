/**
 * Joulescope's full recordings (.jls, version 2): chunks one behind the other, read once from start to end. Of power the means
 * of the first summary level are taken, some thousand a second that lose no energy; of the inputs each sample. A block of an
 * input that does not change may be left out of the file: its level is that of the summary. Little endian throughout.
 * Source: jetperch/jls, include/jls/format.h; samples of one instrument have numbers of one count.
 */

import { open, type FileHandle } from 'node:fs/promises';
import type { Edge } from '../analysis/edges.ts';
import { GivenOptions } from './given-options.ts';
import { LogBuilder, type ImportOptions, type ImportedLog } from './log.ts';
import { formatError } from './table.ts';

const format = 'joulescope-jls';
const IDENTIFICATION = Buffer.from('6a6c73666d740d0a200a201a2020b21c', 'hex');
const FILE_HEADER_BYTES = 32;
const CHUNK_HEADER_BYTES = 32;
/** Before the entries of a data or summary chunk: number of the first sample, entries, bits of an entry. */
const PAYLOAD_HEADER_BYTES = 16;
/** A summary's entry: mean, standard deviation, least and greatest. */
const SUMMARY_BYTES = 16;
/** The reserved bytes before a source's and within a signal's definition. */
const SOURCE_TEXT_AT = 64;
const SIGNAL_TEXT_AT = 128;
const FLOAT_32 = 0x2004;
const ONE_BIT = 0x0103;

/** Of no chunk: what a file was only reserved for. */
const NO_TAG = 0;
const TAGS = { source: 0x01, signal: 0x02, data: 0x22, summary: 0x24 } as const;

/** A signal of the file, and what was read of it. */
interface Signal {
  readonly source: number;
  readonly name: string;
  readonly dataType: number;
  readonly rateHz: number;
  /** Samples that an entry of the first summary level is of. */
  readonly decimation: number;
  /** First sample and means of each summary chunk. */
  readonly means: { readonly first: number; readonly values: Float32Array }[];
  /** First sample, how many and packed levels of each data chunk; of inputs only. */
  readonly bits: { readonly first: number; readonly count: number; readonly levels: Buffer }[];
}

function texts(payload: Buffer, at: number): string[] {
  return payload.toString('utf8', at).split('\0\x1f');
}

/** A payload that is a definition. @throws HardwareError LOG_FORMAT for one that ends before its texts */
function definition(what: string, payload: Buffer, textAt: number): Buffer {
  if (payload.length >= textAt) return payload;
  throw formatError(format, `at least ${textAt} bytes of the definition of a ${what}`, `${payload.length}`);
}

function signalOf(payload: Buffer): Signal {
  return {
    source: payload.readUInt16LE(0),
    dataType: payload.readUInt32LE(4) & 0xffff,
    rateHz: payload.readUInt32LE(8),
    decimation: payload.readUInt32LE(16),
    name: texts(payload, SIGNAL_TEXT_AT)[0] ?? '',
    means: [],
    bits: [],
  };
}

/** What a file holds, before one instrument of it is chosen. */
interface Recording {
  readonly sources: ReadonlyMap<number, string>;
  readonly signals: readonly Signal[];
  /** Bytes at the end that are no whole chunk. */
  readonly cut: number;
}

function addSummary(signal: Signal, payload: Buffer): void {
  const count = Math.min(payload.readUInt32LE(8), Math.floor((payload.length - PAYLOAD_HEADER_BYTES) / SUMMARY_BYTES));
  const values = Float32Array.from({ length: count }, (_, entry) =>
    payload.readFloatLE(PAYLOAD_HEADER_BYTES + entry * SUMMARY_BYTES),
  );
  signal.means.push({ first: Number(payload.readBigInt64LE(0)), values });
}

/** One chunk; only what is needed of it is kept. */
function addChunk(
  { sources, signals }: { sources: Map<number, string>; signals: Map<number, Signal> },
  tag: number,
  meta: number,
  payload: Buffer,
): void {
  const id = meta & 0xfff;
  if (tag === TAGS.source)
    sources.set(id, texts(definition('source', payload, SOURCE_TEXT_AT), SOURCE_TEXT_AT)[0] ?? '');
  else if (tag === TAGS.signal) signals.set(id, signalOf(definition('signal', payload, SIGNAL_TEXT_AT)));
  const signal = signals.get(id);
  if (signal === undefined) return;
  const isFirstLevel = meta >> 12 === 1;
  if (tag === TAGS.summary && isFirstLevel && (signal.dataType === FLOAT_32 || signal.dataType === ONE_BIT)) {
    addSummary(signal, payload);
  } else if (tag === TAGS.data && signal.dataType === ONE_BIT) {
    const first = Number(payload.readBigInt64LE(0));
    const levels = Buffer.from(payload.subarray(PAYLOAD_HEADER_BYTES));
    signal.bits.push({ first, count: Math.min(payload.readUInt32LE(8), 8 * levels.length), levels });
  }
}

async function readChunks(file: FileHandle): Promise<Recording> {
  const { size } = await file.stat();
  const sources = new Map<number, string>();
  const signals = new Map<number, Signal>();
  const header = Buffer.alloc(CHUNK_HEADER_BYTES);
  let at = FILE_HEADER_BYTES;
  while (at + CHUNK_HEADER_BYTES <= size) {
    await file.read(header, 0, CHUNK_HEADER_BYTES, at);
    const tag = header.readUInt8(16);
    const meta = header.readUInt16LE(18);
    const length = header.readUInt32LE(20);
    // Padding and a checksum end a payload on eight bytes.
    const next = at + CHUNK_HEADER_BYTES + (length === 0 ? 0 : Math.ceil((length + 4) / 8) * 8);
    if (tag === NO_TAG || next > size) break;
    const isDefinition = tag === TAGS.source || tag === TAGS.signal;
    const hasEntries = (tag === TAGS.data || tag === TAGS.summary) && length > PAYLOAD_HEADER_BYTES;
    const isNeeded = isDefinition || hasEntries;
    if (isNeeded) {
      const payload = Buffer.alloc(length);
      await file.read(payload, 0, length, at + CHUNK_HEADER_BYTES);
      addChunk({ sources, signals }, tag, meta, payload);
    }
    at = next;
  }
  return { sources, signals: [...signals.values()], cut: size - at };
}

/** The signals of the instrument that is named, or of the only one. */
function chosen({ sources, signals }: Recording, channel: () => string | undefined): Signal[] {
  const measured = signals.filter(({ name, dataType }) => dataType === FLOAT_32 && ['power', 'current'].includes(name));
  const names = [...new Set(measured.map(({ source }) => sources.get(source) ?? ''))];
  const wanted = names.length > 1 ? channel() : (channel() ?? names[0]);
  if (wanted === undefined || !names.includes(wanted)) {
    const got = names.length === 0 ? 'no signal power' : names.join(', ');
    throw formatError(format, 'the channel to be named, one of the instruments (--channel)', got);
  }
  return signals.filter(({ source }) => sources.get(source) === wanted);
}

/** Mean power of each entry, stamped with its end; the first one begins the trace. */
function addPower(builder: LogBuilder, signal: Signal, factor: number, originS: number): void {
  const toS = (sample: number): number => sample / signal.rateHz - originS;
  let isFirst = true;
  for (const { first, values } of signal.means) {
    for (const [entry, mean] of values.entries()) {
      builder.countRow();
      const start = first + entry * signal.decimation;
      if (Number.isNaN(mean)) {
        builder.lost(signal.decimation);
        continue;
      }
      if (isFirst) builder.add(toS(start), mean * factor);
      isFirst = false;
      builder.add(toS(start + signal.decimation), mean * factor);
    }
  }
}

/** Levels with the number of their first sample: those of the data, and of the summaries where data was left out. */
function* levelsOf({ means, bits, decimation }: Signal): Generator<readonly [sample: number, level: 0 | 1]> {
  const summaries = means.flatMap(({ first, values }) =>
    [...values].map((mean, entry) => [first + entry * decimation, mean >= 0.5 ? 1 : 0] as const),
  );
  let summary = 0;
  let sample = Number.NEGATIVE_INFINITY;
  for (const { first, count, levels } of [...bits].sort((a, b) => a.first - b.first)) {
    for (; summary < summaries.length && (summaries[summary] as readonly [number, 0 | 1])[0] < first; summary++) {
      const left = summaries[summary] as readonly [number, 0 | 1];
      if (left[0] >= sample) yield left;
    }
    for (let index = 0; index < count; index++) {
      yield [first + index, (((levels[index >> 3] as number) >> (index & 7)) & 1) as 0 | 1];
    }
    sample = first + count;
  }
}

function* edgesOf(signal: Signal, originS: number): Generator<Edge> {
  let last: 0 | 1 | undefined;
  for (const [sample, level] of levelsOf(signal)) {
    // An edge lies between a sample and the one before it.
    const timeS = (sample - 0.5) / signal.rateHz - originS;
    if (last !== undefined && level !== last) yield { timeS, level, halfWidthS: 0.5 / signal.rateHz };
    last = level;
  }
}

function importSignals(recording: Recording, options: ImportOptions): ImportedLog {
  const signals = chosen(recording, () => options.channel);
  const power = signals.find(({ name, means }) => name === 'power' && means.length > 0);
  const vddV = power === undefined ? options.vddV : undefined;
  const signal = power ?? (vddV === undefined ? undefined : signals.find(({ name }) => name === 'current'));
  if (signal === undefined || signal.rateHz === 0) {
    throw formatError(
      format,
      'a signal power, or current with the voltage (--vdd)',
      signals.map(({ name }) => name).join(', '),
    );
  }
  const originS = (signal.means[0]?.first ?? 0) / signal.rateHz;
  const builder = new LogBuilder();
  addPower(builder, signal, vddV ?? 1, originS);
  if (recording.cut > 0) {
    builder.countRow();
    builder.malformed(`${recording.cut} bytes that are no whole chunk`);
  }
  for (const input of signals.filter(({ dataType }) => dataType === ONE_BIT)) {
    const name = input.name.replace(/^gpi\[(\d)\]$/, 'GPI$1');
    for (const edge of edgesOf(input, originS)) builder.edge(name, edge);
  }
  const limits = { format, leastHz: 0.01, mostHz: 2_000_000 };
  return builder.finish({ source: 'Joulescope', rule: 'average', clock: 'logger', synthetic: false, limits });
}

/**
 * Reads a recording: mean power, and the edges of each input that moved.
 * @throws HardwareError LOG_FORMAT, ARGUMENT, TRACE_INVALID
 */
export async function importJls(path: string, given: ImportOptions): Promise<ImportedLog> {
  const file = await open(path);
  try {
    const start = Buffer.alloc(IDENTIFICATION.length);
    await file.read(start, 0, start.length, 0);
    if (!start.equals(IDENTIFICATION)) {
      throw formatError(
        format,
        'a JLS of version 2 (the Joulescope UI saves older ones as such)',
        start.toString('latin1'),
      );
    }
    const options = new GivenOptions(given);
    const log = importSignals(await readChunks(file), options);
    options.requireUsed(format);
    return log;
  } finally {
    await file.close();
  }
}
