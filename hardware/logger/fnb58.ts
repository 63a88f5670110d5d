/**
 * Logs of the FNIRSI FNB58: over USB separated by blanks (baryluk/fnirsi-usb-power-data-logger), over Bluetooth as CSV
 * (fnb58), where all meters in reach share a file. Times are those of the recording host, in seconds since 1970, when a
 * packet came; over USB an empty line and a header stand before each run of the logger.
 */

import { EvenSamples } from './even-samples.ts';
import { LogBuilder, numberOf, type ImportOptions, type ImportedLog, type LogParser } from './log.ts';
import { Agreement } from './physics.ts';
import { TableParser, formatError, type TableFormat } from './table.ts';

const CLOCK = 'host-realtime' as const;

function finishWith(builder: LogBuilder, samples: EvenSamples, format: string): ImportedLog {
  samples.addEven(builder);
  const limits = { format, leastHz: 1, mostHz: 1000 };
  return builder.finish({ source: 'FNB58', rule: 'instant', clock: CLOCK, synthetic: false, limits });
}

/** Power as voltage times current, both instants. */
export function fnb58Parser(): LogParser {
  const format = 'fnb58';
  const builder = new LogBuilder();
  const samples = new EvenSamples(format);
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
          if (fields[time] === columns[time]) return true;
          const [timeS, volts, amperes] = [time, voltage, current].map((at) => numberOf(fields[at]));
          if (timeS === undefined || volts === undefined || amperes === undefined) return false;
          samples.add(timeS, volts * amperes);
          return true;
        },
        finish: () => finishWith(builder, samples, format),
      };
    },
  });
}

/** The meter's own power. */
export function fnb58BluetoothParser(options: ImportOptions): LogParser {
  const format = 'fnb58-ble';
  const builder = new LogBuilder();
  const meters = new Map<string, EvenSamples>();
  const product = new Agreement();
  return new TableParser({
    format,
    separator: ',',
    builder,
    open(columns, place): TableFormat {
      const [time, power, device] = [place('epoch'), place('power_W'), place('device')];
      const [voltage, current] = [place('voltage_V'), place('current_A')];
      if (time < 0 || power < 0) throw formatError(format, 'columns epoch and power_W', columns.join(','));
      const wanted = device < 0 ? undefined : options.channel;
      return {
        row(fields) {
          const [timeS, powerW] = [time, power].map((at) => numberOf(fields[at]));
          if (timeS === undefined || powerW === undefined) return false;
          const [volts, amperes] = [numberOf(fields[voltage]), numberOf(fields[current])];
          product.add(powerW, volts === undefined || amperes === undefined ? undefined : volts * amperes);
          const name = fields[device]?.trim() ?? '';
          const samples = meters.get(name) ?? new EvenSamples(format);
          meters.set(name, samples);
          samples.add(timeS, powerW);
          return true;
        },
        finish() {
          const names = [...meters.keys()];
          const name = wanted ?? names[0];
          const samples = name === undefined ? undefined : meters.get(name);
          if (samples === undefined && wanted === undefined)
            return finishWith(builder, new EvenSamples(format), format);
          if (samples === undefined || (wanted === undefined && names.length > 1)) {
            throw formatError(format, 'the channel to be named, one of the meters (--channel)', names.join(', '));
          }
          product.require(format, 'power_W as volts times amperes');
          return finishWith(builder, samples, format);
        },
      };
    },
  });
}
