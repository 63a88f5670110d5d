/**
 * Logs of the FNIRSI FNB58: over USB separated by blanks (baryluk/fnirsi-usb-power-data-logger), over Bluetooth as CSV
 * (fnb58). Times are those of the recording host, in seconds since 1970.
 */

import { LogBuilder, numberOf, type LogParser } from './log.ts';
import { TableParser, formatError } from './table.ts';

const CLOCK = 'host-realtime' as const;

/** Power as voltage times current, both instants. */
export function fnb58Parser(): LogParser {
  const format = 'fnb58';
  const builder = new LogBuilder();
  return new TableParser({
    format,
    separator: /\s+/,
    builder,
    open(columns, place) {
      const [time, voltage, current] = [place('timestamp'), place('voltage_V'), place('current_A')];
      if (time < 0 || voltage < 0 || current < 0) {
        throw formatError(format, 'columns timestamp, voltage_V and current_A', columns.join(' '));
      }
      return {
        row(fields) {
          const [timeS, volts, amperes] = [time, voltage, current].map((at) => numberOf(fields[at]));
          if (timeS === undefined || volts === undefined || amperes === undefined) return false;
          builder.add(timeS, volts * amperes);
          return true;
        },
        finish: () => builder.finish({ source: 'FNB58', rule: 'instant', clock: CLOCK, synthetic: false }),
      };
    },
  });
}

/** The meter's own power. */
export function fnb58BluetoothParser(): LogParser {
  const format = 'fnb58-ble';
  const builder = new LogBuilder();
  return new TableParser({
    format,
    separator: ',',
    builder,
    open(columns, place) {
      const [time, power] = [place('epoch'), place('power_W')];
      if (time < 0 || power < 0) throw formatError(format, 'columns epoch and power_W', columns.join(','));
      return {
        row(fields) {
          const [timeS, powerW] = [time, power].map((at) => numberOf(fields[at]));
          if (timeS === undefined || powerW === undefined) return false;
          builder.add(timeS, powerW);
          return true;
        },
        finish: () => builder.finish({ source: 'FNB58', rule: 'instant', clock: CLOCK, synthetic: false }),
      };
    },
  });
}
