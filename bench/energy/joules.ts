/** From a marker's log and a power log to the energy of every window, phase and guard of a run. Pure. */

import { measureBaseline, type Baseline } from '../../hardware/analysis/baseline.ts';
import type { MarkerLog } from '../../hardware/analysis/edges.ts';
import {
  batchWindow,
  measureWindow,
  verdictOf,
  type EnergyWindow,
  type Verdict,
  type WindowEnergy,
} from '../../hardware/analysis/energy.ts';
import { detailOf } from '../../hardware/instrument/errors.ts';
import { PowerIntegral } from '../../hardware/analysis/integral.ts';
import { shownResponseS } from '../../hardware/analysis/response.ts';
import type { ImportedLog } from '../../hardware/logger/log.ts';
import { placeWindow, type Timeline } from '../../hardware/analysis/timeline.ts';
import type { MarkedWindow } from '../../hardware/analysis/windows.ts';
import { CALL_PHASES, type CallPhase } from '../compare/rows.ts';
import { tieWindows, type TiedWindows } from './tie.ts';
import { withUnseen } from './unseen.ts';
import type { CallsWindow, GuardWindow, WindowRecord } from './windows.ts';

/** The idle level, from the guards that have samples. */
export interface GuardLevels {
  readonly baseline: Baseline | undefined;
  /** Guards without a level, and why. */
  readonly without: readonly { readonly id: string; readonly reason: string }[];
}

/** Idle power from the guards of a run. A guard that has gaps is left out. */
function measureGuards(
  integral: PowerIntegral,
  timeline: Timeline,
  guards: readonly GuardWindow[],
  settleS: number,
): GuardLevels {
  const without: { id: string; reason: string }[] = [];
  const usable: { startS: number; endS: number }[] = [];
  for (const { id, startNs, endNs } of guards) {
    const { startS, endS } = placeWindow(timeline, BigInt(startNs), BigInt(endNs));
    // A slow source still shows what was before the guard.
    const window = { startS: startS + settleS + integral.responseS, endS: endS - settleS };
    try {
      measureBaseline(integral, [window]);
      usable.push(window);
    } catch (error) {
      without.push({ id, reason: detailOf(error) });
    }
  }
  return { baseline: usable.length === 0 ? undefined : measureBaseline(integral, usable), without };
}

/** The energy of one call, batch or phase. */
export interface MeasuredWindow {
  readonly kind: 'call' | 'batch' | 'phase';
  readonly record: CallsWindow;
  readonly phase: CallPhase | undefined;
  /** How its times are known; `host` where the trace has the host's clock. */
  readonly state: MarkedWindow['state'] | 'host';
  readonly calls: number;
  readonly window: EnergyWindow;
  readonly energy: WindowEnergy;
  readonly verdict: Verdict;
}

/** Every window of a run with its energy, and how they came onto the trace's clock. */
export interface MeasuredRun {
  readonly tied: TiedWindows;
  readonly integral: PowerIntegral;
  readonly guards: GuardLevels;
  /** In the order of the run. */
  readonly windows: readonly MeasuredWindow[];
}

/** Measures every window of a run. @throws HardwareError EDGES_INVALID, NO_SYNC, BAD_FIT, TRACE_INVALID */
export function measureRun(
  log: MarkerLog,
  power: ImportedLog,
  records: readonly WindowRecord[],
  options: { readonly line: string | null; readonly settleS: number },
): MeasuredRun {
  const tied = tieWindows(log, power, options.line);
  const batches = batchesOf(records).flatMap((records) => wholeBatch(records, tied) ?? []);
  const integral = integralOf(power, batches);
  const guards = records.filter((record): record is GuardWindow => record.kind === 'guard');
  const levels = measureGuards(integral, tied.timeline, guards, options.settleS);
  const measure = (window: EnergyWindow): WindowEnergy => measureWindow(integral, window, levels.baseline);
  const found = batches.map(({ window }) => measure(window));
  const energies = withUnseen(
    integral,
    batches.map(({ record, window }, at) => ({ record, window, energy: found[at] as WindowEnergy })),
  );
  const windows = batches.flatMap((batch, at): MeasuredWindow[] => {
    const { record, window, state, calls } = batch;
    const energy = energies[at] as WindowEnergy;
    const shared = { phase: undefined, state, calls: record.calls, window, energy } as const;
    // What a batch says of its calls: of them together, or nothing.
    const verdict = energy.resolvable ? 'batch-only' : 'unresolvable';
    const measured: MeasuredWindow = { kind: 'batch', record, verdict, ...shared };
    return [measured, ...calls.flatMap((call) => measureCall(call, tied, energy, measure))];
  });
  return { tied, integral, guards: levels, windows };
}

