/**
 * The power manager of a Raspberry Pi 5 through `vcgencmd pmic_read_adc`. An estimate: it has no current of the 5 V input,
 * so USB, HATs and the converters' own losses are missing. Each reading starts a process: ten a second at most.
 */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { HardwareError, detailOf, systemCodeOf } from '../instrument/errors.ts';
import { pollReadings, type PowerSource, type Reading, type SourceProperties } from './power-source.ts';

const run = promisify(execFile);

/** The firmware's command. */
export const PMIC_COMMAND = 'vcgencmd';

const FIELD = /^\s*(\w+)_([AV])\s+(?:current|volt)\(\d+\)=([\d.]+)[AV]\s*$/;

/** Sum of current times voltage over the rails that have both. */
export interface PmicPower {
  readonly powerW: number;
  readonly rails: number;
}

/**
 * Reads the command's output.
 * @throws HardwareError SOURCE_PAYLOAD when no rail has both current and voltage
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
  let rails = 0;
  for (const [rail, amperes] of currents) {
    const volts = voltages.get(rail);
    if (volts === undefined) continue;
    powerW += amperes * volts;
    rails++;
  }
  if (rails > 0) return { powerW, rails };
  const fields = {
    source: 'the PMIC',
    expected: 'rails with current and voltage',
    got: JSON.stringify(text.slice(0, 80)),
  };
  throw new HardwareError('SOURCE_PAYLOAD', fields);
}

async function readW(command: string): Promise<number> {
  const { stdout } = await run(command, ['pmic_read_adc'], { timeout: 2000 });
  return parsePmic(stdout).powerW;
}

class PmicSource implements PowerSource {
  readonly properties: SourceProperties = {
    name: 'PMIC estimate',
    rule: 'instant',
    clock: 'ours',
    refreshS: undefined,
    resolution: undefined,
    estimate: true,
    synthetic: false,
  };
  readonly #command: string;
  readonly #intervalS: number;

  constructor(command: string, intervalS: number) {
    this.#command = command;
    this.#intervalS = intervalS;
  }

  readings(signal: AbortSignal): AsyncIterable<Reading> {
    return pollReadings(() => readW(this.#command), this.#intervalS, signal);
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
  try {
    await readW(command);
  } catch (error) {
    if (error instanceof HardwareError) throw error;
    const missing = systemCodeOf(error) === 'ENOENT';
    const fields = { source: 'PMIC', path: command, detail: detailOf(error) };
    throw new HardwareError(missing ? 'NO_SOURCE' : 'SOURCE_DENIED', fields, { cause: error });
  }
  return new PmicSource(command, options.intervalS ?? 0.1);
}
