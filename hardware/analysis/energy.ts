/**
 * Energy of marked windows: gross and net with their uncertainty, and whether one window, only a batch of them, or
 * neither can be told from this source. Pure functions; 95 % intervals are +-1.96 standard uncertainties.
 */

import { NORMAL_BOUND_95 } from '../../statistics/normal.ts';
import { standardDeviation } from '../../statistics/moments.ts';
import { idlePowerAt, partMeans, type Baseline } from './baseline.ts';
import type { BoundaryPower, PowerIntegral } from './integral.ts';

/** Where a window lies on the trace's clock; the uncertainties are standard ones, 0 when left out. */
export interface EnergyWindow {
  readonly startS: number;
  readonly endS: number;
  readonly startUncertaintyS?: number;
  readonly endUncertaintyS?: number;
  /** True for many like calls back to back: power at its ends is that of its middle. */
  readonly steady?: boolean;
  /** Length of one of them, in seconds. */
  readonly callS?: number;
}

/** A value with its standard uncertainty and 95 % interval, in J. */
export interface Energy {
  readonly valueJ: number;
  readonly uncertaintyJ: number;
  readonly lowJ: number;
  readonly highJ: number;
  /** The part of `uncertaintyJ` that like windows of a run share, as rounding: their mean has all of it. */
  readonly sharedJ: number;
}

/** What is against telling the energy of a window by itself. */
export type ReasonCode =
  | 'few-samples'
  | 'few-refreshes'
  | 'slow-response'
  | 'uncovered'
  | 'steps'
  | 'uncertain'
  | 'locked'
  | 'differs';

/** One thing against a window, with what is needed and what was found. */
export interface Reason {
  readonly code: ReasonCode;
  readonly text: string;
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
  readonly reasons: readonly Reason[];
  readonly synthetic: boolean;
}

/** Share of a window that may have no samples. */
const UNCOVERED_SHARE = 0.001;

/** Fewest samples, refreshes and responses in a window, and greatest relative uncertainty, that count as resolved. */
const RESOLVABLE = { samples: 10, refreshes: 5, responses: 5, relativeUncertainty: 0.1 } as const;

function energyOf(valueJ: number, ownJ: number, sharedJ: number): Energy {
  const uncertaintyJ = Math.hypot(ownJ, sharedJ);
  const halfJ = NORMAL_BOUND_95 * uncertaintyJ;
  return { valueJ, uncertaintyJ, lowJ: valueJ - halfJ, highJ: valueJ + halfJ, sharedJ };
}

/** The same value, less certain by a standard uncertainty of its own that is not shared, in J. */
export function widened(energy: Energy, byJ: number): Energy {
  const { valueJ, uncertaintyJ, sharedJ } = energy;
  return energyOf(valueJ, Math.hypot(Math.sqrt(Math.max(0, uncertaintyJ ** 2 - sharedJ ** 2)), byJ), sharedJ);
}

/** Power above a level over a boundary's interval, in W: where in it the boundary lies is not known. */
function rootMeanSquareW({ fromW, toW }: BoundaryPower, aboveW: number): number {
  const from = fromW - aboveW;
  const to = toW - aboveW;
  return Math.sqrt((from * from + from * to + to * to) / 3);
}

/** Everything against a window: too little of it, too slow a source, too coarse a one. */
function reasonsAgainst(
  integral: PowerIntegral,
  durationS: number,
  samples: number,
  energy: Energy | undefined,
): Reason[] {
  const reasons: Reason[] = [];
  const against = (code: ReasonCode, text: string): void => void reasons.push({ code, text });
  const { refreshS, responseS } = integral;
  const { samples: fewest, refreshes, responses } = RESOLVABLE;
  if (samples < fewest) against('few-samples', `${samples} samples, ${fewest} are needed`);
  if (durationS < refreshes * refreshS) {
    against('few-refreshes', `${durationS} s long, ${refreshes} refreshes of ${refreshS} s are needed`);
  }
  if (responseS > refreshS && durationS < responses * responseS) {
    const slow = `the source takes ${Number(responseS.toPrecision(3))} s to show a change of power`;
    against('slow-response', `${durationS} s long, ${slow}, ${responses} times that is needed`);
  }
  if (energy === undefined) against('uncovered', 'too much of it has no samples');
  else reasons.push(...tooUncertain(integral, energy));
  return reasons;
}

