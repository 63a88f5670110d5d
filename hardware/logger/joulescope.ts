/**
 * Joulescope's two CSV exports. Statistics: `#time,current,voltage,power,charge,energy`, the energy counted from 0 at the
 * start, the time relative, UTC or left out. Waveform: `# time,<device>.<quantity>,...` with GPI as 0 .. 3, decimated, so
 * that an input may lie between its levels. Source: jetperch/pyjoulescope_ui.
 */

import { LogBuilder, numberOf, type ImportOptions, type LogParser } from './log.ts';
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
  return new TableParser({
    format,
    separator: ',',
    builder,
    open(columns): TableFormat {
      const names = bare(columns);
      const time = names.indexOf('time');
      const energy = names.indexOf('energy');
      const { sampleS } = options;
      if (energy < 0) throw formatError(format, 'a column energy', columns.join(','));
      if (time < 0 && sampleS === undefined) {
        throw formatError(format, 'a column time, or the sampling interval', columns.join(','));
      }
      let row = 0;
      return {
        row(fields) {
          const index = row++;
          const timeS = time >= 0 ? joulescopeTimeS(fields[time]) : index * (sampleS ?? 0);
          const energyJ = numberOf(fields[energy]);
          if (timeS === undefined || energyJ === undefined) return false;
          builder.add(timeS, energyJ);
          return true;
        },
        finish: () => builder.finish({ source: 'Joulescope', rule: 'counter', clock: 'logger', synthetic: false }),
      };
    },
  });
}

/** Reads a waveform: power, or current times voltage; inputs against a threshold of one half. */
export function joulescopeWaveformParser(options: ImportOptions): LogParser {
  const format = 'joulescope-waveform';
  const builder = new LogBuilder();
  return new TableParser({
    format,
    separator: ',',
    builder,
    open(columns): TableFormat {
      const names = bare(columns);
      const placeOf = (quantity: string): number => names.findIndex((name) => name.endsWith(`.${quantity}`));
      const time = names.indexOf('time');
      const [power, current, voltage] = [placeOf('p'), placeOf('i'), placeOf('v')];
      if (time < 0 || (power < 0 && (current < 0 || (voltage < 0 && options.vddV === undefined)))) {
        throw formatError(format, 'columns time and .p, or .i and .v', columns.join(','));
      }
      const inputs = ['0', '1', '2', '3', 't']
        .map((name) => [`GPI${name}`, placeOf(name)] as const)
        .filter(([, at]) => at >= 0);
      return {
        row(fields) {
          const timeS = numberOf(fields[time]);
          const amperes = numberOf(fields[current]);
          const volts = voltage >= 0 ? numberOf(fields[voltage]) : options.vddV;
          const product = amperes === undefined || volts === undefined ? undefined : amperes * volts;
          const powerW = power >= 0 ? numberOf(fields[power]) : product;
          if (timeS === undefined || powerW === undefined) return false;
          if (!builder.add(timeS, powerW)) return true;
          for (const [name, place] of inputs) {
            const level = numberOf(fields[place]);
            builder.level(name, timeS, level === undefined ? '-' : level >= 0.5 ? 1 : 0);
          }
          return true;
        },
        finish: () => builder.finish({ source: 'Joulescope', rule: 'instant', clock: 'logger', synthetic: false }),
      };
    },
  });
}
