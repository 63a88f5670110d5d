/** Energy of a call on each cell, with its interval: from single calls where they can be resolved, else from batches. Pure. */

import { batchSlope, type Batch, type CallEnergy } from '../../hardware/analysis/comparison.ts';
import type { Verdict } from '../../hardware/analysis/energy.ts';
import { mean, standardDeviation } from '../../statistics/moments.ts';
import { NORMAL_BOUND_95 } from '../../statistics/normal.ts';
import { studentBound } from '../../statistics/student.ts';
import { CALL_PHASES } from '../compare/rows.ts';
import type { CellName } from '../compare/samples.ts';
import type { Bounded } from './bounded.ts';
import type { MeasuredWindow } from './joules.ts';

/** What single calls, batches of them, or neither of them say. */
export type Unit = 'call' | 'batch' | 'none';

/** Net energy of one phase of a call. */
export interface PhaseEnergy {
  readonly phase: string;
  readonly windows: number;
  /** Windows that can be resolved by themselves. */
  readonly resolvable: number;
  /** Net energy in J, only where more than half of the windows can be resolved. */
  readonly netJ: Bounded | null;
}

/** Energy of a call of one function and input on one target, in J. */
export interface EnergyCell extends CellName {
  readonly unit: Unit;
  readonly batches: number;
  readonly calls: number;
  /** Windows of calls where they were marked, else of batches, by their verdict. */
  readonly verdicts: Readonly<Record<Verdict, number>>;
  /** Calls and batches whose net energy is below 0: kept. */
  readonly negative: number;
  /** Windows with too few samples for an energy. */
  readonly withoutEnergy: number;
  /** Per call, above idle, in J. Null where nothing can be told. */
  readonly netJ: Bounded | null;
  /** Per call, with the machine's idle power, in J. */
  readonly grossJ: Bounded | null;
  /** `line`: slope of energy against calls; `origin`: the same through 0; `mean`: of single calls. */
  readonly model: 'line' | 'origin' | 'mean' | null;
  /** What each batch costs besides its calls, in J, where the model tells. */
  readonly batchJ: number | null;
  /** Mean length of a call's share of its window, in seconds, and mean power above idle in W. */
  readonly durationS: number | null;
  readonly powerW: number | null;
  readonly phases: readonly PhaseEnergy[];
}

/** A window with an energy, told per call. */
interface PerCall extends CallEnergy {
  readonly block: number;
  readonly grossJ: number;
  /** Standard uncertainties of the net energy: the window's own, and the one that all of the cell share. */
  readonly ownJ: number;
  readonly sharedJ: number;
}

const keyOf = (cell: CellName): string => `${cell.target} ${cell.function} ${cell.input}`;

/** The windows of each cell, in the order of the run. */
export function byCell(windows: readonly MeasuredWindow[]): Map<string, MeasuredWindow[]> {
  const cells = new Map<string, MeasuredWindow[]>();
  for (const window of windows) {
    const key = keyOf(window.record);
    const known = cells.get(key);
    if (known === undefined) cells.set(key, [window]);
    else known.push(window);
  }
  return cells;
}

/** Windows with calls that failed tell nothing of the function. */
const isWhole = ({ record }: MeasuredWindow): boolean => record.failed === 0;

function perCall(windows: readonly MeasuredWindow[]): PerCall[] {
  return windows.filter(isWhole).flatMap(({ record, calls, energy }) => {
    const { net, gross, durationS } = energy;
    if (net === undefined || gross === undefined) return [];
    return [
      {
        block: record.block,
        energyJ: net.valueJ / calls,
        grossJ: gross.valueJ / calls,
        ownJ: Math.sqrt(Math.max(0, net.uncertaintyJ ** 2 - net.sharedJ ** 2)) / calls,
        sharedJ: net.sharedJ / calls,
        durationS: durationS / calls,
      },
    ];
  });
}

/**
 * The unit of a cell: calls when more than half of their windows are resolved. It is one for all windows of the cell, so that
 * none is chosen by what it came to.
 */
export function unitOf(windows: readonly MeasuredWindow[]): Unit {
  const share = (kind: MeasuredWindow['kind']): number => {
    const of = windows.filter((window) => window.kind === kind);
    return of.length === 0 ? 0 : of.filter(({ energy }) => energy.resolvable).length / of.length;
  };
  if (share('call') > 0.5) return 'call';
  return share('batch') > 0.5 ? 'batch' : 'none';
}

/** Energy and time of a call, by block; what `compareEnergy` takes. */
export function blocksOf(windows: readonly MeasuredWindow[], unit: Unit): Map<number, CallEnergy[]> {
  const blocks = new Map<number, CallEnergy[]>();
  for (const each of perCall(windows.filter(({ kind }) => kind === unit))) {
    blocks.set(each.block, [...(blocks.get(each.block) ?? []), each]);
  }
  return blocks;
}

/** A value of one window in its block; `uncertainty` is its own, `shared` that of all values alike. */
export interface BlockValue {
  readonly block: number;
  readonly value: number;
  readonly uncertainty: number;
  readonly shared?: number;
}