/** Whether an energy is too uncertain to be told by itself, and whether steps alone make it so. */
export function tooUncertain({ step, trace }: PowerIntegral, { valueJ, uncertaintyJ, sharedJ }: Energy): Reason[] {
  const most = RESOLVABLE.relativeUncertainty * Math.abs(valueJ);
  if (uncertaintyJ < most) return [];
  const percent = (partJ: number): string => `${((100 * partJ) / Math.abs(valueJ)).toPrecision(3)} %`;
  const needed = `less than ${100 * RESOLVABLE.relativeUncertainty} % is needed`;
  if (sharedJ >= most) {
    const unit = trace.rule === 'counter' ? 'J' : 'W';
    return [{ code: 'steps', text: `uncertain by ${percent(sharedJ)} from steps of ${step} ${unit} alone, ${needed}` }];
  }
  return [{ code: 'uncertain', text: `uncertain by ${percent(uncertaintyJ)}, ${needed}` }];
}

/** What the samples say of a window. */
interface FromSamples {
  readonly energyJ: number;
  /** Standard uncertainty that is this window's own, in J. */
  readonly ownJ: number;
}

/** Standard deviation of one new value in a stretch, in W: as noisy as idle at least. */
function sampleNoiseW(integral: PowerIntegral, startS: number, endS: number, idleNoiseW: number): number {
  const within = integral.trace.rule === 'counter' ? 0 : integral.variationW(startS, endS);
  return Math.max(idleNoiseW, Number.isNaN(within) ? 0 : within);
}

/** Standard uncertainty of a stretch's energy from noise, variation between samples and a counter's steps, in J. */
function noiseJ(integral: PowerIntegral, startS: number, endS: number, idleNoiseW: number): number {
  // Two readings, each rounded down by up to a step: the difference of two uniform errors.
  if (integral.trace.rule === 'counter') return integral.step / Math.sqrt(6);
  // Values that repeat until the next refresh share their error.
  const repeats = Math.max(1, integral.refreshS / integral.intervalS);
  const { weightS2 } = integral.over(startS, endS);
  return sampleNoiseW(integral, startS, endS, idleNoiseW) * Math.sqrt(weightS2 * repeats);
}

/** The same of a steady stretch: variation that lasts longer than a sample shows in the means of its parts. */
function steadyNoiseJ(integral: PowerIntegral, startS: number, endS: number, idleNoiseW: number): number {
  const whiteJ = noiseJ(integral, startS, endS, idleNoiseW);
  const means = partMeans(integral, startS, endS);
  const durationS = endS - startS;
  const isFine = durationS / means.length >= 2 * Math.max(integral.refreshS, integral.intervalS);
  if (integral.trace.rule !== 'instant' || !isFine) return whiteJ;
  return Math.max(whiteJ, (durationS * standardDeviation(means)) / Math.sqrt(means.length));
}

/** Both ends as they are marked. A slow source shows at the start what was before, and after the end what was in it. */
function markedEnds(integral: PowerIntegral, window: EnergyWindow, idleW: number, idleNoiseW: number): FromSamples {
  const { startS, endS, steady } = window;
  const stretch = integral.over(startS, endS);
  const noise = steady === true ? steadyNoiseJ : noiseJ;
  const shownLateJ = (integral.responseS / 2) * Math.abs(stretch.energyJ / (endS - startS) - idleW);
  // Where in an interval the load's step lies is random by the host's clock; a fit of edges that samples show may be late by part of one.
  const isExact = (window.startUncertaintyS ?? 0) === 0 && (window.endUncertaintyS ?? 0) === 0;
  const missedJ = isExact ? stretch.missedJ : 0;
  const mayMissJ = isExact ? 0 : stretch.missedJ;
  const ownJ = Math.hypot(noise(integral, startS, endS, idleNoiseW), stretch.boundaryJ, mayMissJ, shownLateJ);
  return { energyJ: stretch.energyJ + missedJ, ownJ };
}

const MOST_PARTS = 200;

/** A value may be late by as many of the source's own intervals without being told from one that is not. */
const LATE_INTERVALS = 2;

/**
 * A steady window: power is the mean of what is shown from one response after the start to the end, all of which happened in
 * the window. What is not shown there differs from the mean as parts of that length differ from each other.
 */
