/** From the windows of an energy run to what is reported of it: cells, ratios, break-evens, carry-over, findings. Pure. */

import { compareEnergy, type ComparedBlock, type Ratio } from '../../hardware/analysis/comparison.ts';
import { testCarryOver } from '../../hardware/analysis/carry-over.ts';
import type { Verdict } from '../../hardware/analysis/energy.ts';
import { evaluateGates, type GateStamp } from '../../hardware/gate/gates.ts';
import type { LineCost } from '../../hardware/marker/line.ts';
import type { Row } from '../compare/rows.ts';
import { Samples, type CellName } from '../compare/samples.ts';
import { energyBreakEvens } from './break-even.ts';
import type { Bounded } from './bounded.ts';
import { blocksOf, byCell, summariseCell, unitOf } from './cells.ts';
import type { CallCarbon, CarbonFactors } from './carbon.ts';
import { findEnergy, type EnergyFinding } from './findings.ts';
import { measureRun, type MeasuredRun, type MeasuredWindow } from './joules.ts';
import type { EnergyPlan } from './plan.ts';
import type { EnergyRecord } from './record.ts';
import { singleCallRatios } from './single-calls.ts';
import type {
  ClockSummary,
  EnergyMeasured,
  EnergyMissing,
  EnergyRatio,
  SourceSummary,
  TargetVerdicts,
} from './summary.ts';

/** What an energy run came to, or why it came to nothing; with its gates, its marker and its findings. */
export type EnergyAnalysis = (EnergyMeasured | EnergyMissing) & {
  readonly gates: GateStamp | null;
  readonly marker: { readonly label: string; readonly synthetic: boolean; readonly cost: LineCost | null };
  readonly findings: readonly EnergyFinding[];
  /** Where the run was given what its grid emits. */
  readonly carbon?: { readonly factors: CarbonFactors; readonly cells: readonly CallCarbon[] };
};

/** An energy run as its folder has it. */
export interface EnergyInput {
  readonly plan: EnergyPlan;
  readonly rows: readonly Row[];
  readonly record: EnergyRecord;
  /** The target that others are compared with. */
  readonly reference: string;
}

/** What the analysis came to, and the windows that it came from. */
export interface AnalysedEnergy {
  readonly analysis: EnergyAnalysis;
  readonly run: MeasuredRun | undefined;
}

/** Analyses an energy run. What is wrong with its recording becomes the state `refused`, not an error. */
export function analyseEnergy(input: EnergyInput): AnalysedEnergy {
  const { record, plan } = input;
  const { marker, source } = record.session;
  const shared = { marker: { label: marker.label, synthetic: marker.synthetic, cost: marker.cost } };
  const refused = (state: EnergyMissing['state'], reason: string, synthetic: boolean): AnalysedEnergy => {
    const missing = { state, reason, synthetic } as const;
    const gates = gatesOf(record, undefined);
    const findings = findEnergy({ record, gates, missing, run: undefined, measured: undefined });
    return { analysis: { ...missing, ...shared, gates, findings }, run: undefined };
  };
  if (record.power === undefined) {
    const failure = source?.recording.error;
    return refused('no source', failure ?? 'no power was recorded', marker.synthetic);
  }
  const { imported, line } = record.power;
  const synthetic = marker.synthetic || imported.trace.synthetic || record.log.synthetic;
  let run: MeasuredRun;
  try {
    run = measureRun(record.log, imported, record.windows, { line, settleS: plan.settleS });
  } catch (error) {
    return refused('refused', error instanceof Error ? error.message : String(error), synthetic);
  }
  const measured = summarise(input, run, synthetic);
  const gates = gatesOf(record, lostShare(measured.source, run));
  const findings = findEnergy({ record, gates, missing: undefined, run, measured });
  return { analysis: { ...measured, ...shared, gates, findings }, run };
}

function gatesOf({ session }: EnergyRecord, lost: number | undefined): GateStamp | null {
  const { before, after } = session.machine;
  if (after === null) return null;
  return evaluateGates(before, after, lost === undefined ? {} : { lostShare: lost }, { force: session.forced });
}

/** Time without samples during the session, as a share of it. */
function lostShare(source: SourceSummary, { integral, tied }: MeasuredRun): number {
  const times = [...tied.windows.values()];
  const startS = Math.min(...times.map((window) => window.startS));
  const endS = Math.max(...times.map((window) => window.endS));
  if (!(endS > startS)) return source.gapS / Math.max(source.durationS, 1e-9);
  return integral.over(startS, endS).uncoveredS / (endS - startS);
}

function summarise(
  { plan, rows, record, reference: asked }: EnergyInput,
  run: MeasuredRun,
  synthetic: boolean,
): EnergyMeasured {
  const { tied, guards, windows } = run;
  const cellWindows = byCell(windows);
  const names = cellNames(windows, plan);
  const targets = plan.targets.filter((target) => names.some((name) => name.target === target));
  const reference = (targets as string[]).includes(asked) ? asked : (targets[0] ?? 'none');
  const of = (name: CellName): readonly MeasuredWindow[] =>
    cellWindows.get(`${name.target} ${name.function} ${name.input}`) ?? [];
  const { baseline } = guards;
  const samples = new Samples(rows, plan);
  const cells = names.map((name) => summariseCell(name, of(name)));
  const ratios = names.flatMap((name) => (name.target === reference ? [] : ratioOf(name, reference, of)));
  return {
    state: 'measured',
    synthetic,
    source: summariseSource(record, run),
    clock: summariseClock(run),
    tied: tied.how ?? null,
    idle:
      baseline === undefined
        ? null
        : {
            levels: baseline.levels.map(({ startS, endS, meanW, errorW }) => ({ startS, endS, meanW, errorW })),
            noiseW: baseline.noiseW,
            wanderW: baseline.wanderW,
          },
    reference,
    cells,
    ratios,
    singleCalls: singleCallRatios(samples, cells, ratios),
    breakEvens: energyBreakEvens({ samples, names, reference, of }),
    carryOver: testCarryOver(followed(windows), plan.seed),
    targets: targets.map((target) => verdictsOf(target, windows)),
    incomplete: tied.incomplete,
  };
}

