/**
 * Sensors of current and power on the board's own buses through Linux hwmon. Same clock as the markers, no alignment needed,
 * but reading them costs power inside the measurement. Channel n has the bus as inN, the current as currN, and, where the chip
 * multiplies itself, powerN; the one channel of an INA2xx has its shunt as in0. Units: docs.kernel.org/hwmon (mV, mA, uW,
 * update_interval in ms), Documentation/ABI/testing/sysfs-class-hwmon for `label`.
 */

import { readFileSync, readdirSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';
import { HardwareError, detailOf, systemCodeOf } from '../instrument/errors.ts';
import { polledGapS, pollReadings, type PowerSource, type Reading, type SourceProperties } from './power-source.ts';

/** Where the kernel shows sensors. */
export const HWMON_ROOT = '/sys/class/hwmon';

/** Drivers' names of chips that measure a supply, with how many channels they have. */
const CHIPS: Readonly<Record<string, number>> = {
  ina219: 1,
  ina220: 1,
  ina226: 1,
  ina228: 1,
  ina230: 1,
  ina231: 1,
  ina234: 1,
  ina237: 1,
  ina238: 1,
  ina260: 1,
  ina3221: 3,
  ina700: 1,
  ina780: 1,
  sq52206: 1,
  sy24655: 1,
  ltc2945: 1,
  ltc2947: 1,
  pac1931: 1,
  pac1932: 2,
  pac1933: 3,
  pac1934: 4,
};

/** One channel of a sensor. */
export interface HwmonChannel {
  readonly chip: string;
  readonly path: string;
  /** From 1. */
  readonly channel: number;
  /** By which it is opened; no two channels of a machine share one. */
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

/** Where the sensor is: bus and address of its device, `1-0040`; else its number, which another boot may give to another. */
function addressOf(path: string): string {
  try {
    return basename(realpathSync(join(path, 'device')));
  } catch {
    return basename(path);
  }
}

function channelsOf(path: string): HwmonChannel[] {
  const chip = fieldOf(path, 'name') ?? '';
  const known = Object.hasOwn(CHIPS, chip) ? (CHIPS[chip] as number) : 0;
  const of = fieldOf(path, 'label');
  return Array.from({ length: known }, (_, index) => index + 1)
    .filter((channel) => known === 1 || fieldOf(path, `curr${channel}_input`) !== undefined)
    .map((channel) => {
      const own = ['in', 'curr', 'power']
        .map((kind) => fieldOf(path, `${kind}${channel}_label`))
        .find((label) => label);
      const ofDevice = of === undefined || known === 1 ? of : `${of} channel ${channel}`;
      return { chip, path, channel, label: own ?? ofDevice ?? `${chip} channel ${channel}` };
    });
}

/** The sensors of the machine; empty when there are none. Where labels are alike, addresses tell them apart. */
export function listHwmon(root: string = HWMON_ROOT): HwmonChannel[] {
  let entries: string[];
  try {
    entries = readdirSync(root);
  } catch {
    return [];
  }
  const all = entries
    .sort(new Intl.Collator('en', { numeric: true }).compare)
    .flatMap((entry) => channelsOf(join(root, entry)));
  return all.map((channel) => {
    const alike = all.filter(({ label }) => label === channel.label);
    if (alike.length === 1) return channel;
    const address = addressOf(channel.path);
    const isShared = alike.some((other) => other !== channel && addressOf(other.path) === address);
    const number = isShared ? ` channel ${channel.channel}` : '';
    return { ...channel, label: `${channel.label} at ${address}${number}` };
  });
}

/** Power of a channel now, in W: the chip's own product, or bus voltage times current. */
export function readHwmonW(channel: HwmonChannel): number {
  const { path, channel: number } = channel;
  if (fieldOf(path, `power${number}_input`) !== undefined) return numberIn(path, `power${number}_input`) / 1e6;
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
    // Timers of Node come late by a millisecond or two: below ten of them no interval is kept.
    this.#intervalS = intervalS ?? Math.max(0.01, refreshS ?? 0);
    const shared = {
      rule: 'instant',
      clock: 'ours',
      resolution: undefined,
      estimate: false,
      synthetic: false,
    } as const;
    // A value is the mean of the conversions since the one before.
    const lag = refreshS === undefined ? {} : { lagS: refreshS };
    this.properties = {
      name: `hwmon ${channel.label}`,
      refreshS,
      gapS: polledGapS(this.#intervalS),
      ...lag,
      ...shared,
    };
  }

  readings(signal: AbortSignal): AsyncIterable<Reading> {
    return pollReadings(() => readHwmonW(this.#channel), this.#intervalS, signal);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Whether a text names a channel: its label, or the address of a sensor that has one. */
function isNamed(channel: HwmonChannel, text: string): boolean {
  return channel.label === text || addressOf(channel.path) === text;
}

/**
 * Opens a sensor by its label or address, or the only one.
 * @throws HardwareError NO_SOURCE, and ARGUMENT when there are several and none is named
 */
export function openHwmon(
  options: { readonly label?: string; readonly intervalS?: number; readonly root?: string } = {},
): PowerSource {
  const root = options.root ?? HWMON_ROOT;
  const all = listHwmon(root);
  const { label } = options;
  const chosen = label === undefined ? all : all.filter((channel) => isNamed(channel, label));
  const [channel] = chosen;
  if (channel === undefined) {
    throw new HardwareError('NO_SOURCE', { source: label ?? 'sensor of current', path: root });
  }
  if (chosen.length > 1) {
    const expected = `one of ${chosen.map((each) => each.label).join(', ')}`;
    throw new HardwareError('ARGUMENT', { what: 'sensor', expected, got: label ?? 'none' });
  }
  readHwmonW(channel);
  return new HwmonSource(channel, options.intervalS);
}
