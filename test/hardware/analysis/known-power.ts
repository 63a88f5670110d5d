/** Power traces sampled from a power curve whose exact energy is known. */

import type { PowerTrace, SampleRule } from '../../../hardware/analysis/trace.ts';

/** Power that is constant between steps: `powerW` from `fromS` on. */
export type PowerCurve = readonly { readonly fromS: number; readonly powerW: number }[];

/** Exact energy of a curve between two times, in J. */
export function energyBetween(curve: PowerCurve, startS: number, endS: number): number {
  let energyJ = 0;
  for (const [index, step] of curve.entries()) {
    const untilS = curve[index + 1]?.fromS ?? Number.POSITIVE_INFINITY;
    const widthS = Math.min(endS, untilS) - Math.max(startS, step.fromS);
    if (widthS > 0) energyJ += widthS * step.powerW;
  }
  return energyJ;
}

function powerAt(curve: PowerCurve, timeS: number): number {
  let powerW = curve[0]?.powerW ?? 0;
  for (const step of curve) if (step.fromS <= timeS) powerW = step.powerW;
  return powerW;
}

export interface Sampling {
  readonly rule: SampleRule;
  readonly intervalS: number;
  readonly untilS: number;
  readonly noise?: () => number;
  readonly drop?: (index: number) => boolean;
}

/** Samples a curve from 0 s on. */
export function sampleCurve(curve: PowerCurve, sampling: Sampling): PowerTrace {
  const { rule, intervalS, noise = () => 0 } = sampling;
  const times: number[] = [];
  const values: number[] = [];
  for (let index = 0; index * intervalS <= sampling.untilS; index++) {
    if (sampling.drop?.(index) === true) continue;
    const timeS = index * intervalS;
    const beforeS = Math.max(0, timeS - intervalS);
    times.push(timeS);
    if (rule === 'counter') values.push(energyBetween(curve, 0, timeS) + noise());
    else if (rule === 'instant') values.push(powerAt(curve, timeS) + noise());
    else values.push(energyBetween(curve, beforeS, timeS) / Math.max(intervalS, 1e-12) + noise());
  }
  return {
    source: 'known',
    rule,
    clock: 'logger',
    synthetic: true,
    timeS: Float64Array.from(times),
    value: Float64Array.from(values),
    refreshS: intervalS,
    resolution: 0,
    breaks: [],
  };
}
