/** `bench markers`: what it costs an invocation to be marked, with a line that only remembers and one that is a file. */

import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryLine, type MarkerLine } from '../../hardware/marker/line.ts';
import { SessionMarker } from '../../hardware/marker/marker.ts';
import type { NebulaOptions } from '../../lib/schema/nebula-options.ts';
import { compareLatency } from '../measurement/comparison.ts';
import type { Findings } from '../measurement/result.ts';
import { functionPath } from '../measurement/root.ts';
import { measure, rowOf, type Series, type Subject } from '../measurement/series.ts';
import { open, type Case } from '../subjects/nebula.ts';
import type { RunOptions } from './options.ts';

const NOOP: Case = { function: 'noop', path: functionPath('noop'), input: '', expected: '' };
const NO_INPUT = new Uint8Array();
const BURST_UNIT_MS = 1;
/** Without a deadline, which in this thread costs more than a mark. */
const DEPLOY = { limits: { timeoutMs: 0 } };

/** One byte at the start of a file, as onoff writes a pin's value; what a pin takes besides is not in it. */
class FileLine implements MarkerLine {
  readonly label: string = 'file';
  readonly synthetic: boolean = true;
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'nebula-line-'));
  readonly #fd: number = openSync(join(this.#folder, 'value'), 'w');
  readonly #levels: readonly Buffer[] = [Buffer.from('0'), Buffer.from('1')];

  write(level: 0 | 1): void {
    writeSync(this.#fd, this.#levels[level] as Buffer, 0, 1, 0);
  }

  close(): void {
    closeSync(this.#fd);
    rmSync(this.#folder, { recursive: true });
  }
}

/** A Nebula whose calls are marked; without `line` the marker keeps the host's times only. */
async function marked(name: string, options: NebulaOptions, line: MarkerLine | undefined): Promise<Subject> {
  const markers = await SessionMarker.open(line, { burstUnitMs: BURST_UNIT_MS });
  const nebula = await open(NOOP, { ...options, markers }, DEPLOY);
  const close = async (): Promise<void> => {
    const { failures = 0 } = nebula.stats().markers ?? {};
    await nebula.close();
    await markers.close();
    if (failures > 0) throw new Error(`${failures} marks of ${name} failed`);
  };
  return { name, run: () => nebula.invoke(NOOP.function, NO_INPUT), close };
}

async function plain(name: string, options: NebulaOptions): Promise<Subject> {
  const nebula = await open(NOOP, options, DEPLOY);
  return { name, run: () => nebula.invoke(NOOP.function, NO_INPUT), close: () => nebula.close() };
}

/** Measures what it costs a call to be marked. */
export async function runMarkers(options: RunOptions): Promise<Findings> {
  const here: NebulaOptions = { executor: 'in-thread' };
  const pool: NebulaOptions = { threads: 1 };
  const subjects: Subject[] = [
    await plain('nebula', here),
    await marked('nebula-times', here, undefined),
    await marked('nebula-memory', here, new MemoryLine()),
    await marked('nebula-file', here, new FileLine()),
    await plain('nebula-pool', pool),
    await marked('nebula-pool-file', pool, new FileLine()),
  ];
  const plan = { bench: 'markers', function: 'noop', perBlock: 100, warmUp: 500, ...options };
  const series = await measure(subjects, plan);
  for (const subject of subjects) await subject.close?.();
  const of = (name: string): Series => series.find(({ subject }) => subject === name) as Series;
  const comparisons = [
    compareLatency(of('nebula-times'), of('nebula'), 0.5),
    compareLatency(of('nebula-memory'), of('nebula'), 0.5),
    compareLatency(of('nebula-file'), of('nebula'), 0.5),
    compareLatency(of('nebula-pool-file'), of('nebula-pool'), 0.5),
  ];
  return { rows: series.map(rowOf), comparisons, series, missing: [] };
}
