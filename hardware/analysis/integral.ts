/** The integral of a power trace, prepared once so that each of many windows costs two binary searches. */

import { NORMAL_BOUND_95 } from '../../statistics/normal.ts';
import { studentBound } from '../../statistics/student.ts';
import { roundingError, shownDither, shownStep } from './quantisation.ts';
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
  /** Power within the intervals where the stretch starts and ends. */
  readonly start: BoundaryPower;
  readonly end: BoundaryPower;
  /** What the energy lacks on average, because power changed within the interval of a boundary, in J: it is in no other field. */
  readonly missedJ: number;
  /** Standard uncertainty of that, in J. */
  readonly boundaryJ: number;
}

/** Power at both ends of the interval that a boundary lies in, in W; NaN where the trace does not cover it. */
export interface BoundaryPower {
  readonly fromW: number;
  readonly toW: number;
}

/** The sums up to a time, and the interval that it lies in. */
interface UpTo {
  readonly energyJ: number;
  readonly coveredS: number;
  readonly weightS2: number;
  readonly power: BoundaryPower;
  /** What a step of power within the interval hides: its mean, and its variance about that. */
  readonly biasJ: number;
  readonly varianceJ2: number;
}

/** Fewest changes in a stretch that say how much its values vary. */
const SEEN = 2;

const NO_POWER: BoundaryPower = { fromW: Number.NaN, toW: Number.NaN };

/** What counts as a gap. */
export interface IntegralOptions {
  /** A longer interval is a gap, in seconds; default what the trace says, or one and a half median intervals. */
  readonly gapS?: number;
  /** How long a change of power takes to be all in a value, in seconds, where the values show more than the source says. */
  readonly responseS?: number;
}

/** Values are renewed more slowly than they are read when the refresh is longer than this many intervals. */
const HELD = 1.5;

