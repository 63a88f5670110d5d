/** A meter that reads a known curve with every fault that meters have: refresh, mean, lag, steps, noise, a clock of its own. */

import type { PowerTrace, SampleRule } from '../../../../hardware/analysis/trace.ts';
import { normalFrom } from '../../../../statistics/normal.ts';
import type { Random } from '../../../../statistics/random.ts';
import type { Curve } from './load.ts';

/** What a meter is like, whatever it says of itself. */
export interface MeterKind {
  readonly rule: SampleRule;
  /** Time between two readings, in seconds, and by how much of it each is late at random. */
  readonly pollS: number;
  readonly jitter: number;
  /** Time between new values where it is longer than the time between readings. */
  readonly refreshS: number;
  /** Length of the mean that a value is; 0 for the power at its time. */
  readonly meanS: number;
  /** How late a value is. */
  readonly lagS: number;
  /** Time constant of a low-pass before all else: a value follows a step as 1 - exp(-t / smoothS). */
  readonly smoothS: number;
  /** Steps in W, or J of a counter; 0 for none. */
  readonly step: number;
  readonly noiseW: number;
  /** What it says of itself. */
  readonly says: { readonly refreshS?: number; readonly resolution?: number };
}

const STEPS_OF_SMOOTHING = 40;

/** What the meter takes in at a time: the curve through its low-pass, as a sum of many equally likely delays. */
function smoothedJ(curve: Curve, timeS: number, smoothS: number): number {
  if (smoothS === 0) return curve.energyJ(timeS);
  let sum = 0;
  for (let at = 0; at < STEPS_OF_SMOOTHING; at++) {
    sum += curve.energyJ(timeS + smoothS * Math.log(1 - (at + 0.5) / STEPS_OF_SMOOTHING));
  }
  return sum / STEPS_OF_SMOOTHING;
}

function valueAt(kind: MeterKind, curve: Curve, timeS: number, random: Random): number {
  const { rule, step, noiseW, lagS, meanS, smoothS } = kind;
  const atS = timeS - lagS;
  if (rule === 'counter') {
    const energyJ = curve.energyJ(atS);
    return step > 0 ? step * Math.floor(energyJ / step) : energyJ;
  }
  const spanS = meanS > 0 ? meanS : smoothS > 0 ? smoothS / 100 : 0;
  const exact =
    spanS > 0 ? (smoothedJ(curve, atS, smoothS) - smoothedJ(curve, atS - spanS, smoothS)) / spanS : curve.powerW(atS);
  const powerW = exact + noiseW * normalFrom(random);
  return step > 0 ? Number((step * Math.round(powerW / step)).toFixed(9)) : powerW;
}

/** Reads a curve from `fromS` to `untilS`; times are the host's, in seconds. */
export function readCurve(
  kind: MeterKind,
  curve: Curve,
  span: { readonly fromS: number; readonly untilS: number },
  random: Random,
): PowerTrace {
  const { pollS, jitter, refreshS } = kind;
  const times: number[] = [];
  const values: number[] = [];
  const firstS = span.fromS + random() * pollS;
  const refreshFromS = span.fromS - random() * refreshS;
  let held = Number.NaN;
  let renewal = -1;
  for (let at = 0; ; at++) {
    const timeS = firstS + (at + jitter * random()) * pollS;
    if (timeS > span.untilS) break;
    if (refreshS <= pollS) held = valueAt(kind, curve, timeS, random);
    else {
      const latest = Math.floor((timeS - refreshFromS) / refreshS);
      if (latest !== renewal) held = valueAt(kind, curve, refreshFromS + latest * refreshS, random);
      renewal = latest;
    }
    times.push(timeS);
    values.push(held);
  }
  return {
    source: 'generated',
    rule: kind.rule,
    clock: 'host-monotonic',
    synthetic: true,
    timeS: Float64Array.from(times),
    value: Float64Array.from(values),
    refreshS: kind.says.refreshS ?? pollS,
    resolution: kind.says.resolution ?? 0,
    breaks: [],
  };
}