/** The integral of a recording, with what the windows show of how slow its source is. */
function integralOf({ trace }: ImportedLog, batches: readonly WholeBatch[]): PowerIntegral {
  const integral = new PowerIntegral(trace);
  // Of a batch of few calls nobody knows whether power comes late or its first call begins with little.
  const steady = batches.flatMap(({ window }) => (window.steady === true ? [window] : []));
  const responseS = shownResponseS(integral, steady);
  return responseS > integral.responseS ? new PowerIntegral(trace, { responseS }) : integral;
}

function batchesOf(records: readonly WindowRecord[]): CallsWindow[][] {
  const batches = new Map<string, CallsWindow[]>();
  for (const record of records) {
    if (record.kind === 'guard') continue;
    batches.set(record.batch, [...(batches.get(record.batch) ?? []), record]);
  }
  return [...batches.values()];
}

interface WholeBatch {
  readonly record: CallsWindow;
  readonly window: EnergyWindow;
  readonly state: MeasuredWindow['state'];
  /** Those of its calls that are marked by themselves. */
  readonly calls: readonly CallsWindow[];
}

/** So many like calls are steady work: the end of a batch is as its middle. */
const STEADY_CALLS = 10;

function wholeBatch(batch: readonly CallsWindow[], tied: TiedWindows): WholeBatch | undefined {
  const marked = batch.flatMap((record) => tied.windows.get(record.id) ?? []);
  const window = batchWindow(marked);
  const [first] = batch;
  const last = batch.at(-1);
  if (window === undefined || first === undefined || last === undefined) return undefined;
  const calls = batch.reduce((sum, record) => sum + record.calls, 0);
  const failed = batch.reduce((sum, record) => sum + record.failed, 0);
  return {
    record: { ...first, kind: 'batch', id: first.batch, calls, failed, endNs: last.endNs },
    window: { ...window, steady: calls >= STEADY_CALLS, callS: (window.endS - window.startS) / calls },
    state: stateOf(marked, tied),
    calls: batch.filter(({ kind }) => kind === 'call'),
  };
}

const seen = (window: MarkedWindow | undefined, lost: MarkedWindow['state']): boolean =>
  window !== undefined && window.state !== 'unmatched' && window.state !== lost;

/** Of a batch as of a window: whether its first and its last edge were seen. */
function stateOf(marked: readonly MarkedWindow[], { alignment }: TiedWindows): MeasuredWindow['state'] {
  if (alignment === undefined) return 'host';
  const start = seen(marked[0], 'start-inferred');
  const end = seen(marked.at(-1), 'end-inferred');
  if (start) return end ? 'matched' : 'end-inferred';
  return end ? 'start-inferred' : 'unmatched';
}

function measureCall(
  record: CallsWindow,
  tied: TiedWindows,
  batch: WindowEnergy,
  measure: (window: EnergyWindow) => WindowEnergy,
): MeasuredWindow[] {
  const marked = tied.windows.get(record.id);
  if (marked === undefined) return [];
  const state = tied.alignment === undefined ? 'host' : marked.state;
  const energy = measure(marked);
  const verdict = verdictOf(energy, batch);
  const call = { kind: 'call', record, phase: undefined, state, calls: 1, window: marked, energy, verdict } as const;
  return [call, ...measurePhases(record, tied, measure, batch)];
}

/** Phases follow each other from when the call was made; no edge of their own tells of them, the clock fit does. */
function measurePhases(
  record: CallsWindow,
  { timeline, alignment }: TiedWindows,
  measure: (window: EnergyWindow) => WindowEnergy,
  batch: WindowEnergy,
): MeasuredWindow[] {
  const { calledNs, phases } = record;
  if (calledNs === undefined || phases?.start === undefined) return [];
  let fromNs = BigInt(calledNs);
  return CALL_PHASES.flatMap((phase): MeasuredWindow[] => {
    const tookNs = phases[phase];
    if (tookNs === undefined || tookNs <= 0) return [];
    const untilNs = fromNs + BigInt(Math.round(tookNs));
    const window = placeWindow(timeline, fromNs, untilNs);
    fromNs = untilNs;
    const energy = measure(window);
    const state = alignment === undefined ? 'host' : 'unmatched';
    return [{ kind: 'phase', record, phase, state, calls: 1, window, energy, verdict: verdictOf(energy, batch) }];
  });
}
