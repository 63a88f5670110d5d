/**
 * Current sensors on the board's own bus through Linux hwmon: INA2xx (one channel) and INA3221 (three). Same clock as the
 * markers, no alignment needed, but reading them costs power inside the measurement.
 * Units: docs.kernel.org/hwmon/ina2xx and ina3221 (mV, mA, uW, update_interval in ms).
 */

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { HardwareError, detailOf, systemCodeOf } from '../instrument/errors.ts';
import { pollReadings, type PowerSource, type Reading, type SourceProperties } from './power-source.ts';

/** Where the kernel shows sensors. */
export const HWMON_ROOT = '/sys/class/hwmon';

const CHIPS: readonly string[] = ['ina219', 'ina220', 'ina226', 'ina230', 'ina231', 'ina260', 'ina3221'];

/** One channel of a sensor. */
export interface HwmonChannel {
  readonly chip: string;
  readonly path: string;
  /** 1 .. 3 on an INA3221, 1 elsewhere. */
  readonly channel: number;
  readonly label: string;
}

function fieldOf(path: string, name: string): string | undefined {
  try {
    return readFileSync(join(path, name), 'utf8').trim();
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw new HardwareError(
      'SOURCE_DENIED',
      { source: 'hwmon', path: join(path, name), detail: detailOf(error) },
      { cause: error },
    );
  }
}

function numberIn(path: string, name: string): number {
  const text = fieldOf(path, name);
  const value = Number(text ?? Number.NaN);
  if (text !== undefined && text !== '' && Number.isFinite(value)) return value;
  throw new HardwareError('SOURCE_PAYLOAD', {
    source: 'hwmon',
    expected: `a number in ${join(path, name)}`,
    got: text ?? 'none',
  });
}

/** The sensors of the machine; empty when there are none. */
export function listHwmon(root: string = HWMON_ROOT): HwmonChannel[] {
  let entries: string[];
  try {
    entries = readdirSync(root);
  } catch {
    return [];
  }
  return entries.sort().flatMap((entry) => {
    const path = join(root, entry);
    const chip = fieldOf(path, 'name') ?? '';
    if (!CHIPS.includes(chip)) return [];
    const channels = chip === 'ina3221' ? [1, 2, 3] : [1];
    return channels
      .filter((channel) => chip !== 'ina3221' || fieldOf(path, `curr${channel}_input`) !== undefined)
      .map((channel) => ({
        chip,
        path,
        channel,
        label: fieldOf(path, `in${channel}_label`) ?? `${chip} channel ${channel}`,
      }));
  });
}

/** Power of a channel now, in W: the chip's own product, or bus voltage times current. */
export function readHwmonW(channel: HwmonChannel): number {
  const { chip, path, channel: number } = channel;
  if (chip !== 'ina3221' && fieldOf(path, 'power1_input') !== undefined) return numberIn(path, 'power1_input') / 1e6;
  // Channel 1 of an INA2xx has the shunt as in0 and the bus as in1; the INA3221 numbers buses 1 to 3.
  return (numberIn(path, `in${number}_input`) / 1e3) * (numberIn(path, `curr${number}_input`) / 1e3);
}

class HwmonSource implements PowerSource {
  readonly properties: SourceProperties;
  readonly #channel: HwmonChannel;
  readonly #intervalS: number;

  constructor(channel: HwmonChannel, intervalS: number | undefined) {
    const updateMs = fieldOf(channel.path, 'update_interval');
    const refreshS = updateMs === undefined ? undefined : Number(updateMs) / 1e3;
    this.#channel = channel;
    this.#intervalS = intervalS ?? Math.max(0.002, refreshS ?? 0.01);
    const shared = {
      rule: 'instant',
      clock: 'ours',
      resolution: undefined,
      estimate: false,
      synthetic: false,
    } as const;
    this.properties = { name: `hwmon ${channel.label}`, refreshS, ...shared };
  }

  readings(signal: AbortSignal): AsyncIterable<Reading> {
    return pollReadings(() => readHwmonW(this.#channel), this.#intervalS, signal);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/**
 * Opens a sensor by its label, or the only one.
 * @throws HardwareError NO_SOURCE, and ARGUMENT when there are several and none is named
 */
export function openHwmon(
  options: { readonly label?: string; readonly intervalS?: number; readonly root?: string } = {},
): PowerSource {
  const root = options.root ?? HWMON_ROOT;
  const all = listHwmon(root);
  const chosen = options.label === undefined ? all : all.filter(({ label }) => label === options.label);
  const [channel] = chosen;
  if (channel === undefined)
    throw new HardwareError('NO_SOURCE', { source: options.label ?? 'INA sensor', path: root });
  if (chosen.length > 1) {
    const expected = `one of ${all.map(({ label }) => label).join(', ')}`;
    throw new HardwareError('ARGUMENT', { what: 'sensor', expected, got: options.label ?? 'none' });
  }
  readHwmonW(channel);
  return new HwmonSource(channel, options.intervalS);
}
