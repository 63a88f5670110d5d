/**
 * Joulescope's two CSV exports. Statistics: `#time,current,voltage,power,charge,energy`, the energy counted from 0 at the
 * start, the time relative, UTC or left out. Waveform: `# time,<device>.<quantity>,...` with GPI as 0 .. 3, decimated, so
 * that an input may lie between its levels. Source: jetperch/pyjoulescope_ui.
 */

import { LogBuilder, numberOf, type ImportOptions, type LogParser } from './log.ts';
import { Agreement } from './physics.ts';
import { TableParser, formatError, type TableFormat } from './table.ts';

const UTC = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\.\d+)?Z$/;

/** Seconds of a relative or a UTC time. */
function joulescopeTimeS(field: string | undefined): number | undefined {
  const text = field?.trim() ?? '';
  const parts = UTC.exec(text);
  if (parts === null) return numberOf(text);
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return Date.UTC(year, month - 1, day, hour, minute, second) / 1e3 + Number(parts[7] ?? 0);
}

/** Columns without the mark and blanks before the first one. */
function bare(columns: readonly string[]): string[] {
  return columns.map((column) => column.replace(/^#\s*/, '').trim().toLowerCase());
}

/** Reads statistics: the energy column as a counter, so that a missing row loses nothing. */
export function joulescopeStatisticsParser(options: ImportOptions): LogParser {
  const format = 'joulescope-statistics';
  const builder = new LogBuilder();
  const inTime = new Agreement();
  return new TableParser({
    format,
    separator: ',',
    builder,
    open(columns): TableFormat {
      const names = bare(columns);
      const [time, energy, power] = ['time', 'energy', 'power'].map((name) => names.indexOf(name)) as [
        number,
        number,
        number,
      ];
      const sampleS = time < 0 ? options.sampleS : undefined;
      if (energy < 0) throw formatError(format, 'a column energy', columns.join(','));
      if (time < 0 && sampleS === undefined) {
        throw formatError(format, 'a column time, or the sampling interval', columns.join(','));
      }
      let row = 0;
      let last: { readonly timeS: number; readonly energyJ: number } | undefined;
      return {
        row(fields) {
          const index = row++;
          const timeS = time >= 0 ? joulescopeTimeS(fields[time]) : index * (sampleS ?? 0);
          const energyJ = numberOf(fields[energy]);
          if (timeS === undefined || energyJ === undefined) return false;
          const powerW = numberOf(fields[power]);
          if (last !== undefined && powerW !== undefined && energyJ > last.energyJ) {
            inTime.add(energyJ - last.energyJ, powerW * (timeS - last.timeS));
          }
          last = { timeS, energyJ };
          builder.add(timeS, energyJ);
          return true;
        },
        finish() {
          inTime.require(format, 'energy as power in time');
          const limits = { format, leastHz: 0.001, mostHz: 1000 };
          return builder.finish({ source: 'Joulescope', rule: 'counter', clock: 'logger', synthetic: false, limits });
        },
      };
    },
  });
}

/** Where the quantities of one instrument stand; -1 for one that is not there. */
interface WaveformPlaces {
  readonly time: number;
  readonly power: number;
  readonly current: number;
  readonly voltage: number;
  readonly inputs: readonly (readonly [name: string, place: number])[];
}

const deviceOf = (name: string): string => name.slice(0, name.lastIndexOf('.'));

/** @param channel the instrument, which must be named where a file has several */
function waveformPlaces(format: string, columns: readonly string[], channel: () => string | undefined): WaveformPlaces {
  const names = bare(columns);
  const quantities = names.filter((name) => /\.[ivp0-3t]$/.test(name));
  const devices = [...new Set(quantities.map(deviceOf))];
  const wanted = devices.length > 1 ? channel() : (channel() ?? devices[0]);
  const device = devices.find((each) => each === wanted?.toLowerCase());
  if (device === undefined && devices.length > 0) {
    const expected = 'the channel to be named, one of the instruments (--channel)';
    throw formatError(format, expected, devices.join(', '));
  }
  const placeOf = (quantity: string): number => names.indexOf(`${device ?? ''}.${quantity}`);
  return {
    time: names.indexOf('time'),
    power: placeOf('p'),
    current: placeOf('i'),
    voltage: placeOf('v'),
    inputs: ['0', '1', '2', '3', 't'].map((name) => [`GPI${name}`, placeOf(name)] as const).filter(([, at]) => at >= 0),
  };
}

/** Reads a waveform: power, or current times voltage; inputs against a threshold of one half. */
export function joulescopeWaveformParser(options: ImportOptions): LogParser {
  const format = 'joulescope-waveform';
  const builder = new LogBuilder();
  const product = new Agreement();
  return new TableParser({
    format,
    separator: ',',
    builder,
    open(columns): TableFormat {
      const { time, power, current, voltage, inputs } = waveformPlaces(format, columns, () => options.channel);
      const vddV = power < 0 && voltage < 0 ? options.vddV : undefined;
      if (time < 0 || (power < 0 && (current < 0 || (voltage < 0 && vddV === undefined)))) {
        throw formatError(format, 'columns time and .p, or .i and .v', columns.join(','));
      }
      return {
        row(fields) {
          const timeS = numberOf(fields[time]);
          const amperes = numberOf(fields[current]);
          const volts = voltage >= 0 ? numberOf(fields[voltage]) : vddV;
          const derivedW = amperes === undefined || volts === undefined ? undefined : amperes * volts;
          const powerW = power >= 0 ? numberOf(fields[power]) : derivedW;
          if (timeS === undefined || powerW === undefined) return false;
          product.add(powerW, derivedW);
          if (!builder.add(timeS, powerW)) return true;
          for (const [name, place] of inputs) {
            const level = numberOf(fields[place]);
            builder.level(name, timeS, level === undefined ? '-' : level >= 0.5 ? 1 : 0);
          }
          return true;
        },
        finish() {
          product.require(format, 'power as volts times amperes');
          const limits = { format, leastHz: 0.001, mostHz: 2_000_000 };
          return builder.finish({ source: 'Joulescope', rule: 'instant', clock: 'logger', synthetic: false, limits });
        },
      };
    },
  });
}
