/**
 * Nebula's own log: a CSV whose header names the units, `t_s,power_w[,voltage_v,current_a][,d0..d7]` or with `energy_j` for
 * a counter, and a sidecar in JSON that says what no column can. hardware/README.md has both. Read and written here.
 */

import { HardwareError, detailOf } from '../instrument/errors.ts';
import { hostFields, hostOf } from '../instrument/host.ts';
import type { PowerTrace, SampleRule, TraceClock } from '../analysis/trace.ts';
import type { DigitalLevel } from './digital-line.ts';
import { LogBuilder, numberOf, type LogParser } from './log.ts';
import { Agreement } from './physics.ts';
import { TableParser, formatError } from './table.ts';

const FORMAT = 'nebula-csv';

/** In the place of a value: from the row before to the row after nothing is known. */
export const LOST = 'lost';

/** What stands beside a log, as FILE.json. */
export interface Sidecar {
  readonly source: string;
  readonly rule: SampleRule;
  readonly clock: TraceClock;
  readonly synthetic: boolean;
  readonly refresh_s?: number;
  readonly resolution?: number;
  /** How long a change of power needs to be all in a value, beyond the refresh. */
  readonly lag_s?: number;
  /** A longer interval between two rows is a gap. */
  readonly gap_s?: number;
  /** What a counter counts to, in J. */
  readonly range_j?: number;
  /** Whose monotonic clock the times are of: a log without both is tied to marks by its edges. */
  readonly boot_id?: string;
  readonly machine_id?: string;
}

const RULES: readonly unknown[] = ['instant', 'average', 'counter'] satisfies SampleRule[];
const CLOCKS: readonly unknown[] = ['logger', 'host-monotonic', 'host-realtime'] satisfies TraceClock[];

/** Greatest number of a field: of a gap what the slowest source has (`polledGapS` of 3600 s), of others any that is finite. */
const MOST: Readonly<Record<string, number>> = { gap_s: 5400 };

/** @throws HardwareError LOG_FORMAT naming the field that is wrong */
export function parseSidecar(text: string): Sidecar {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new HardwareError(
      'LOG_FORMAT',
      { format: FORMAT, expected: 'a sidecar in JSON', got: detailOf(error) },
      { cause: error },
    );
  }
  const fields = (parsed ?? {}) as Readonly<Record<string, unknown>>;
  const refuse = (name: string, expected: string): never => {
    throw formatError(FORMAT, `${name}: ${expected} in the sidecar`, JSON.stringify(fields[name]) ?? 'nothing');
  };
  if (typeof fields['source'] !== 'string' || fields['source'] === '') refuse('source', 'a name');
  if (!RULES.includes(fields['rule'])) refuse('rule', RULES.join(', '));
  if (!CLOCKS.includes(fields['clock'])) refuse('clock', CLOCKS.join(', '));
  if (typeof fields['synthetic'] !== 'boolean') refuse('synthetic', 'true or false');
  for (const name of ['refresh_s', 'resolution', 'lag_s', 'gap_s', 'range_j']) {
    const value = fields[name];
    const most = MOST[name] ?? Number.MAX_VALUE;
    if (value !== undefined && !(typeof value === 'number' && value >= 0 && value <= most)) {
      refuse(name, name in MOST ? `a number from 0 to ${most}` : 'a finite number of at least 0');
    }
  }
  for (const name of ['boot_id', 'machine_id']) {
    const value = fields[name];
    if (value !== undefined && (typeof value !== 'string' || value === '')) refuse(name, 'an id');
  }
  return parsed as Sidecar;
}

const LEVELS: ReadonlyMap<string, DigitalLevel> = new Map<string, DigitalLevel>([
  ['0', 0],
  ['1', 1],
  ['X', 'X'],
  ['-', '-'],
]);
const INPUTS: readonly string[] = ['d0', 'd1', 'd2', 'd3', 'd4', 'd5', 'd6', 'd7'];

/** Reads our own CSV, by what its sidecar says. */
export function nebulaCsvParser(sidecar: Sidecar): LogParser {
  const builder = new LogBuilder();
  const product = new Agreement();
  return new TableParser({
    format: FORMAT,
    separator: ',',
    builder,
    open(columns, place) {
      const quantity = sidecar.rule === 'counter' ? 'energy_j' : 'power_w';
      const time = place('t_s');
      const value = place(quantity);
      if (time < 0 || value < 0) throw formatError(FORMAT, `columns t_s and ${quantity}`, columns.join(','));
      const [volts, amperes] = sidecar.rule === 'counter' ? [-1, -1] : [place('voltage_v'), place('current_a')];
      const inputs = INPUTS.map((name) => [name, place(name)] as const).filter(([, at]) => at >= 0);
      return {
        row(fields) {
          const timeS = numberOf(fields[time]);
          if (timeS !== undefined && fields[value]?.trim() === LOST) {
            builder.lost(1);
            return true;
          }
          const amount = numberOf(fields[value]);
          const levels = inputs.map(([name, at]) => [name, LEVELS.get(fields[at]?.trim() ?? '')] as const);
          if (timeS === undefined || amount === undefined) return false;
          if (levels.some(([, level]) => level === undefined)) return false;
          const [voltageV, currentA] = [numberOf(fields[volts]), numberOf(fields[amperes])];
          product.add(amount, voltageV === undefined || currentA === undefined ? undefined : voltageV * currentA);
          if (!builder.add(timeS, amount)) return true;
          for (const [name, level] of levels) builder.level(name, timeS, level as DigitalLevel);
          return true;
        },
        finish() {
          product.require(FORMAT, 'power_w as voltage_v times current_a');
          return builder.finish({
            source: sidecar.source,
            rule: sidecar.rule,
            clock: sidecar.clock,
            synthetic: sidecar.synthetic,
            host: hostOf({ ...sidecar }),
            ...(sidecar.refresh_s === undefined ? {} : { refreshS: sidecar.refresh_s }),
            ...(sidecar.resolution === undefined ? {} : { resolution: sidecar.resolution }),
            ...(sidecar.lag_s === undefined ? {} : { lagS: sidecar.lag_s }),
            ...(sidecar.gap_s === undefined ? {} : { gapS: sidecar.gap_s }),
            ...(sidecar.range_j === undefined ? {} : { rangeJ: sidecar.range_j }),
          });
        },
      };
    },
  });
}

/** The sidecar of a trace that `nebulaCsvRows` writes. */
export function sidecarOf(trace: PowerTrace): Sidecar {
  const { source, rule, clock, synthetic, refreshS, resolution, lagS, gapS, host } = trace;
  const known = { ...(lagS === undefined ? {} : { lag_s: lagS }), ...(gapS === undefined ? {} : { gap_s: gapS }) };
  return { source, rule, clock, synthetic, refresh_s: refreshS, resolution, ...known, ...hostFields(host) };
}

/** A trace as rows with their ends, header first; a break is a row whose value is `lost`. */
export function* nebulaCsvRows(trace: PowerTrace): Generator<string> {
  const breaks = new Set(trace.breaks);
  yield trace.rule === 'counter' ? 't_s,energy_j\n' : 't_s,power_w\n';
  for (let index = 0; index < trace.timeS.length; index++) {
    yield `${trace.timeS[index]},${trace.value[index]}\n`;
    if (breaks.has(index)) yield `${trace.timeS[index]},${LOST}\n`;
  }
}