function cellNames(windows: readonly MeasuredWindow[], plan: EnergyPlan): CellName[] {
  const has = new Set(windows.map(({ record }) => `${record.target} ${record.function} ${record.input}`));
  return plan.functions.flatMap((functionName) =>
    plan.inputs.flatMap((input) =>
      plan.targets
        .map((target) => ({ target, function: functionName, input }))
        .filter((name) => has.has(`${name.target} ${name.function} ${name.input}`)),
    ),
  );
}

function summariseSource({ power, session }: EnergyRecord, { integral }: MeasuredRun): SourceSummary {
  const { trace, counts } = (power as NonNullable<typeof power>).imported;
  const first = trace.timeS[0] ?? 0;
  const recorded = session.source?.recording;
  const live = recorded?.counts;
  return {
    name: trace.source,
    rule: trace.rule,
    clock: trace.clock,
    synthetic: trace.synthetic,
    estimate: recorded?.properties.estimate === true || trace.source.endsWith('(estimate)'),
    samples: trace.timeS.length,
    durationS: (trace.timeS.at(-1) ?? first) - first,
    intervalS: integral.intervalS,
    refreshS: integral.refreshS,
    resolution: integral.step,
    responseS: integral.responseS,
    gaps: integral.gaps,
    gapS: integral.gapS,
    // What a live source gave beside values never reached the file.
    counts:
      live === undefined
        ? counts
        : {
            ...counts,
            malformed: live.malformed,
            duplicates: live.duplicates,
            reordered: live.reordered,
            lost: live.lost,
          },
    sha256: (power as NonNullable<typeof power>).sha256,
  };
}

function summariseClock({ tied }: MeasuredRun): ClockSummary | null {
  const { alignment, line } = tied;
  if (alignment === undefined || line === undefined) return null;
  const { fit, lostEdges, spuriousEdges, glitches, bounces } = alignment;
  const { driftPpm, driftIntervalPpm, residualSdS, residualMaxS, edges, outliers } = fit;
  const found = { lostEdges, spuriousEdges, glitches, bounces };
  return { line, driftPpm, driftIntervalPpm, residualSdS, residualMaxS, edges, outliers, ...found };
}

const bounded = (value: number): number | null => (Number.isFinite(value) ? value : null);

const toBounded = ({ ratio, low, high }: Ratio): Bounded => ({ value: ratio, low: bounded(low), high: bounded(high) });

type Find = (name: CellName) => readonly MeasuredWindow[];

/** Both sides from single calls or from batches, each as it can be resolved: time and energy of a side are of the same windows. */
function ratioOf(name: CellName, reference: string, of: Find): EnergyRatio[] {
  const subject = of(name);
  const against = of({ ...name, target: reference });
  const units = [unitOf(subject), unitOf(against)] as const;
  if (units.includes('none')) return [];
  const left = blocksOf(subject, units[0]);
  const right = blocksOf(against, units[1]);
  const blocks = [...left.keys()].flatMap((block): ComparedBlock[] => {
    const calls = right.get(block);
    return calls === undefined ? [] : [{ subject: left.get(block) as ComparedBlock['subject'], against: calls }];
  });
  if (blocks.length === 0) return [];
  const found = compareEnergy(blocks);
  const { low, high } = found.energy;
  const ratios = { energy: toBounded(found.energy), time: toBounded(found.time), power: toBounded(found.power) };
  const different = low > 1 || high < 1;
  return [{ ...name, against: reference, ...ratios, blocks: found.blocks, different, reason: found.reason ?? null }];
}

/** Batches with the target of the batch right before them in the same block. */
function followed(windows: readonly MeasuredWindow[]): { cell: string; before: string; value: number }[] {
  const batches = windows.filter(({ kind }) => kind === 'batch');
  return batches.flatMap(({ record, energy, calls }, index) => {
    const previous = batches[index - 1]?.record;
    if (previous === undefined || previous.block !== record.block || energy.net === undefined) return [];
    const cell = `${record.target} ${record.function} ${record.input}`;
    return [{ cell, before: previous.target, value: energy.net.valueJ / calls }];
  });
}

function verdictsOf(target: string, windows: readonly MeasuredWindow[]): TargetVerdicts {
  const verdicts: Record<Verdict, number> = { resolvable: 0, 'batch-only': 0, unresolvable: 0 };
  const states: Record<string, number> = {};
  for (const { kind, record, verdict, state } of windows) {
    // A batch whose calls are marked is told by them.
    if (record.target !== target || kind === 'phase' || (kind === 'batch' && record.calledNs !== undefined)) continue;
    verdicts[verdict]++;
    states[state] = (states[state] ?? 0) + 1;
  }
  return { target, verdicts, states };
}