/**
 * Mean over blocks with its 95 % interval: from how the blocks differ (Student), never less than what the windows
 * themselves do not know, and with what they share, which no number of blocks takes away.
 */
export function meanOverBlocks(values: readonly BlockValue[]): Bounded | null {
  if (values.length === 0) return null;
  const blocks = new Map<number, number[]>();
  for (const { block, value } of values) blocks.set(block, [...(blocks.get(block) ?? []), value]);
  const means = [...blocks.values()].map((block) => mean(block));
  const value = mean(means);
  const error = standardDeviation(means) / Math.sqrt(means.length);
  const own = Math.sqrt(values.reduce((sum, each) => sum + each.uncertainty ** 2, 0)) / values.length;
  const shared = mean(values.map((each) => each.shared ?? 0));
  const random = Math.max(studentBound(means.length - 1) * error, NORMAL_BOUND_95 * own);
  const half = Math.hypot(random, NORMAL_BOUND_95 * shared);
  if (means.length < 2) return { value, low: null, high: null };
  return { value, low: value - half, high: value + half };
}

/** Energies of one cell from all windows of it; those with calls that failed count in no energy. */
export function summariseCell(name: CellName, windows: readonly MeasuredWindow[]): EnergyCell {
  const unit = unitOf(windows);
  const batches = windows.filter(({ kind }) => kind === 'batch');
  const calls = windows.filter(({ kind }) => kind === 'call');
  const told = calls.length > 0 ? calls : batches;
  const verdicts: Record<Verdict, number> = { resolvable: 0, 'batch-only': 0, unresolvable: 0 };
  for (const { verdict } of told) verdicts[verdict]++;
  const nets = told.flatMap(({ energy }) => energy.net ?? []);
  const values = perCall(windows.filter(({ kind }) => kind === unit));
  return {
    ...name,
    unit,
    batches: batches.length,
    calls: batches.reduce((sum, batch) => sum + batch.calls, 0),
    verdicts,
    negative: nets.filter(({ valueJ }) => valueJ < 0).length,
    withoutEnergy: told.length - nets.length,
    ...energiesOf(unit, values, batches),
    durationS: values.length === 0 ? null : mean(values.map(({ durationS }) => durationS)),
    powerW: values.length === 0 ? null : sumOf(values, 'energyJ') / sumOf(values, 'durationS'),
    phases: phasesOf(windows),
  };
}

const sumOf = (values: readonly PerCall[], field: 'energyJ' | 'durationS'): number =>
  values.reduce((sum, value) => sum + value[field], 0);

const blockValue = ({ block, ownJ, sharedJ }: PerCall, value: number): BlockValue => ({
  block,
  value,
  uncertainty: ownJ,
  shared: sharedJ,
});

/**
 * The batches with how their calls differ beyond what is known of each: it grows with the energy of a batch, so that a long
 * one weighs less than its samples alone would let it.
 */
function asTheyDiffer(batches: readonly Required<Batch>[]): Batch[] {
  const perCall = batches.map(({ energyJ, calls }) => energyJ / calls);
  const own = mean(batches.map(({ uncertaintyJ, sharedJ, calls }) => (uncertaintyJ ** 2 - sharedJ ** 2) / calls ** 2));
  const differs = Math.sqrt(Math.max(0, standardDeviation(perCall) ** 2 - own)) / Math.abs(mean(perCall));
  return batches.map((batch) => ({ ...batch, uncertaintyJ: Math.hypot(batch.uncertaintyJ, differs * batch.energyJ) }));
}

type Energies = Pick<EnergyCell, 'netJ' | 'grossJ' | 'model' | 'batchJ'>;

function energiesOf(unit: Unit, values: readonly PerCall[], batches: readonly MeasuredWindow[]): Energies {
  const grossJ = meanOverBlocks(values.map((each) => blockValue(each, each.grossJ)));
  const netJ = meanOverBlocks(values.map((each) => blockValue(each, each.energyJ)));
  const whole = batches.filter(isWhole).flatMap(({ calls, energy }) => {
    const { net } = energy;
    return net === undefined
      ? []
      : [{ calls, energyJ: net.valueJ, uncertaintyJ: net.uncertaintyJ, sharedJ: net.sharedJ }];
  });
  if (unit !== 'batch' || whole.length < 3) return { netJ, grossJ, model: netJ === null ? null : 'mean', batchJ: null };
  const slope = batchSlope(asTheyDiffer(whole));
  const fromSlope = { value: slope.energyJ, low: slope.lowJ, high: slope.highJ };
  return { netJ: fromSlope, grossJ, model: slope.model, batchJ: slope.model === 'line' ? slope.batchJ : null };
}

function phasesOf(windows: readonly MeasuredWindow[]): PhaseEnergy[] {
  return CALL_PHASES.flatMap((phase): PhaseEnergy[] => {
    const of = windows.filter((window) => window.phase === phase && isWhole(window));
    if (of.length === 0) return [];
    const resolvable = of.filter(({ energy }) => energy.resolvable).length;
    const values = perCall(of).map((each) => blockValue(each, each.energyJ));
    return [
      { phase, windows: of.length, resolvable, netJ: resolvable > of.length / 2 ? meanOverBlocks(values) : null },
    ];
  });
}
