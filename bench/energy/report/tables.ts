/** The tables of the energy part of a report, as cells of text. */

import { ratio, ratioInterval } from '../../compare/report/quantities.ts';
import type { Table } from '../../compare/report/tables.ts';
import { differenceOf, type SingleCallRatio } from '../single-calls.ts';
import type { EnergyMeasured, EnergyRatio } from '../summary.ts';
import type { Bounded } from '../bounded.ts';
import type { EnergyCell } from '../cells.ts';
import { energy, energyInterval, power, seconds } from './quantities.ts';

const UNITS: Readonly<Record<EnergyCell['unit'], string>> = {
  call: 'single calls',
  batch: 'batches',
  none: 'not resolvable',
};

const bounded = (value: Bounded | null): readonly [string, string] =>
  value === null ? ['-', '-'] : [energy(value.value), energyInterval(value)];

const NAMES = ['function', 'input', 'target'] as const;

/** Energy and power of a call on each cell. */
export function cellTable(measured: EnergyMeasured): Table {
  return {
    head: [...NAMES, 'from', 'calls', 'above idle', '95 % interval', 'with idle', 'time', 'power above idle'],
    lines: measured.cells.map((cell) => [
      cell.function,
      cell.input,
      cell.target,
      cell.model === 'line' ? `slope of ${cell.batches} batches` : UNITS[cell.unit],
      String(cell.calls),
      ...bounded(cell.netJ),
      bounded(cell.grossJ)[0],
      seconds(cell.durationS),
      power(cell.powerW),
    ]),
  };
}

const ratioText = (value: Bounded): string =>
  value.low === null && value.high === null
    ? `${ratio(value.value)} [no bounds]`
    : `${ratio(value.value)} ${ratioInterval(value)}`;

const conclusion = ({ different, reason, energy: found }: EnergyRatio): string => {
  if (reason !== null) return 'no bounds';
  if (!different) return 'no difference claimed';
  return found.value > 1 ? 'takes more' : 'takes less';
};

/** Energy, time and power ratios to the reference. */
export function ratioTable(measured: EnergyMeasured): Table {
  return {
    head: [...NAMES, 'energy ratio', '= time ratio', 'x power ratio', 'blocks', 'conclusion'],
    lines: measured.ratios.map((each) => [
      each.function,
      each.input,
      each.target,
      ratioText(each.energy),
      ratioText(each.time),
      ratioText(each.power),
      String(each.blocks),
      conclusion(each),
    ]),
  };
}

/** Phases of which single windows can be resolved; empty when none can. */
export function phaseTable(measured: EnergyMeasured): Table {
  return {
    head: [...NAMES, 'phase', 'above idle', '95 % interval', 'resolved alone'],
    lines: measured.cells.flatMap(({ function: name, input, target, phases }) =>
      phases
        .filter(({ netJ }) => netJ !== null)
        .map(({ phase, netJ, resolvable, windows }) => [
          name,
          input,
          target,
          phase,
          ...bounded(netJ),
          `${resolvable} of ${windows}`,
        ]),
    ),
  };
}

/** Single calls beside calls in the windows of their energies. */
export function singleCallTable(measured: EnergyMeasured): Table {
  return {
    head: [...NAMES, 'single call', 'teardown', 'rest', 'in its window', 'ratio of single calls', 'of windows', ''],
    lines: measured.singleCalls.flatMap((each) =>
      [each.reference, each.subject].map((times, side) => {
        const { teardownS, restS } = differenceOf(times);
        const ratios = side === 0 ? ['', '', ''] : [ratioText(each.single), ratioText(each.window), apart(each)];
        const target = side === 0 ? each.against : each.target;
        const parts = [times.singleS, times.teardownS === null ? null : teardownS, restS, times.windowS];
        return [each.function, each.input, target, ...parts.map((part) => seconds(part)), ...ratios];
      }),
    ),
  };
}

const apart = ({ differs }: SingleCallRatio): string => (differs ? 'differ' : '');

const stateName = (state: string): string => (state === 'host' ? "by the host's clock" : state);

/** How many windows of each target can be resolved, and how their times are known. */
export function verdictTable(measured: EnergyMeasured): Table {
  const states = [...new Set(measured.targets.flatMap((target) => Object.keys(target.states)))];
  return {
    head: [
      'target',
      'resolvable',
      'batch only',
      'unresolvable',
      ...states.map((state) => `times: ${stateName(state)}`),
    ],
    lines: measured.targets.map(({ target, verdicts, states: found }) => [
      target,
      String(verdicts.resolvable),
      String(verdicts['batch-only']),
      String(verdicts.unresolvable),
      ...states.map((state) => String(found[state] ?? 0)),
    ]),
  };
}

const BREAK_EVEN_HEAD: readonly string[] = [
  'function',
  'against',
  'noop in Wasm',
  'noop there',
  'a native second in Wasm',
  'a second there',
  'break-even run time',
  '95 % interval',
];

/** Break-evens in energy. */
export function breakEvenTable(measured: EnergyMeasured): Table {
  return {
    head: BREAK_EVEN_HEAD,
    lines: measured.breakEvens.map((each) => [
      `${each.function} ${each.input}`,
      each.native,
      energy(each.wasmFloorJ),
      energy(each.nativeFloorJ),
      energy(each.wasmW),
      energy(each.nativeW),
      breakEvenText(each.runS.value, each.wasm, each.native),
      `[${seconds(each.runS.low, 'no bound')}, ${seconds(each.runS.high, 'no bound')}]`,
    ]),
  };
}

function breakEvenText(runS: number | null, wasm: string, native: string): string {
  if (runS === null) return `none: ${wasm} takes less however long it runs`;
  return runS === 0 ? `none: ${native} takes less from the start` : seconds(runS);
}
