/** From rows to numbers: descriptions, ratios with intervals, break-evens, findings. Pure; nothing is measured here. */

import {
  geometricMeanOfRatios,
  medianEstimate,
  ratioOfMedians,
  type Estimate,
  type Pair,
} from '../../statistics/bootstrap.ts';
import { describeSample, type Description } from '../../statistics/description.ts';
import { estimateBreakEven, type BreakEvenEstimate, type Verdict } from './break-even.ts';
import type { RunEnvironment } from './environment.ts';
import { findAll, isShortRun, type Finding } from './findings.ts';
import { INPUTS, type Plan } from './plan.ts';
import { CALL_PHASES, type Row } from './rows.ts';
import { Samples, type CellName, type FailedCall } from './samples.ts';

/** An estimate as JSON holds it: null stands for a number without bound. */
export interface Interval {
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/** Nanoseconds. */
export interface PhaseSummary extends Description {
  /** Of the median, 95 %, for the phases that all targets have alike. */
  readonly interval?: Interval;
}

/** All phases of a cell, described; `failed` calls are in none of them. */
export interface CellSummary extends CellName {
  readonly failed: number;
  readonly phases: Readonly<Record<string, PhaseSummary>>;
}

/** Median of a target over that of the reference. */
export interface Ratio extends CellName {
  readonly phase: string;
  readonly against: string;
  readonly ratio: Interval;
  /** False when the interval contains 1: then no difference is claimed. */
  readonly different: boolean;
}

/** Geometric mean of the ratios of all functions at one size of input. */
export interface OverallRatio {
  readonly target: string;
  readonly against: string;
  readonly input: string;
  readonly phase: string;
  readonly functions: readonly string[];
  readonly ratio: Interval;
}

/** How long a function must run natively for its container to catch up with its micro-VM; times in nanoseconds. */
export interface BreakEven {
  readonly function: string;
  /** The input whose run times the model was taken from. */
  readonly input: string;
  readonly wasm: string;
  readonly native: string;
  readonly wasmOverheadNs: number;
  readonly nativeOverheadNs: number;
  readonly verdict: Verdict;
  /** Null where the function is too short for one. */
  readonly slowdown: Interval | null;
  /**
   * Native run time from which the native target is ahead, where the verdict is `crosses`. Where it is `unresolved`, its `low`
   * is the time before which there is none, and its `value` null. Null for all other verdicts.
   */
  readonly runNs: Interval | null;
}

/** What the rows of a run come to, as analysis.json holds it; times in nanoseconds. */
export interface Analysis {
  readonly run: string;
  readonly stopped: string | null;
  readonly rows: number;
  readonly blocks: number;
  /** The target that all others are compared with. */
  readonly reference: string;
  readonly cells: readonly CellSummary[];
  readonly ratios: readonly Ratio[];
  readonly overall: readonly OverallRatio[];
  readonly breakEvens: readonly BreakEven[];
  readonly failed: readonly FailedCall[];
  readonly findings: readonly Finding[];
}

/** The first of these that was measured is the reference. */
const REFERENCES = ['wasm-restored', 'wasm-in-thread', 'wasm-fresh', 'node-wasi'] as const;
const NATIVE = ['container-cold', 'container-warm', 'process'] as const;
const RATIO_PHASES = ['total', 'start', 'run'] as const;

/** A run as its folder has it. */
export interface AnalysisInput {
  readonly plan: Plan;
  readonly environment: RunEnvironment;
  readonly rows: readonly Row[];
}

/** Analyses the rows of a run. The same rows always give the same numbers: what is random has a seed. */
export function analyse({ plan, environment, rows }: AnalysisInput): Analysis {
  const samples = new Samples(rows, plan);
  const reference = REFERENCES.find((name) => samples.targets.includes(name)) ?? samples.targets[0] ?? 'none';
  const cells = samples.cells.map((cell) => summarise(samples, cell));
  const ratios = ratiosOf(samples, reference);
  const undecided = ratios.filter((each) => each.phase === 'total' && !each.different);
  return {
    run: rows[0]?.run ?? 'none',
    stopped: environment.stopped,
    rows: rows.length,
    blocks: samples.blockCount,
    reference,
    cells,
    ratios,
    overall: overallOf(samples, reference),
    breakEvens: breakEvensOf(samples, reference),
    failed: samples.failed,
    findings: findAll({ plan, environment, samples, undecided }),
  };
}

const bounded = (value: number): number | null => (Number.isFinite(value) ? value : null);

function toInterval({ value, low, high }: Estimate): Interval {
  return { value: bounded(value), low: bounded(low), high: bounded(high) };
}

function summarise(samples: Samples, cell: CellName): CellSummary {
  const phases: Record<string, PhaseSummary> = {};
  for (const phase of samples.phasesOf(cell)) {
    const description = describeSample(samples.values(cell, phase));
    const blocks = isCallPhase(phase) ? samples.blocks(cell, phase) : undefined;
    phases[phase] =
      blocks === undefined ? description : { ...description, interval: toInterval(medianEstimate(blocks)) };
  }
  const isOf = (call: CellName): boolean =>
    call.target === cell.target && call.function === cell.function && call.input === cell.input;
  return { ...cell, failed: samples.failed.filter(isOf).length, phases };
}

const isCallPhase = (phase: string): boolean => phase === 'total' || (CALL_PHASES as readonly string[]).includes(phase);

function pairOf(samples: Samples, cell: CellName, reference: string, phase: string): Pair | undefined {
  const subject = samples.blocks(cell, phase);
  const against = samples.blocks({ ...cell, target: reference }, phase);
  return subject === undefined || against === undefined ? undefined : { subject, against };
}

function ratiosOf(samples: Samples, reference: string): Ratio[] {
  const ratios: Ratio[] = [];
  for (const cell of samples.cells.filter(({ target }) => target !== reference)) {
    for (const phase of RATIO_PHASES) {
      const pair = pairOf(samples, cell, reference, phase);
      if (pair === undefined) continue;
      const estimate = ratioOfMedians(pair);
      const different = estimate.low > 1 || estimate.high < 1;
      ratios.push({ ...cell, phase, against: reference, ratio: toInterval(estimate), different });
    }
  }
  return ratios;
}

/** A case by a name of its own is one function's alone. */
const isSize = (input: string): boolean => (INPUTS as readonly string[]).includes(input);

function overallOf(samples: Samples, reference: string): OverallRatio[] {
  const overall: OverallRatio[] = [];
  for (const target of samples.targets.filter((each) => each !== reference)) {
    for (const input of samples.inputs.filter(isSize)) {
      for (const phase of RATIO_PHASES) {
        const found = samples.functions.flatMap((functionName) => {
          const pair = pairOf(samples, { target, function: functionName, input }, reference, phase);
          return pair === undefined ? [] : [{ functionName, pair }];
        });
        if (found.length === 0) continue;
        const ratio = toInterval(geometricMeanOfRatios(found.map(({ pair }) => pair)));
        const functions = found.map(({ functionName }) => functionName);
        overall.push({ target, against: reference, input, phase, functions, ratio });
      }
    }
  }
  return overall;
}

function breakEvensOf(samples: Samples, reference: string): BreakEven[] {
  const found: BreakEven[] = [];
  for (const functionName of samples.functions) {
    const input = samples.inputsOf(functionName).at(-1) as string;
    for (const native of NATIVE) {
      const wasmBlocks = callBlocks(samples, { target: reference, function: functionName, input });
      const nativeBlocks = callBlocks(samples, { target: native, function: functionName, input });
      if (wasmBlocks === undefined || nativeBlocks === undefined) continue;
      const estimate = estimateBreakEven(wasmBlocks, nativeBlocks);
      const { wasmOverheadNs, nativeOverheadNs } = estimate.model;
      found.push({
        function: functionName,
        input,
        wasm: reference,
        native,
        wasmOverheadNs,
        nativeOverheadNs,
        ...toldOf(estimate, isShortRun(samples, functionName)),
      });
    }
  }
  return found;
}

/** What may be told: a number only where the method has one. */
function toldOf(
  { verdict, runNs, slowdown }: BreakEvenEstimate,
  isShort: boolean,
): Pick<BreakEven, 'verdict' | 'slowdown' | 'runNs'> {
  if (isShort) return { verdict: 'too-short', slowdown: null, runNs: null };
  const told = { verdict, slowdown: toInterval(slowdown) };
  if (verdict === 'crosses') return { ...told, runNs: toInterval(runNs) };
  if (verdict !== 'unresolved') return { ...told, runNs: null };
  return { ...told, runNs: { value: null, low: bounded(runNs.low), high: null } };
}

function callBlocks(samples: Samples, cell: CellName): { total: Pair['subject']; run: Pair['subject'] } | undefined {
  const total = samples.blocks(cell, 'total');
  const run = samples.blocks(cell, 'run');
  return total === undefined || run === undefined ? undefined : { total, run };
}
