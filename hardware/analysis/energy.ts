/**
 * Energy of marked windows: gross and net with their uncertainty, and whether one window, only a batch of them, or
 * neither can be told from this source. Pure functions; 95 % intervals are +-1.96 standard uncertainties.
 */

import { NORMAL_BOUND_95 } from '../../statistics/normal.ts';
import { idlePowerAt, type Baseline } from './baseline.ts';
import type { BoundaryPower, PowerIntegral } from './integral.ts';

/** Where a window lies on the trace's clock; the uncertainties are standard ones, 0 when left out. */
export interface EnergyWindow {
  readonly startS: number;
  readonly endS: number;
  readonly startUncertaintyS?: number;
  readonly endUncertaintyS?: number;
}

/** A value with its standard uncertainty and 95 % interval, in J. */
export interface Energy {
  readonly valueJ: number;
  readonly uncertaintyJ: number;
  readonly lowJ: number;
  readonly highJ: number;
}

/** What a source can say about a window: of it alone, only of many together, or nothing. */
export type Verdict = 'resolvable' | 'batch-only' | 'unresolvable';

/** What a recording says of one window; times in s. */
export interface WindowEnergy {
  readonly durationS: number;
  readonly samples: number;
  readonly uncoveredS: number;
  /** All energy of the window; undefined when too much of it has no samples. */
  readonly gross: Energy | undefined;
  /** Without what the machine would have drawn idle; may be negative. Undefined without baseline or gross. */
  readonly net: Energy | undefined;
  readonly idleW: number | undefined;
  readonly idleExtrapolated: boolean;
  /** Whether the window alone can be resolved, and what is against it. */
  readonly resolvable: boolean;
  readonly reasons: readonly string[];
  readonly synthetic: boolean;
}

/** Share of a window that may have no samples. */
const UNCOVERED_SHARE = 0.001;

/** Fewest samples and refreshes in a window, and greatest relative uncertainty, that count as resolved. */
const RESOLVABLE = { samples: 10, refreshes: 5, relativeUncertainty: 0.1 } as const;

function energyOf(valueJ: number, uncertaintyJ: number): Energy {
  const halfJ = NORMAL_BOUND_95 * uncertaintyJ;
  return { valueJ, uncertaintyJ, lowJ: valueJ - halfJ, highJ: valueJ + halfJ };
}

/** Standard uncertainty from the samples' noise and steps, in J. */
function noiseJ(integral: PowerIntegral, weightS2: number, noiseW: number): number {
  const { rule, refreshS, resolution } = integral.trace;
  // Two readings, each rounded to a step: uniform over it.
  if (rule === 'counter') return resolution / Math.sqrt(6);
  // Values that repeat until the next refresh share their error.
  const repeats = Math.max(1, refreshS / integral.intervalS);
  const sampleW = Math.hypot(noiseW, resolution / Math.sqrt(12));
  return sampleW * Math.sqrt(weightS2 * repeats);
}

/** Power above a level over a boundary's interval, in W: where in it the boundary lies is not known. */
function rootMeanSquareW({ fromW, toW }: BoundaryPower, aboveW: number): number {
  const from = fromW - aboveW;
  const to = toW - aboveW;
  return Math.sqrt((from * from + from * to + to * to) / 3);
}

function reasonsAgainst(
  integral: PowerIntegral,
  durationS: number,
  samples: number,
  energy: Energy | undefined,
): string[] {
  const reasons: string[] = [];
  const { refreshS } = integral.trace;
  if (samples < RESOLVABLE.samples) reasons.push(`${samples} samples, ${RESOLVABLE.samples} are needed`);
  if (durationS < RESOLVABLE.refreshes * refreshS) {
    reasons.push(`${durationS} s long, ${RESOLVABLE.refreshes} refreshes of ${refreshS} s are needed`);
  }
  if (energy === undefined) reasons.push('too much of it has no samples');
  else if (!(energy.uncertaintyJ < RESOLVABLE.relativeUncertainty * Math.abs(energy.valueJ))) {
    const share = ((100 * energy.uncertaintyJ) / Math.abs(energy.valueJ)).toPrecision(3);
    reasons.push(`uncertain by ${share} %, less than ${100 * RESOLVABLE.relativeUncertainty} % is needed`);
  }
  return reasons;
}

/**
 * The energy of one window. u(net)^2 = u(gross)^2 + (T * u(idle))^2, where each boundary's time counts with the power
 * that it moves in or out.
 * @param baseline without one there is no net energy, and the noise of a sample is taken as its resolution only
 */
export function measureWindow(integral: PowerIntegral, window: EnergyWindow, baseline?: Baseline): WindowEnergy {
  const durationS = window.endS - window.startS;
  const stretch = integral.over(window.startS, window.endS);
  const covered = durationS > 0 && stretch.uncoveredS <= UNCOVERED_SHARE * durationS;
  const idle = baseline === undefined ? undefined : idlePowerAt(baseline, (window.startS + window.endS) / 2);
  const fromSamplesJ = Math.hypot(noiseJ(integral, stretch.weightS2, baseline?.noiseW ?? 0), stretch.boundaryJ);
  const fromClockJ = (aboveW: number): number =>
    Math.hypot(
      rootMeanSquareW(stretch.start, aboveW) * (window.startUncertaintyS ?? 0),
      rootMeanSquareW(stretch.end, aboveW) * (window.endUncertaintyS ?? 0),
    );
  const gross = covered ? energyOf(stretch.energyJ, Math.hypot(fromSamplesJ, fromClockJ(0))) : undefined;
  let net: Energy | undefined;
  if (covered && idle !== undefined) {
    const ownJ = Math.hypot(fromSamplesJ, fromClockJ(idle.powerW));
    net = energyOf(stretch.energyJ - idle.powerW * durationS, Math.hypot(ownJ, durationS * idle.uncertaintyW));
  }
  const reasons = reasonsAgainst(integral, durationS, stretch.samples, net ?? gross);
  return {
    durationS,
    samples: stretch.samples,
    uncoveredS: stretch.uncoveredS,
    gross,
    net,
    idleW: idle?.powerW,
    idleExtrapolated: idle?.extrapolated ?? false,
    resolvable: reasons.length === 0,
    reasons,
    synthetic: integral.trace.synthetic,
  };
}

/** What can be said about one window, given the batch of like windows that it is one of. */
export function verdictOf(window: WindowEnergy, batch?: WindowEnergy): Verdict {
  if (window.resolvable) return 'resolvable';
  return batch?.resolvable === true ? 'batch-only' : 'unresolvable';
}

/** The window from the first start to the last end of a batch's windows, in order of time. */
export function batchWindow(windows: readonly EnergyWindow[]): EnergyWindow | undefined {
  const first = windows[0];
  const last = windows.at(-1);
  if (first === undefined || last === undefined) return undefined;
  return {
    startS: first.startS,
    endS: last.endS,
    startUncertaintyS: first.startUncertaintyS ?? 0,
    endUncertaintyS: last.endUncertaintyS ?? 0,
  };
}