function steadyMiddle(integral: PowerIntegral, window: EnergyWindow, idleNoiseW: number): FromSamples | undefined {
  const middle = middleOf(integral, window);
  if (middle === undefined) return undefined;
  const { fromS, toS, parts } = middle;
  const seenS = toS - fromS;
  const durationS = window.endS - window.startS;
  const stretch = integral.over(fromS, toS);
  if (stretch.uncoveredS > UNCOVERED_SHARE * seenS) return undefined;
  const unseenS = durationS - seenS;
  const differsW = standardDeviation(partMeans(integral, fromS, toS, parts));
  const grown = durationS / seenS;
  const ownJ = Math.hypot(grown * steadyNoiseJ(integral, fromS, toS, idleNoiseW), unseenS * differsW);
  return { energyJ: grown * stretch.energyJ, ownJ };
}

/** Calls of fewer samples are as good as none: their parts are not seen. */
const SAMPLES_OF_CALL = 2;

/**
 * What of a steady window is shown for certain: whole calls where they are seen, so that it is no matter where in a call it
 * begins; and in how many parts it shows how the rest may differ: calls, or parts as long as what is not shown.
 */
function middleOf(
  integral: PowerIntegral,
  { startS, endS, callS = 0 }: EnergyWindow,
): { readonly fromS: number; readonly toS: number; readonly parts: number } | undefined {
  const { timeS } = integral.trace;
  const hiddenS = Math.max(integral.responseS, LATE_INTERVALS * integral.intervalS);
  const { first, last } = integral.samplesWithin(startS + hiddenS, endS);
  const least = RESOLVABLE.refreshes;
  if (last - first < least) return undefined;
  const fromS = timeS[first] as number;
  const toS = timeS[last] as number;
  const calls = callS < SAMPLES_OF_CALL * integral.intervalS ? 0 : Math.floor((toS - fromS) / callS);
  if (calls >= least) return { fromS, toS: fromS + calls * callS, parts: Math.min(MOST_PARTS, calls) };
  const parts = (toS - fromS) / (endS - startS - (toS - fromS));
  return { fromS, toS, parts: Math.round(Math.min(MOST_PARTS, Math.max(least, parts))) };
}

/**
 * The energy of one window. u(net)^2 = u(gross)^2 + (T * u(idle))^2, where each boundary's time counts with the power
 * that it moves in or out, and steps of the source count in full in both.
 * @param baseline without one there is no net energy, and noise is what varies within the window
 */
export function measureWindow(integral: PowerIntegral, window: EnergyWindow, baseline?: Baseline): WindowEnergy {
  const durationS = window.endS - window.startS;
  const stretch = integral.over(window.startS, window.endS);
  const covered = durationS > 0 && stretch.uncoveredS <= UNCOVERED_SHARE * durationS;
  const idle = baseline === undefined ? undefined : idlePowerAt(baseline, (window.startS + window.endS) / 2);
  const fromClockJ = (aboveW: number): number =>
    Math.hypot(
      rootMeanSquareW(stretch.start, aboveW) * (window.startUncertaintyS ?? 0),
      rootMeanSquareW(stretch.end, aboveW) * (window.endUncertaintyS ?? 0),
    );
  let gross: Energy | undefined;
  let net: Energy | undefined;
  if (covered) {
    const noiseW = baseline?.noiseW ?? 0;
    const { energyJ, ownJ } =
      (window.steady === true ? steadyMiddle(integral, window, noiseW) : undefined) ??
      markedEnds(integral, window, idle?.powerW ?? 0, noiseW);
    // A load of several powers passes for dither; where idle showed none there is none.
    const roundedW = Math.max(baseline?.sharedW ?? 0, integral.roundingW(window.startS, window.endS));
    gross = energyOf(energyJ, Math.hypot(ownJ, fromClockJ(0)), durationS * roundedW);
    if (idle !== undefined) {
      const netJ = energyJ - idle.powerW * durationS;
      const ownNetJ = Math.hypot(ownJ, fromClockJ(idle.powerW), durationS * idle.uncertaintyW);
      net = energyOf(netJ, ownNetJ, durationS * Math.hypot(roundedW, idle.sharedW));
    }
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
