/** What a call costs at each rate of a sweep, from a recording of power beside it. Pure. */

import { LOCKED, phaseLock } from '../../hardware/analysis/aliasing.ts';
import { measureBaseline } from '../../hardware/analysis/baseline.ts';
import { measureWindow, type Energy } from '../../hardware/analysis/energy.ts';
import { PowerIntegral } from '../../hardware/analysis/integral.ts';
import { shownResponseS } from '../../hardware/analysis/response.ts';
import type { PowerTrace } from '../../hardware/analysis/trace.ts';
import { scaled, type Bounded } from '../energy/bounded.ts';
import type { LoadStep } from './step.ts';

/** A stretch of the host's monotonic clock, in s. */
export interface Stretch {
  readonly startS: number;
  readonly endS: number;
}

/** Power and energy of one step. Null where the source cannot tell them. */
export interface StepEnergy {
  readonly target: string;
  readonly ratePerSecond: number;
  readonly answeredPerSecond: number;
  /** Mean power above the idle machine, in W. */
  readonly aboveIdleW: Bounded | null;
  /** Energy of a call above the idle machine, and with it, in J. */
  readonly netJ: Bounded | null;
  readonly grossJ: Bounded | null;
  /** Why a step has none, or what makes it uncertain. */
  readonly reasons: readonly string[];
}

/** Energies of a sweep. */
export interface LoadEnergy {
  readonly source: string;
  readonly synthetic: boolean;
  readonly estimate: boolean;
  /** Idle power, in W. */
  readonly idleW: number;
  readonly steps: readonly StepEnergy[];
}

/** A recording beside a sweep, on the host's clock. */
export interface LoadRecording {
  readonly trace: PowerTrace;
  readonly estimate: boolean;
  /** Stretches in which nothing was sent. */
  readonly guards: readonly Stretch[];
}

/** Energies of all steps. @throws HardwareError TRACE_INVALID, where no guard has samples */
export function energyOfSteps({ trace, estimate, guards }: LoadRecording, steps: readonly LoadStep[]): LoadEnergy {
  const shown = new PowerIntegral(trace);
  const responseS = shownResponseS(
    shown,
    steps.map(({ startS, endS }) => ({ startS, endS, steady: true })),
  );
  const integral = responseS > shown.responseS ? new PowerIntegral(trace, { responseS }) : shown;
  // A slow source still shows what was before a guard.
  const baseline = measureBaseline(
    integral,
    guards.map(({ startS, endS }) => ({ startS: startS + integral.responseS, endS })),
  );
  return {
    source: trace.source,
    synthetic: trace.synthetic,
    estimate,
    idleW: baseline.levels.reduce((sum, { meanW }) => sum + meanW, 0) / baseline.levels.length,
    steps: steps.map((step) => {
      const { target, ratePerSecond, answeredPerSecond, answered, startS, endS } = step;
      const { net, gross, reasons } = measureWindow(integral, { startS, endS, steady: true }, baseline);
      const isLocked = phaseLock(integral, startS, endS, 1 / ratePerSecond) > LOCKED;
      const locked = `samples each ${Number(integral.intervalS.toPrecision(4))} s keep step with requests each ${Number((1 / ratePerSecond).toPrecision(4))} s`;
      const perCall = (energy: Energy | undefined): Bounded | null =>
        energy === undefined || answered === 0 || isLocked ? null : scaled(boundedOf(energy), 1 / answered);
      return {
        target,
        ratePerSecond,
        answeredPerSecond,
        aboveIdleW: net === undefined || isLocked ? null : scaled(boundedOf(net), 1 / (endS - startS)),
        netJ: perCall(net),
        grossJ: perCall(gross),
        reasons: [...(isLocked ? [locked] : []), ...reasons.map(({ text }) => text)],
      };
    }),
  };
}

const boundedOf = ({ valueJ, lowJ, highJ }: Energy): Bounded => ({ value: valueJ, low: lowJ, high: highJ });
