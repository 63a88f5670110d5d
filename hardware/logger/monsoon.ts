/**
 * CSV of Monsoon's power monitors: the enabled ones of `Time(ms),Main(mA),USB(mA),Aux(mA),Main Voltage(V),USB Voltage(V)`.
 * The main channel is read, 5,000 samples a second at most. PyMonsoon ends each row with a comma, writes seconds under
 * `Time(ms)`, and stamps all samples of a USB packet alike, when the packet came. Source: msoon/PyMonsoon, sampleEngine.py.
 */

import { HardwareError } from '../instrument/errors.ts';
import { EvenSamples } from './even-samples.ts';
import { LogBuilder, numberOf, type ImportOptions, type LogParser } from './log.ts';
import { TableParser, formatError } from './table.ts';

const format = 'monsoon-csv';
const MOST_HZ = 5000;

/** Whether times are seconds: as milliseconds they would be of more samples a second than there are, or PyMonsoon wrote them. */
function isSeconds(samples: EvenSamples, columns: readonly string[]): boolean {
  const perUnit = (samples.length - 1) / samples.span;
  return columns.at(-1) === '' || perUnit * 1000 > 1.1 * MOST_HZ;
}

/** Reads the main channel. */
export function monsoonParser(options: ImportOptions): LogParser {
  const builder = new LogBuilder();
  const samples = new EvenSamples(format);
  return new TableParser({
    format,
    separator: ',',
    builder,
    open(columns, place) {
      const [time, current, voltage] = [place('Time(ms)'), place('Main(mA)'), place('Main Voltage(V)')];
      if (time < 0 || current < 0) throw formatError(format, 'columns Time(ms) and Main(mA)', columns.join(','));
      const vddV = voltage < 0 ? options.vddV : undefined;
      if (voltage < 0 && vddV === undefined) throw new HardwareError('LOG_VOLTAGE', { format });
      return {
        row(fields) {
          const stamp = numberOf(fields[time]);
          const currentMa = numberOf(fields[current]);
          const volts = voltage >= 0 ? numberOf(fields[voltage]) : vddV;
          if (stamp === undefined || currentMa === undefined || volts === undefined) return false;
          samples.add(stamp, (currentMa / 1e3) * volts);
          return true;
        },
        finish() {
          if (isSeconds(samples, columns)) samples.addEven(builder);
          // Whole milliseconds, of which each has some samples.
          else if (samples.shares) samples.addEven(builder, 1e-3);
          else samples.addStamped(builder, 1e-3);
          return builder.finish({
            source: 'Monsoon',
            rule: 'instant',
            clock: 'logger',
            synthetic: false,
            limits: { format, leastHz: 0.1, mostHz: MOST_HZ },
          });
        },
      };
    },
  });
}
