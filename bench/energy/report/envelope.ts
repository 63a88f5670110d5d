/** A trace thinned for a figure: mean, lowest and highest power of equal stretches. Pure. */

import type { PowerIntegral } from '../../../hardware/analysis/integral.ts';

/** Least and greatest power within one column of a figure; time in s, power in W. */
export interface EnvelopePoint {
  readonly timeS: number;
  readonly meanW: number;
  readonly lowW: number;
  readonly highW: number;
}

/** Stretches of which more than half has no samples are left out. */
export function envelopeOf(integral: PowerIntegral, fromS: number, toS: number, count: number): EnvelopePoint[] {
  const { timeS, value, rule } = integral.trace;
  const stepS = (toS - fromS) / count;
  const points: EnvelopePoint[] = [];
  let index = timeS.findIndex((each) => each >= fromS);
  if (index < 0) return points;
  for (let bucket = 0; bucket < count; bucket++) {
    const startS = fromS + bucket * stepS;
    const endS = startS + stepS;
    const { energyJ, uncoveredS } = integral.over(startS, endS);
    const meanW = energyJ / (stepS - uncoveredS);
    let lowW = meanW;
    let highW = meanW;
    for (; index < timeS.length && (timeS[index] as number) < endS; index++) {
      if (rule === 'counter') continue;
      lowW = Math.min(lowW, value[index] as number);
      highW = Math.max(highW, value[index] as number);
    }
    if (uncoveredS <= stepS / 2) points.push({ timeS: (startS + endS) / 2, meanW, lowW, highW });
  }
  return points;
}
