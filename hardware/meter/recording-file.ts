/**
 * A source recorded into a file as it gives its values: Nebula's own CSV, its sidecar beside it. What was read up to half a
 * second ago is in the file whatever happens to the process; a recording that was stopped has every row.
 */

import { closeSync, openSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { HardwareError, detailOf } from '../instrument/errors.ts';
import { hostFields, readHost } from '../instrument/host.ts';
import type { Sidecar } from '../logger/nebula-csv.ts';
import { LOST } from '../logger/nebula-csv.ts';
import type { PowerSource, Reading, SourceProperties } from './power-source.ts';
import { ReadingTally, type ReadingCounts } from './tally.ts';

const FLUSH_MS = 500;
const FLUSH_CHARACTERS = 1 << 18;

/** How a recording went; also in its sidecar, as `recording`. */
export interface RecordingReport {
  readonly file: string;
  readonly source: string;
  readonly synthetic: boolean;
  /** False in the sidecar of a recording that goes on, or whose process was killed. */
  readonly complete: boolean;
  /** Wall times. */
  readonly startedAt: string;
  readonly endedAt: string;
  /** From the first to the last value, in seconds. */
  readonly durationS: number;
  readonly counts: ReadingCounts;
}

function attempt<Result>(path: string, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    throw new HardwareError('RECORDING_FAILED', { path, detail: detailOf(error) }, { cause: error });
  }
}

function inputColumns(count: number): string {
  return Array.from({ length: count }, (_, input) => `,d${input}`).join('');
}

/** Levels of the inputs as columns, D0 first. */
function inputFields(count: number, inputs: number): string {
  let fields = '';
  for (let input = 0; input < count; input++) fields += (inputs >> input) & 1 ? ',1' : ',0';
  return fields;
}

/** The sidecar that names a source as it described itself. */
function sidecarOfSource(properties: SourceProperties): Sidecar {
  const { name, rule, clock, synthetic, estimate, refreshS, resolution, lagS, gapS } = properties;
  return {
    source: estimate ? `${name} (estimate)` : name,
    rule,
    clock: clock === 'ours' ? 'host-monotonic' : 'logger',
    synthetic,
    ...(clock === 'ours' ? hostFields(readHost()) : {}),
    ...(refreshS === undefined ? {} : { refresh_s: refreshS }),
    ...(resolution === undefined ? {} : { resolution }),
    ...(lagS === undefined ? {} : { lag_s: lagS }),
    ...(gapS === undefined ? {} : { gap_s: gapS }),
  };
}

class RecordingFile {
  readonly #path: string;
  readonly #fd: number;
  readonly #inputs: number;
  #waiting = '';
  #flushedMs = Date.now();

  constructor(path: string, properties: SourceProperties) {
    this.#path = path;
    this.#inputs = properties.inputs ?? 0;
    // A recording cannot be made again: none is written over.
    this.#fd = attempt(path, () => openSync(path, 'wx'));
    const quantity = properties.rule === 'counter' ? 'energy_j' : 'power_w';
    this.#append(`t_s,${quantity}${inputColumns(this.#inputs)}\n`);
    this.#flush();
  }

  row(reading: Reading & { readonly kind: 'value' }): void {
    const levels = this.#inputs === 0 ? '' : inputFields(this.#inputs, reading.inputs ?? 0);
    this.#append(`${reading.timeS.toFixed(9)},${reading.value}${levels}\n`);
  }

  lost(afterS: number): void {
    if (!Number.isFinite(afterS)) return;
    this.#append(`${afterS.toFixed(9)},${LOST}${',-'.repeat(this.#inputs)}\n`);
  }

  #append(row: string): void {
    this.#waiting += row;
    if (this.#waiting.length > FLUSH_CHARACTERS || Date.now() - this.#flushedMs > FLUSH_MS) this.#flush();
  }

  #flush(): void {
    const bytes = Buffer.from(this.#waiting);
    for (let at = 0; at < bytes.length; ) at += attempt(this.#path, () => writeSync(this.#fd, bytes, at));
    this.#waiting = '';
    this.#flushedMs = Date.now();
  }

  sidecar(sidecar: Sidecar & { readonly recording: RecordingReport }): void {
    const path = `${this.#path}.json`;
    attempt(path, () => {
      writeFileSync(`${path}.part`, `${JSON.stringify(sidecar, undefined, 2)}\n`);
      renameSync(`${path}.part`, path);
    });
  }

  close(): void {
    try {
      this.#flush();
    } finally {
      closeSync(this.#fd);
    }
  }
}

/**
 * Records until the signal aborts or the source ends.
 * @param path the CSV; its sidecar is `path.json`
 * @param onReading called after each reading, for whoever shows progress
 * @throws HardwareError RECORDING_FAILED: it exists, or cannot be written
 */
export async function recordToFile(
  source: PowerSource,
  path: string,
  signal: AbortSignal,
  onReading: (tally: ReadingTally) => void = () => undefined,
): Promise<RecordingReport> {
  const { properties } = source;
  const file = new RecordingFile(path, properties);
  const tally = new ReadingTally(properties.rule);
  const sidecar = sidecarOfSource(properties);
  const startedAt = new Date().toISOString();
  let firstS = Number.NaN;
  const report = (complete: boolean): RecordingReport => ({
    file: path,
    source: sidecar.source,
    synthetic: properties.synthetic,
    complete,
    startedAt,
    endedAt: new Date().toISOString(),
    durationS: Number.isFinite(tally.lastS) ? tally.lastS - firstS : 0,
    counts: tally.counts(),
  });
  try {
    file.sidecar({ ...sidecar, recording: report(false) });
    for await (const reading of source.readings(signal)) {
      const verdict = tally.take(reading);
      if (verdict === 'lost') file.lost(tally.lastS);
      else if (verdict === 'keep' && reading.kind === 'value') {
        if (Number.isNaN(firstS)) firstS = reading.timeS;
        file.row(reading);
      }
      onReading(tally);
    }
  } finally {
    file.close();
  }
  const done = report(true);
  file.sidecar({ ...sidecar, recording: done });
  return done;
}
