/** What is told of a run's energies, as data: analysis.json has it. */

import type { CarryOver } from '../../hardware/analysis/carry-over.ts';
import type { Verdict } from '../../hardware/analysis/energy.ts';
import type { PowerTrace } from '../../hardware/analysis/trace.ts';
import type { LogCounts } from '../../hardware/logger/log.ts';
import type { CellName } from '../compare/samples.ts';
import type { EnergyBreakEven } from './break-even.ts';
import type { Bounded } from './bounded.ts';
import type { EnergyCell } from './cells.ts';
import type { SingleCallRatio } from './single-calls.ts';

/** Where the power came from. */
export interface SourceSummary {
  readonly name: string;
  readonly rule: PowerTrace['rule'];
  readonly clock: PowerTrace['clock'];
  readonly synthetic: boolean;
  readonly estimate: boolean;
  readonly samples: number;
  readonly durationS: number;
  readonly intervalS: number;
  readonly refreshS: number;
  /** Step of a value in W or J, declared or shown by the values. */
  readonly resolution: number;
  /** Time until a change of power is all in the values, in seconds, declared or shown. */
  readonly responseS: number;
  readonly gaps: number;
  readonly gapS: number;
  readonly counts: LogCounts;
  readonly sha256: string;
}

/** How host and logger were tied; null where the trace has the host's clock. */
export interface ClockSummary {
  readonly line: string;
  readonly driftPpm: number;
  readonly driftIntervalPpm: number;
  readonly residualSdS: number;
  readonly residualMaxS: number;
  readonly edges: number;
  readonly outliers: number;
  readonly lostEdges: number;
  readonly spuriousEdges: number;
  readonly glitches: number;
  readonly bounces: number;
}

/** Subject over reference, for one function and input. */
export interface EnergyRatio extends CellName {
  readonly against: string;
  readonly energy: Bounded;
  readonly time: Bounded;
  readonly power: Bounded;
  readonly blocks: number;
  /** False when the interval of the energy ratio contains 1 or has no bounds: then no difference is claimed. */
  readonly different: boolean;
  /** Why there are no bounds. */
  readonly reason: string | null;
}

/** How many windows of a target can be resolved, and how their times are known. */
export interface TargetVerdicts {
  readonly target: string;
  readonly verdicts: Readonly<Record<Verdict, number>>;
  /** Windows by how their times are known. */
  readonly states: Readonly<Record<string, number>>;
}

/** Energies of a run that were measured. */
export interface EnergyMeasured {
  readonly state: 'measured';
  /** True when power, marks or both were made up. */
  readonly synthetic: boolean;
  readonly source: SourceSummary;
  readonly clock: ClockSummary | null;
  /** How, where it was neither that clock nor edges. */
  readonly tied: string | null;
  readonly idle: { readonly levels: readonly IdleSummary[]; readonly noiseW: number; readonly wanderW: number } | null;
  readonly reference: string;
  readonly cells: readonly EnergyCell[];
  readonly ratios: readonly EnergyRatio[];
  /** Time ratios of single calls beside those of the windows. */
  readonly singleCalls: readonly SingleCallRatio[];
  readonly breakEvens: readonly EnergyBreakEven[];
  readonly carryOver: CarryOver;
  readonly targets: readonly TargetVerdicts[];
  readonly incomplete: readonly string[];
}

/** Mean power of one guard and its standard error, in W; times in s. */
export interface IdleSummary {
  readonly startS: number;
  readonly endS: number;
  readonly meanW: number;
  readonly errorW: number;
}

/** No source was recorded, or what was recorded cannot be used: there is no energy then, and no 0 either. */
export interface EnergyMissing {
  readonly state: 'no source' | 'refused';
  readonly synthetic: boolean;
  readonly reason: string;
}
