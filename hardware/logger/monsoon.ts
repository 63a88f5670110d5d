/**
 * CSV of Monsoon's power monitors: the enabled ones of `Time(ms),Main(mA),USB(mA),Aux(mA),Main Voltage(V),USB Voltage(V)`.
 * The main channel is read. Source: msoon/PyMonsoon.
 */

import { HardwareError } from '../instrument/errors.ts';
import { LogBuilder, numberOf, type ImportOptions, type LogParser } from './log.ts';
import { TableParser, formatError } from './table.ts';

/** Reads a CSV of Monsoon's PowerTool: main channel. */
export function monsoonParser(options: ImportOptions): LogParser {
  const format = 'monsoon-csv';
  const builder = new LogBuilder();
  return new TableParser({
    format,
    separator: ',',
    builder,
    open(columns, place) {
      const [time, current, voltage] = [place('Time(ms)'), place('Main(mA)'), place('Main Voltage(V)')];
      if (time < 0 || current < 0) throw formatError(format, 'columns Time(ms) and Main(mA)', columns.join(','));
      if (voltage < 0 && options.vddV === undefined) throw new HardwareError('LOG_VOLTAGE', { format });
      return {
        row(fields) {
          const timeMs = numberOf(fields[time]);
          const currentMa = numberOf(fields[current]);
          const volts = voltage >= 0 ? numberOf(fields[voltage]) : options.vddV;
          if (timeMs === undefined || currentMa === undefined || volts === undefined) return false;
          builder.add(timeMs / 1e3, (currentMa / 1e3) * volts);
          return true;
        },
        finish: () => builder.finish({ source: 'Monsoon', rule: 'instant', clock: 'logger', synthetic: false }),
      };
    },
  });
}
