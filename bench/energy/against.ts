/** The energies of a run beside those of an earlier one, and whether a change costs more than is allowed. Pure. */

import { argumentError } from '../../host/errors.ts';
import type { RunEnvironment } from '../compare/environment.ts';
import type { CellName } from '../compare/samples.ts';
import type { EnergyAnalysis } from './analysis.ts';
import { quotient, type Bounded } from './bounded.ts';
import type { EnergyCell } from './cells.ts';

/** Energies of a call that a gate may hold: above idle, or with it. */
const QUANTITIES = { 'J/call': 'netJ', 'gross J/call': 'grossJ' } as const satisfies Record<string, keyof EnergyCell>;

/** How much more a call may take than in the earlier run. */
export interface EnergyGate {
  readonly text: string;
  readonly quantity: keyof typeof QUANTITIES;
  /** 0.05 for +5 %. */
  readonly share: number;
}

/**
 * Whether a call takes more than is allowed: `beyond` when it does with the whole interval, `within` when it does not with the
 * whole interval, else `undecided`, which is no failure. `untold` when the earlier run could tell it and this one cannot or has it not.
 */
export type GateVerdict = 'within' | 'beyond' | 'undecided' | 'untold';

/** One cell of the earlier run. */
export interface GatedCell extends CellName {
  /** J of a call in the earlier run and in this one; null where a run cannot tell. */
  readonly before: Bounded | null;
  readonly after: Bounded | null;
  /** This over the earlier one. */
  readonly times: Bounded | null;
  readonly verdict: GateVerdict;
}

/** What a gate came to. */
export interface GateResult {
  readonly gate: EnergyGate;
  readonly cells: readonly GatedCell[];
  /** What differs between the runs besides the code; then a difference may be that. */
  readonly differences: readonly string[];
  readonly passed: boolean;
}

/** A run as its folder has it. */
export interface GatedRun {
  readonly energy: EnergyAnalysis | undefined;
  readonly environment: RunEnvironment;
}

const GATE = /^(J\/call|gross J\/call) *\+ *(\d+(?:\.\d+)?) *%$/;

/** Reads `J/call +5 %`. @throws TypeError or RangeError with ERR_NEBULA_ARGUMENT */
export function parseGate(text: string): EnergyGate {
  const match = GATE.exec(text.trim());
  if (match === null) throw argumentError('--gate', '"J/call +5 %" or "gross J/call +5 %", with any percentage', text);
  return { text: text.trim(), quantity: match[1] as EnergyGate['quantity'], share: Number(match[2]) / 100 };
}

/**
 * Holds a run against an earlier one, by each cell of that: one that is not there any more, or cannot be told any more, does not pass by
 * that. Where no cell can be told in both, nothing passes.
 * @throws Error where one of them has no energies, or only one of them is synthetic
 */
export function holdAgainst(run: GatedRun, earlier: GatedRun, gate: EnergyGate): GateResult {
  const [after, before] = [measuredOf(run, 'this run'), measuredOf(earlier, 'the earlier run')];
  if (after.synthetic !== before.synthetic) {
    const which = after.synthetic ? 'this run' : 'the earlier run';
    throw new Error(`Cannot hold energies against each other: expected both measured, got ${which} synthetic`);
  }
  const cells = before.cells.map((was) => {
    const isSame = (each: EnergyCell): boolean =>
      each.target === was.target && each.function === was.function && each.input === was.input;
    return gatedCell(after.cells.find(isSame), was, gate);
  });
  const isTold = cells.some(({ verdict }) => verdict === 'within' || verdict === 'beyond');
  return {
    gate,
    cells,
    differences: differencesOf(run, earlier),
    passed: isTold && cells.every(({ verdict }) => verdict !== 'beyond' && verdict !== 'untold'),
  };
}

type Measured = EnergyAnalysis & { readonly state: 'measured' };

function measuredOf({ energy }: GatedRun, which: string): Measured {
  if (energy?.state === 'measured') return energy;
  const got = energy === undefined ? 'none' : `${energy.state}: ${energy.reason}`;
  throw new Error(`Cannot hold energies against each other: expected energies of ${which}, got ${got}`);
}

function gatedCell(cell: EnergyCell | undefined, earlier: EnergyCell, { quantity, share }: EnergyGate): GatedCell {
  const [after, before] = [cell?.[QUANTITIES[quantity]] ?? null, earlier[QUANTITIES[quantity]]];
  const times = after === null || before === null ? null : quotient(after, before);
  const { target, function: name, input } = earlier;
  const verdict = before !== null && after === null ? 'untold' : verdictOf(times, 1 + share);
  return { target, function: name, input, before, after, times, verdict };
}

function verdictOf(times: Bounded | null, most: number): GateVerdict {
  if (times === null || times.low === null || times.high === null) return 'undecided';
  if (times.low > most) return 'beyond';
  return times.high <= most ? 'within' : 'undecided';
}

function differencesOf(run: GatedRun, earlier: GatedRun): string[] {
  const { environment: here } = run;
  const { environment: there } = earlier;
  const pairs: readonly (readonly [string, string | number | null, string | number | null])[] = [
    ['processor', here.cpu, there.cpu],
    ['cores', here.cores, there.cores],
    ['kernel', here.kernel, there.kernel],
    ['Node', here.node, there.node],
    ['governor', here.governor, there.governor],
    ['source', sourceOf(run), sourceOf(earlier)],
  ];
  const differing = pairs.filter(([, now, then]) => now !== then);
  const gates = earlier.energy?.gates;
  return [
    ...(gates?.valid === false ? [`gates: ${gates.failed.join(', ')} failed then`] : []),
    ...differing.map(([what, now, then]) => `${what}: ${then ?? 'unknown'} then, ${now ?? 'unknown'} now`),
  ];
}

const sourceOf = ({ energy }: GatedRun): string => (energy?.state === 'measured' ? energy.source.name : 'none');
