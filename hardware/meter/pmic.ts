/**
 * The power manager of a Raspberry Pi 5 through `vcgencmd pmic_read_adc`. An estimate: it has no current of the 5 V input,
 * so USB, HATs and the converters' own losses are missing. Each reading starts a process: ten a second at most.
 */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { HardwareError, detailOf, systemCodeOf } from '../instrument/errors.ts';
import { polledGapS, pollReadings, type PowerSource, type Reading, type SourceProperties } from './power-source.ts';

const run = promisify(execFile);

/** The firmware's command. */
export const PMIC_COMMAND = 'vcgencmd';

const FIELD = /^\s*(\w+)_([AV])\s+(?:current|volt)\(\d+\)=([\d.]+)[AV]\s*$/;

/** Sum of current times voltage over the rails that have both. */
export interface PmicPower {
  readonly powerW: number;
  /** Names of those rails. */
  readonly rails: readonly string[];
}

/**
 * Reads the command's output. A voltage may stand alone, as that of the 5 V input; a current does not.
 * @throws HardwareError SOURCE_PAYLOAD when no rail has both current and voltage, or one has lost its voltage
 */
export function parsePmic(text: string): PmicPower {
  const currents = new Map<string, number>();
  const voltages = new Map<string, number>();
  for (const line of text.split('\n')) {
    const parts = FIELD.exec(line);
    const value = Number(parts?.[3]);
    if (parts === null || !Number.isFinite(value)) continue;
    (parts[2] === 'A' ? currents : voltages).set(parts[1] as string, value);
  }
  let powerW = 0;
  for (const [rail, amperes] of currents) {
    const volts = voltages.get(rail);
    if (volts === undefined) {
      throw new HardwareError('SOURCE_PAYLOAD', {
        source: 'the PMIC',
        expected: `${rail}_V beside ${rail}_A`,
        got: 'none',
      });
    }
    powerW += amperes * volts;
  }
  if (currents.size > 0) return { powerW, rails: [...currents.keys()].sort() };
  const fields = {
    source: 'the PMIC',
    expected: 'rails with current and voltage',
    got: JSON.stringify(text.slice(0, 80)),
  };
  throw new HardwareError('SOURCE_PAYLOAD', fields);
}

async function readPmic(command: string): Promise<PmicPower> {
  const { stdout } = await run(command, ['pmic_read_adc'], { timeout: 2000 });
  return parsePmic(stdout);
}

/** The power of the rails that the board had at first: a sum without one of them is another quantity. */
async function readW(command: string, rails: readonly string[]): Promise<number> {
  const now = await readPmic(command);
  if (now.rails.join() === rails.join()) return now.powerW;
  const apart = [
    ...rails.filter((rail) => !now.rails.includes(rail)),
    ...now.rails.filter((rail) => !rails.includes(rail)),
  ];
  const fields = {
    source: 'the PMIC',
    expected: `its ${rails.length} rails`,
    got: `${now.rails.length}, apart in ${apart.join(', ')}`,
  };
  throw new HardwareError('SOURCE_PAYLOAD', fields);
}

class PmicSource implements PowerSource {
  readonly properties: SourceProperties;
  readonly #command: string;
  readonly #rails: readonly string[];
  readonly #intervalS: number;

  constructor(command: string, rails: readonly string[], intervalS: number) {
    this.#command = command;
    this.#rails = rails;
    this.properties = {
      name: 'PMIC estimate',
      rule: 'instant',
      clock: 'ours',
      refreshS: undefined,
      gapS: polledGapS(intervalS),
      resolution: undefined,
      estimate: true,
      synthetic: false,
    };
    this.#intervalS = intervalS;
  }

  readings(signal: AbortSignal): AsyncIterable<Reading> {
    return pollReadings(() => readW(this.#command, this.#rails), this.#intervalS, signal);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** @throws HardwareError NO_SOURCE without the command, SOURCE_PAYLOAD on a board that is no Pi 5 */
export async function openPmic(
  options: { readonly command?: string; readonly intervalS?: number } = {},
): Promise<PowerSource> {
  const command = options.command ?? PMIC_COMMAND;
  let rails: readonly string[];
  try {
    ({ rails } = await readPmic(command));
  } catch (error) {
    if (error instanceof HardwareError) throw error;
    const missing = systemCodeOf(error) === 'ENOENT';
    const fields = { source: 'PMIC', path: command, detail: detailOf(error) };
    throw new HardwareError(missing ? 'NO_SOURCE' : 'SOURCE_DENIED', fields, { cause: error });
  }
  return new PmicSource(command, rails, options.intervalS ?? 0.1);
}
