/**
 * What the machine says of its own state before and after a session: clocks, heat, load, corrections of its time. What it
 * does not say is undefined, never a value that would pass. Linux; a Raspberry Pi's firmware through vcgencmd.
 * Sources: docs.kernel.org cpu-freq, hwmon, proc(5), adjtimex(2); the bits of get_throttled by raspberrypi.com.
 */

import { execFile } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { readTimeCorrection, type TimeCorrection } from './time-correction.ts';

const run = promisify(execFile);

/** Ticks of all CPUs since the start of the machine. */
export interface CpuTicks {
  readonly busy: number;
  readonly steal: number;
  readonly all: number;
}

/** One reading of the machine. */
export interface MachineReading {
  /** Wall and monotonic time of the reading, in seconds. */
  readonly wallS: number;
  readonly monotonicS: number;
  /** Of each CPU that has one, in order. */
  readonly governors?: readonly string[];
  readonly frequencyKhz?: readonly number[];
  /** Bits of the firmware: 0 under-voltage, 1 capped, 2 throttled, 3 soft limit now; 16 to 19 since the start. */
  readonly throttledBits?: number;
  /** Times a core of an x86 was throttled, all cores together. */
  readonly throttleCount?: number;
  /** Under-voltage alarm of a Pi's hwmon. */
  readonly underVoltage?: boolean;
  /** Warmest thermal zone, in degrees Celsius. */
  readonly temperatureC?: number;
  readonly ticks?: CpuTicks;
  /** Share of all CPUs that was busy while the reading waited. */
  readonly busyShare?: number;
  readonly correction?: TimeCorrection;
}

/** Where and how to read; other places are for tests. */
export interface ReadingOptions {
  readonly sys?: string;
  readonly proc?: string;
  readonly vcgencmd?: string;
  /** How long the load is watched, in seconds; default 1. */
  readonly watchS?: number;
  readonly readCorrection?: () => Promise<TimeCorrection | undefined>;
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function numberOf(path: string): number | undefined {
  const text = textOf(path);
  const value = text === undefined || text === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : undefined;
}

function entriesOf(path: string, pattern: RegExp): string[] {
  try {
    return readdirSync(path)
      .filter((entry) => pattern.test(entry))
      .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  } catch {
    return [];
  }
}

/** What each entry says; undefined when none says anything. */
function each<Value>(entries: readonly string[], read: (entry: string) => Value | undefined): Value[] | undefined {
  const values = entries.map(read).filter((value) => value !== undefined);
  return values.length === 0 ? undefined : values;
}

/** @returns undefined for a text that is not that of /proc/stat */
export function parseCpuTicks(stat: string): CpuTicks | undefined {
  const fields = /^cpu +([\d ]+)$/m.exec(stat)?.[1]?.trim().split(/ +/).map(Number);
  if (fields === undefined || fields.length < 8) return undefined;
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softirq = 0, steal = 0] = fields;
  const busy = user + nice + system + irq + softirq;
  return { busy, steal, all: busy + idle + wait + steal };
}

async function throttledBits(command: string, sys: string): Promise<number | undefined> {
  try {
    const { stdout } = await run(command, ['get_throttled'], { timeout: 2000 });
    const bits = /^throttled=(0x[0-9a-f]+)$/im.exec(stdout)?.[1];
    if (bits !== undefined) return Number(bits);
  } catch {
    // No firmware to ask, or it may not be asked: the kernel may say it.
  }
  const text = textOf(join(sys, 'devices/platform/soc/soc:firmware/get_throttled'));
  return text !== undefined && /^[0-9a-f]+$/i.test(text) ? Number.parseInt(text, 16) : undefined;
}

function underVoltage(sys: string): boolean | undefined {
  const root = join(sys, 'class/hwmon');
  const chip = entriesOf(root, /^hwmon\d+$/).find((entry) => textOf(join(root, entry, 'name')) === 'rpi_volt');
  const alarm = chip === undefined ? undefined : numberOf(join(root, chip, 'in0_lcrit_alarm'));
  return alarm === undefined ? undefined : alarm !== 0;
}

function temperatureC(sys: string): number | undefined {
  const root = join(sys, 'class/thermal');
  const zones = each(entriesOf(root, /^thermal_zone\d+$/), (zone) => numberOf(join(root, zone, 'temp')));
  return zones === undefined ? undefined : Math.max(...zones) / 1e3;
}

function clocksOf(sys: string): Pick<MachineReading, 'governors' | 'frequencyKhz' | 'throttleCount'> {
  const root = join(sys, 'devices/system/cpu');
  const cpus = entriesOf(root, /^cpu\d+$/);
  const governors = each(cpus, (cpu) => textOf(join(root, cpu, 'cpufreq/scaling_governor')));
  const frequencyKhz = each(cpus, (cpu) => numberOf(join(root, cpu, 'cpufreq/scaling_cur_freq')));
  const counts = each(cpus, (cpu) => numberOf(join(root, cpu, 'thermal_throttle/core_throttle_count')));
  return {
    ...(governors === undefined ? {} : { governors }),
    ...(frequencyKhz === undefined ? {} : { frequencyKhz }),
    ...(counts === undefined ? {} : { throttleCount: counts.reduce((sum, count) => sum + count, 0) }),
  };
}

/** Reads the machine; watches its load for `watchS` meanwhile, so the caller is to be idle. Rejects for nothing. */
export async function readMachine(options: ReadingOptions = {}): Promise<MachineReading> {
  const { sys = '/sys', proc = '/proc', vcgencmd = 'vcgencmd', watchS = 1 } = options;
  const ticksNow = (): CpuTicks | undefined => parseCpuTicks(textOf(join(proc, 'stat')) ?? '');
  const from = ticksNow();
  await sleep(watchS * 1e3);
  const ticks = ticksNow();
  const watched = from === undefined || ticks === undefined ? 0 : ticks.all - from.all;
  const bits = await throttledBits(vcgencmd, sys);
  const alarm = underVoltage(sys);
  const warmestC = temperatureC(sys);
  const correction = await (options.readCorrection ?? readTimeCorrection)();
  return {
    wallS: Date.now() / 1e3,
    monotonicS: Number(process.hrtime.bigint()) / 1e9,
    ...clocksOf(sys),
    ...(bits === undefined ? {} : { throttledBits: bits }),
    ...(alarm === undefined ? {} : { underVoltage: alarm }),
    ...(warmestC === undefined ? {} : { temperatureC: warmestC }),
    ...(ticks === undefined ? {} : { ticks }),
    ...(watched > 0 && ticks !== undefined && from !== undefined
      ? { busyShare: (ticks.busy - from.busy) / watched }
      : {}),
    ...(correction === undefined ? {} : { correction }),
  };
}
