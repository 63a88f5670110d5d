/**
 * Sessions of Nordic's Power Profiler (.ppk2): a zip of metadata.json and session.raw, read as a stream. A frame is a
 * little-endian float32 in uA and a big-endian uint16 of two bits per input: 01 low, 10 high, 11 both, 00 no data.
 * Source: NordicSemiconductor/pc-nrfconnect-ppk, src/globals.ts and src/utils/bitConversion.ts.
 */

import type { Readable } from 'node:stream';
import type * as Yauzl from 'yauzl';
import type { Entry, ZipFile } from 'yauzl';
import { HardwareError, detailOf } from '../instrument/errors.ts';
import type { DigitalLevel } from './digital-line.ts';
import { GivenOptions } from './given-options.ts';
import { LogBuilder, type ImportOptions, type ImportedLog } from './log.ts';
import { PPK2_LINES } from './ppk2-csv.ts';
import { formatError } from './table.ts';

const FORMAT = 'ppk2';
const FRAME_BYTES = 6;
/** The app writes some hundred bytes. */
const MAX_METADATA = 1 << 20;
const LEVELS: readonly DigitalLevel[] = ['-', 0, 1, 'X'];

/** Takes session.raw in pieces of any size. */
class Ppk2Frames {
  readonly #builder: LogBuilder;
  readonly #vddV: number;
  readonly #intervalS: number;
  #rest: Buffer = Buffer.alloc(0);
  #index = 0;

  constructor(builder: LogBuilder, vddV: number, samplesPerSecond: number) {
    this.#builder = builder;
    this.#vddV = vddV;
    this.#intervalS = 1 / samplesPerSecond;
  }

  /** Adds a piece; a frame cut in two waits for the next. */
  add(piece: Buffer): void {
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    let at = 0;
    for (; at + FRAME_BYTES <= bytes.length; at += FRAME_BYTES) {
      this.#frame(bytes.readFloatLE(at), bytes.readUInt16BE(at + 4));
    }
    this.#rest = bytes.subarray(at);
  }

  /** Counts a frame that the file breaks off in. */
  end(): void {
    if (this.#rest.length === 0) return;
    this.#builder.countRow();
    this.#builder.malformed(`${this.#rest.length} bytes of a frame of ${FRAME_BYTES}`);
  }

  #frame(currentUa: number, bits: number): void {
    const timeS = this.#index++ * this.#intervalS;
    this.#builder.countRow();
    if (!Number.isFinite(currentUa)) {
      this.#builder.lost(1);
      return;
    }
    this.#builder.add(timeS, currentUa * 1e-6 * this.#vddV);
    for (const [input, name] of PPK2_LINES.entries()) {
      this.#builder.level(name, timeS, LEVELS[(bits >> (2 * input)) & 3] as DigitalLevel);
    }
  }
}

async function openZip(path: string): Promise<ZipFile> {
  let yauzl: typeof Yauzl;
  try {
    yauzl = await import('yauzl');
  } catch (error) {
    throw new HardwareError('PACKAGE_MISSING', { package: 'yauzl', detail: detailOf(error) }, { cause: error });
  }
  return new Promise((resolve, reject) => {
    yauzl.open(path, { lazyEntries: true, autoClose: false }, (error, zip) => {
      if (error === null) resolve(zip);
      else
        reject(
          new HardwareError(
            'LOG_FORMAT',
            { format: FORMAT, expected: 'a zip', got: detailOf(error) },
            { cause: error },
          ),
        );
    });
  });
}

function entriesOf(zip: ZipFile): Promise<Map<string, Entry>> {
  return new Promise((resolve, reject) => {
    const entries = new Map<string, Entry>();
    zip.on('entry', (entry: Entry) => {
      entries.set(entry.fileName, entry);
      zip.readEntry();
    });
    zip.once('end', () => resolve(entries));
    zip.once('error', reject);
    zip.readEntry();
  });
}

function streamOf(zip: ZipFile, entry: Entry | undefined, name: string): Promise<Readable> {
  if (entry === undefined) return Promise.reject(formatError(FORMAT, `an entry ${name}`, 'none'));
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => {
      if (error === null) resolve(stream);
      else reject(error);
    });
  });
}

async function rateIn(stream: Readable): Promise<number> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of stream as AsyncIterable<Buffer>) {
    pieces.push(piece);
    length += piece.length;
    if (length > MAX_METADATA) throw formatError(FORMAT, `at most ${MAX_METADATA} bytes of metadata.json`, 'more');
  }
  const text = Buffer.concat(pieces).toString('utf8');
  let rate: unknown;
  try {
    const parsed = JSON.parse(text) as { metadata?: { samplesPerSecond?: unknown } } | null;
    rate = parsed?.metadata?.samplesPerSecond;
  } catch {
    rate = undefined;
  }
  if (typeof rate === 'number' && rate > 0 && Number.isFinite(rate)) return rate;
  throw formatError(FORMAT, 'metadata.samplesPerSecond in metadata.json', text);
}

/**
 * Reads a session file.
 * @throws HardwareError LOG_VOLTAGE, LOG_FORMAT, PACKAGE_MISSING, TRACE_INVALID
 */
export async function importPpk2(path: string, given: ImportOptions): Promise<ImportedLog> {
  const options = new GivenOptions(given);
  const { vddV } = options;
  options.requireUsed(FORMAT);
  if (vddV === undefined) throw new HardwareError('LOG_VOLTAGE', { format: FORMAT });
  const zip = await openZip(path);
  try {
    const entries = await entriesOf(zip);
    const rate = await rateIn(await streamOf(zip, entries.get('metadata.json'), 'metadata.json'));
    const builder = new LogBuilder();
    const frames = new Ppk2Frames(builder, vddV, rate);
    const session = await streamOf(zip, entries.get('session.raw'), 'session.raw');
    for await (const piece of session as AsyncIterable<Buffer>) frames.add(piece);
    frames.end();
    return builder.finish({ source: 'PPK2', rule: 'instant', clock: 'logger', synthetic: false, refreshS: 1 / rate });
  } finally {
    zip.close();
  }
}