/** Fewest new values, and least share of readings that repeat the one before, that show a refresh. */
const REPEATS = { changes: 30, share: 0.25 } as const;

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
  /** Step of a value, in W or J: what the source says or what the values show, whichever is greater. */
  readonly step: number;
  /** Time between new values, in seconds: what the source says or what the values show, whichever is longer. */
  readonly refreshS: number;
  /** Time after which a change of power is all in the values, in seconds; 0 where they have it with their own interval. */
  readonly responseS: number;
  readonly #open: Uint8Array;
  readonly #energyJ: Float64Array;
  readonly #coveredS: Float64Array;
  readonly #weightS2: Float64Array;
  /** Sums of the squared differences of neighbours, and how many of them differ. */
  readonly #changeW2: Float64Array;
  readonly #changes: Uint32Array;

  /** @throws HardwareError TRACE_INVALID */
  constructor(trace: PowerTrace, options: IntegralOptions = {}) {
    this.trace = requireTrace(trace);
    const { timeS } = trace;
    this.intervalS = medianIntervalS(timeS);
    const limitS = options.gapS ?? trace.gapS ?? 1.5 * this.intervalS;
    this.#open = new Uint8Array(timeS.length);
    this.#energyJ = new Float64Array(timeS.length);
    this.#coveredS = new Float64Array(timeS.length);
    this.#weightS2 = new Float64Array(timeS.length);
    this.#changeW2 = new Float64Array(timeS.length);
    this.#changes = new Uint32Array(timeS.length);
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
      const change = open ? 0 : (trace.value[next] as number) - (trace.value[index] as number);
      this.#changeW2[next] = (this.#changeW2[index] as number) + change * change;
      this.#changes[next] = (this.#changes[index] as number) + (change === 0 ? 0 : 1);
    }
    this.gaps = gaps;
    this.gapS = gapS;
    this.step = Math.max(trace.resolution, shownStep(trace));
    this.refreshS = Math.max(trace.refreshS, this.#shownRefreshS());
    const heldS = this.refreshS > HELD * this.intervalS ? this.refreshS : 0;
    this.responseS = Math.max(options.responseS ?? 0, heldS + (trace.lagS ?? 0));
  }

  /** Values that repeat were not renewed, unless they are rounded, which lets them repeat as well. */
  #shownRefreshS(): number {
    const readings = this.trace.timeS.length;
    const changes = this.#changes[readings - 1] as number;
    const repeats = 1 - changes / (readings - 1);
    if (this.trace.rule === 'counter' || this.step > 0) return 0;
    if (changes < REPEATS.changes || repeats < REPEATS.share) return 0;
    return this.intervalS / (1 - repeats);
  }

  /** Indexes of the samples from a time to another one, both included. */
  samplesWithin(startS: number, endS: number): { readonly first: number; readonly last: number } {
    const before = this.#intervalAt(startS);
    const isThere = before >= 0 && this.trace.timeS[before] === startS;
    return { first: isThere ? before : before + 1, last: this.#intervalAt(endS) };
  }

  /**
   * Standard deviation of a new value within a stretch, in W, from the differences of neighbours (von Neumann 1941): noise,
   * and whatever power does between two values. Values that repeat say nothing. Of few values it is greater by as much as
   * Student's bound is than the normal one; NaN for fewer than two changes.
   */
  variationW(startS: number, endS: number): number {
    const { first, last } = this.samplesWithin(startS, endS);
    if (last - first < 1) return Number.NaN;
    const changes = (this.#changes[last] as number) - (this.#changes[first] as number);
    if (changes < SEEN) return Number.NaN;
    const squares = (this.#changeW2[last] as number) - (this.#changeW2[first] as number);
    return (Math.sqrt(squares / (2 * changes)) * studentBound(changes)) / NORMAL_BOUND_95;
  }

  /** What rounding adds to the mean of a stretch, in W: standard deviation. A counter's steps are no error of a mean. */
  roundingW(startS: number, endS: number): number {
    if (this.trace.rule === 'counter' || this.step === 0) return 0;
    const { first, last } = this.samplesWithin(startS, endS);
    const values = this.trace.value.subarray(first, last + 1);
    return roundingError(this.step, shownDither(values, this.step));
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
  #upTo(timeS: number): UpTo {
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
      power: open ? NO_POWER : { fromW: this.#powerW(index, 0), toW: this.#powerW(index, 1) },
      ...(open ? { biasJ: 0, varianceJ2: 0 } : this.#hidden(index, widthS)),
    };
  }

  /**
   * A window that begins where power rises, at a random place of an interval, misses rise * width / 6 of its energy on
   * average, and one that ends where power falls as much again: neither the trapezoid nor a mean spread evenly puts the step
   * where it was. Variance about that: (rise * width)^2 / 45 and / 180 (by integration over the place).
   */
  #hidden(index: number, widthS: number): { biasJ: number; varianceJ2: number } {
    const { rule, value } = this.trace;
    const last = value.length - 1;
    const instant = rule === 'instant';
    const before = instant ? (value[index] as number) : this.#powerW(Math.max(0, index - 1), 0);
    const after = instant ? (value[index + 1] as number) : this.#powerW(Math.min(last - 1, index + 1), 0);
    const riseJ = (after - before) * widthS;
    return { biasJ: riseJ / 6, varianceJ2: riseJ ** 2 / (instant ? 45 : 180) };
  }

  /** What the trace says about the time from `startS` to `endS`. */
  over(startS: number, endS: number): Stretch {
    const times = this.trace.timeS;
    const firstS = times[0] as number;
    const lastS = times.at(-1) as number;
    const fromS = Math.max(startS, firstS);
    const toS = Math.min(endS, lastS);
    if (!(toS > fromS)) {
      const nothing = { energyJ: 0, samples: 0, weightS2: 0, missedJ: 0, boundaryJ: 0 };
      return { ...nothing, uncoveredS: Math.max(0, endS - startS), start: NO_POWER, end: NO_POWER };
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
      start: startS >= firstS ? low.power : NO_POWER,
      end: endS <= lastS ? high.power : NO_POWER,
      // What both ends miss adds up: it is no noise, and has the same sign where a load begins and where it ends.
      missedJ: low.biasJ - high.biasJ,
      boundaryJ: Math.sqrt(low.varianceJ2 + high.varianceJ2),
    };
  }
}
