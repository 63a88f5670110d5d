/** The energies of a run as rows: a line of energy.ndjson for each window. Each says whether its power was measured at all. */

import type { Energy, ReasonCode } from '../../hardware/analysis/energy.ts';
import type { MeasuredWindow } from './joules.ts';

/** One window as a line of energy.ndjson and of energy.csv; energies in J, times in s. */
export interface EnergyRow {
  readonly run: string;
  readonly id: string;
  readonly kind: MeasuredWindow['kind'];
  readonly phase: string | null;
  readonly block: number;
  readonly target: string;
  readonly function: string;
  readonly input: string;
  readonly calls: number;
  readonly failed: number;
  readonly state: MeasuredWindow['state'];
  readonly verdict: MeasuredWindow['verdict'];
  /** What is against resolving the window by itself. */
  readonly reasons: readonly string[];
  readonly reasonCodes: readonly ReasonCode[];
  /** On the trace's clock. */
  readonly startS: number;
  readonly durationS: number;
  readonly samples: number;
  readonly uncoveredS: number;
  readonly grossJ: number | null;
  readonly grossLowJ: number | null;
  readonly grossHighJ: number | null;
  /** Without the machine's idle power; negative ones stay. */
  readonly netJ: number | null;
  readonly netLowJ: number | null;
  readonly netHighJ: number | null;
  readonly idleW: number | null;
  readonly idleExtrapolated: boolean;
  readonly synthetic: boolean;
}

/** @param synthetic whether anything that the windows follow from was made up */
export function energyRows(run: string, windows: readonly MeasuredWindow[], synthetic: boolean): EnergyRow[] {
  return windows.map(({ kind, record, phase, state, calls, window, energy, verdict }) => ({
    run,
    id: record.id,
    kind,
    phase: phase ?? null,
    block: record.block,
    target: record.target,
    function: record.function,
    input: record.input,
    calls,
    failed: record.failed,
    state,
    verdict,
    reasons: energy.reasons.map(({ text }) => text),
    reasonCodes: energy.reasons.map(({ code }) => code),
    startS: window.startS,
    durationS: energy.durationS,
    samples: energy.samples,
    uncoveredS: energy.uncoveredS,
    ...fieldsOf('gross', energy.gross),
    ...fieldsOf('net', energy.net),
    idleW: energy.idleW ?? null,
    idleExtrapolated: energy.idleExtrapolated,
    synthetic: synthetic || energy.synthetic,
  }));
}

type Bounds<Name extends string> = Readonly<Record<`${Name}J` | `${Name}LowJ` | `${Name}HighJ`, number | null>>;

function fieldsOf<Name extends string>(name: Name, energy: Energy | undefined): Bounds<Name> {
  return {
    [`${name}J`]: energy?.valueJ ?? null,
    [`${name}LowJ`]: energy?.lowJ ?? null,
    [`${name}HighJ`]: energy?.highJ ?? null,
  } as Bounds<Name>;
}

/** The rows as CSV (RFC 4180); reasons are told apart by semicolons. */
export function energyCsv(rows: readonly EnergyRow[]): string {
  const [first] = rows;
  if (first === undefined) return '';
  const columns = Object.keys(first) as (keyof EnergyRow)[];
  const lines = rows.map((row) => columns.map((column) => cellOf(row[column])).join(','));
  return `${[columns.join(','), ...lines].join('\r\n')}\r\n`;
}

function cellOf(value: EnergyRow[keyof EnergyRow]): string {
  const text = Array.isArray(value) ? value.join('; ') : value === null ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
