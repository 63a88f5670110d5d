/** The integral of a power trace, prepared once so that each of many windows costs two binary searches. */

import { medianIntervalS, requireTrace, type PowerTrace } from './trace.ts';

/** What the trace says about one stretch of time. */
export interface Stretch {
  /** Energy over the covered part, in J. */
  readonly energyJ: number;
  /** Time without samples, in seconds: gaps, and what lies outside the trace. */
  readonly uncoveredS: number;
  /** Samples with a time inside the stretch. */
  readonly samples: number;
  /** Sum of the squared weights of the samples, in s^2: times their variance it is the variance of the energy. */
  readonly weightS2: number;
  /** Power where the stretch starts and ends, in W; NaN where the trace does not cover it. */
  readonly startW: number;
  readonly endW: number;
  /** Standard uncertainty from not knowing how power changed within the interval of each boundary, in J. */
  readonly boundaryJ: number;
}

export interface IntegralOptions {
  /** A longer interval is a gap, in seconds; default one and a half median intervals. */
  readonly gapS?: number;
}

/**
 * Integrates by the trace's rule: the trapezoid with interpolated boundaries for instants, steps for averages,
 * differences for counters. Nothing is put across a gap.
 */
export class PowerIntegral {
  readonly trace: PowerTrace;
  readonly intervalS: number;
  /** Gaps inside the trace, and how long they are together. */
  readonly gaps: number;
  readonly gapS: number;
  readonly #open: Uint8Array;
  readonly #energyJ: Float64Array;
  readonly #coveredS: Float64Array;
  readonly #weightS2: Float64Array;

  /** @throws HardwareError TRACE_INVALID */
  constructor(trace: PowerTrace, options: IntegralOptions = {}) {
    this.trace = requireTrace(trace);
    const { timeS } = trace;
    this.intervalS = medianIntervalS(timeS);
    const limitS = options.gapS ?? 1.5 * this.intervalS;
    this.#open = new Uint8Array(timeS.length);
    this.#energyJ = new Float64Array(timeS.length);
    this.#coveredS = new Float64Array(timeS.length);
    this.#weightS2 = new Float64Array(timeS.length);
    const breaks = new Set(trace.breaks);
    let gaps = 0;
    let gapS = 0;
    for (let index = 0; index + 1 < timeS.length; index++) {
      const widthS = (timeS[index + 1] as number) - (timeS[index] as number);
      // A counter knows what flowed while nobody read it; only a reset hides that.
      const open = breaks.has(index) || (widthS > limitS && trace.rule !== 'counter');
      this.#open[index] = open ? 1 : 0;
      if (open) {
        gaps++;
        gapS += widthS;
      }
      const next = index + 1;
      this.#energyJ[next] = (this.#energyJ[index] as number) + (open ? 0 : this.#partJ(index, 0, 1));
      this.#coveredS[next] = (this.#coveredS[index] as number) + (open ? 0 : widthS);
      this.#weightS2[next] = (this.#weightS2[index] as number) + (open ? 0 : widthS * widthS);
    }
    this.gaps = gaps;
    this.gapS = gapS;
  }

  /** Power at a share of the interval after sample `index`, in W. */
  #powerW(index: number, share: number): number {
    const { rule, value, timeS } = this.trace;
    const here = value[index] as number;
    const next = value[index + 1] as number;
    if (rule === 'average') return next;
    if (rule === 'instant') return here + share * (next - here);
    return (next - here) / ((timeS[index + 1] as number) - (timeS[index] as number));
  }

  /** Energy between two shares of the interval after sample `index`, in J. */
  #partJ(index: number, from: number, to: number): number {
    const widthS = (this.trace.timeS[index + 1] as number) - (this.trace.timeS[index] as number);
    return ((this.#powerW(index, from) + this.#powerW(index, to)) / 2) * (to - from) * widthS;
  }

  /** Index of the interval that holds a time; -1 before the trace, the last sample's index at or after its end. */
  #intervalAt(timeS: number): number {
    const times = this.trace.timeS;
    let low = 0;
    let high = times.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((times[middle] as number) <= timeS) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Sums from the trace's start to a time within it. */
  #upTo(timeS: number): { energyJ: number; coveredS: number; weightS2: number; powerW: number; stepJ: number } {
    const times = this.trace.timeS;
    const last = times.length - 1;
    const index = Math.min(this.#intervalAt(timeS), last - 1);
    const startS = times[index] as number;
    const widthS = (times[index + 1] as number) - startS;
    const share = (timeS - startS) / widthS;
    const open = this.#open[index] === 1;
    const partS = share * widthS;
    return {
      energyJ: (this.#energyJ[index] as number) + (open ? 0 : this.#partJ(index, 0, share)),
      coveredS: (this.#coveredS[index] as number) + (open ? 0 : partS),
      weightS2: (this.#weightS2[index] as number) + (open ? 0 : partS * widthS),
      powerW: open ? Number.NaN : this.#powerW(index, share),
      stepJ: open ? 0 : this.#stepJ(index, widthS),
    };
  }

  /**
   * Root mean square error of one boundary when power steps at a random place of its interval: step * width / sqrt(20)
   * for the trapezoid, / sqrt(30) for a mean that is spread evenly (by integration over the place).
   */
  #stepJ(index: number, widthS: number): number {
    const { rule, value } = this.trace;
    if (rule === 'instant') {
      return (Math.abs((value[index + 1] as number) - (value[index] as number)) * widthS) / Math.sqrt(20);
    }
    const last = value.length - 1;
    const before = this.#powerW(Math.max(0, index - 1), 0);
    const after = this.#powerW(Math.min(last - 1, index + 1), 0);
    return (Math.abs(after - before) * widthS) / Math.sqrt(30);
  }

  /** What the trace says about the time from `startS` to `endS`. */
  over(startS: number, endS: number): Stretch {
    const times = this.trace.timeS;
    const firstS = times[0] as number;
    const lastS = times.at(-1) as number;
    const fromS = Math.max(startS, firstS);
    const toS = Math.min(endS, lastS);
    if (!(toS > fromS)) {
      const nothing = { energyJ: 0, samples: 0, weightS2: 0, boundaryJ: 0 };
      return { ...nothing, uncoveredS: Math.max(0, endS - startS), startW: Number.NaN, endW: Number.NaN };
    }
    const low = this.#upTo(fromS);
    const high = this.#upTo(toS);
    const coveredS = high.coveredS - low.coveredS;
    const lostS = endS - startS - coveredS;
    return {
      energyJ: high.energyJ - low.energyJ,
      // Differences of long sums leave rounding behind that is no gap.
      uncoveredS: lostS > 1e-9 * (lastS - firstS) ? lostS : 0,
      samples: this.#intervalAt(toS) - this.#intervalAt(fromS) + (times[this.#intervalAt(fromS)] === fromS ? 1 : 0),
      weightS2: Math.max(0, high.weightS2 - low.weightS2),
      startW: startS >= firstS ? low.powerW : Number.NaN,
      endW: endS <= lastS ? high.powerW : Number.NaN,
      boundaryJ: Math.hypot(low.stepJ, high.stepJ),
    };
  }
}
