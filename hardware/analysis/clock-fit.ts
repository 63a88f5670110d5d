/** The line that takes the host's clock to the logger's: robust, with its drift, residuals and uncertainty. */

import { HardwareError } from '../instrument/errors.ts';
import { median, sorted } from '../../statistics/quantiles.ts';
import { robustDeviation } from '../../statistics/robust.ts';
import { studentBound } from '../../statistics/student.ts';

/** logger = offsetS + hostS + (rate - 1) * (hostS - referenceS), fitted over `edges` pairs. */
export interface ClockFit {
  /** Mean host time of the pairs, in seconds: the line is most certain there. */
  readonly referenceS: number;
  /** Logger time less host time at the reference, in seconds. */
  readonly offsetS: number;
  /** Logger seconds per host second. */
  readonly rate: number;
  /** (rate - 1) in parts per million. */
  readonly driftPpm: number;
  /** Half-width of the drift's 95 % interval, in parts per million. */
  readonly driftIntervalPpm: number;
  /** Pairs the line was fitted to. */
  readonly edges: number;
  /** Pairs left out because they lie farther from it than the host's own interval explains. */
  readonly outliers: number;
  /** Pairs left out because the host's interval was wide (it was interrupted while it wrote). */
  readonly wide: number;
  /** Host time between the first and last pair, in seconds. */
  readonly spanS: number;
  /** Standard deviation and greatest size of the kept pairs' residuals, in seconds. */
  readonly residualSdS: number;
  readonly residualMaxS: number;
  /** How far the best parabola leaves the line at the ends of the session, in seconds. */
  readonly curvatureS: number;
  /** Sum of the squared distances to the reference, in s^2. */
  readonly spreadS2: number;
}

/** One instant seen by both clocks. */
export interface ClockPair {
  readonly hostS: number;
  readonly loggerS: number;
  /** Half-width of the interval in which the host saw it, in seconds. */
  readonly halfWidthS: number;
}

/** The logger's time for a host time. */
export function toLoggerS(fit: ClockFit, hostS: number): number {
  return hostS + fit.offsetS + (fit.rate - 1) * (hostS - fit.referenceS);
}

/** Standard uncertainty of `toLoggerS` from the scatter of the pairs, in seconds. */
export function clockUncertaintyS(fit: ClockFit, hostS: number): number {
  return fit.residualSdS * Math.sqrt(1 / fit.edges + (hostS - fit.referenceS) ** 2 / fit.spreadS2);
}

const SLOPE_PAIRS = 200;
const MAX_ROUNDS = 20;

/** The median of the slopes between all pairs of up to 200 evenly chosen points (Theil 1950, Sen 1968). */
function medianSlope(xs: Float64Array, ys: Float64Array): number {
  const step = Math.max(1, Math.ceil(xs.length / SLOPE_PAIRS));
  const slopes: number[] = [];
  for (let first = 0; first < xs.length; first += step) {
    for (let second = first + step; second < xs.length; second += step) {
      const width = (xs[second] as number) - (xs[first] as number);
      if (width > 0) slopes.push(((ys[second] as number) - (ys[first] as number)) / width);
    }
  }
  return median(sorted(slopes));
}

interface Line {
  readonly meanX: number;
  readonly meanY: number;
  readonly slope: number;
  readonly spread: number;
}

function leastSquares(xs: Float64Array, ys: Float64Array, kept: Uint8Array): Line {
  let count = 0;
  let meanX = 0;
  let meanY = 0;
  for (let index = 0; index < xs.length; index++) {
    if (kept[index] === 0) continue;
    count++;
    meanX += ((xs[index] as number) - meanX) / count;
    meanY += ((ys[index] as number) - meanY) / count;
  }
  let spread = 0;
  let product = 0;
  for (let index = 0; index < xs.length; index++) {
    if (kept[index] === 0) continue;
    const x = (xs[index] as number) - meanX;
    spread += x * x;
    product += x * ((ys[index] as number) - meanY);
  }
  return { meanX, meanY, slope: product / spread, spread };
}

/** Marks the points within 4 robust deviations of the line's slope; the floor keeps the rounding of exact data in. */
function trim(xs: Float64Array, ys: Float64Array, line: Line, floorS: number): Uint8Array {
  const residuals = xs.map((x, index) => (ys[index] as number) - line.meanY - line.slope * (x - line.meanX));
  const middle = median(sorted(residuals));
  const limit = Math.max(4 * robustDeviation(residuals), floorS);
  return Uint8Array.from(residuals, (residual) => (Math.abs(residual - middle) <= limit ? 1 : 0));
}

/** The amplitude at the ends of the parabola that the residuals contain beside the line. */
function curvatureOf(xs: Float64Array, residuals: Float64Array, kept: Uint8Array, line: Line): number {
  let count = 0;
  let mean = 0;
  let half = 0;
  for (let index = 0; index < xs.length; index++) {
    if (kept[index] === 0) continue;
    const x = (xs[index] as number) - line.meanX;
    count++;
    mean += (x * x - mean) / count;
    half = Math.max(half, Math.abs(x));
  }
  let product = 0;
  let square = 0;
  for (let index = 0; index < xs.length; index++) {
    if (kept[index] === 0) continue;
    const bend = ((xs[index] as number) - line.meanX) ** 2 - mean;
    product += bend * (residuals[index] as number);
    square += bend * bend;
  }
  return square === 0 ? 0 : (Math.abs(product) / square) * half * half;
}

/**
 * Fits logger time against host time: Theil-Sen's line, then least squares over the points near it until the set stays.
 * What is fitted is the difference of the clocks against host time, so that microseconds survive in long sessions.
 * @param sampleS the logger's sampling interval: no residual below half of it makes a pair an outlier
 * @throws HardwareError BAD_FIT for fewer than four pairs or pairs of one instant
 */
export function fitClock(pairs: readonly ClockPair[], sampleS: number): ClockFit {
  if (pairs.length < 4)
    throw new HardwareError('BAD_FIT', { what: 'pairs', got: pairs.length, expected: 'at least 4' });
  const xs = Float64Array.from(pairs, (pair) => pair.hostS);
  const ys = Float64Array.from(pairs, (pair) => pair.loggerS - pair.hostS);
  const slope = medianSlope(xs, ys);
  if (!Number.isFinite(slope))
    throw new HardwareError('BAD_FIT', { what: 'span', got: '0 s', expected: 'more than 0 s' });
  // A wide host interval says little about its middle: such edges are matched, not fitted.
  const widths = Float64Array.from(pairs, (pair) => pair.halfWidthS);
  const widest = Math.max(4 * median(sorted(widths)), sampleS / 2);
  const narrow = Uint8Array.from(widths, (width) => (width <= widest ? 1 : 0));
  let line: Line = { meanX: 0, meanY: 0, slope, spread: 1 };
  let kept: Uint8Array = new Uint8Array(xs.length);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const next = trim(xs, ys, line, sampleS / 2 + 1e-9).map((flag, index) => flag & (narrow[index] as number));
    const isSame = next.every((flag, index) => flag === kept[index]);
    kept = next;
    if (isSame) break;
    line = leastSquares(xs, ys, kept);
  }
  return describe({ xs, ys, kept, widths }, line);
}

interface Fitted {
  readonly xs: Float64Array;
  readonly ys: Float64Array;
  readonly kept: Uint8Array;
  /** Half-widths of the host's intervals, in seconds. */
  readonly widths: Float64Array;
}

function describe({ xs, ys, kept, widths }: Fitted, line: Line): ClockFit {
  const residuals = xs.map((x, index) => (ys[index] as number) - line.meanY - line.slope * (x - line.meanX));
  const chosen = residuals.filter((_, index) => kept[index] === 1);
  const freedom = chosen.length - 2;
  if (freedom < 2) {
    throw new HardwareError('BAD_FIT', { what: 'pairs near one line', got: chosen.length, expected: 'at least 4' });
  }
  const residualSdS = Math.sqrt(chosen.reduce((sum, residual) => sum + residual * residual, 0) / freedom);
  const allowedS = 4 * residualSdS;
  const unexplained = residuals.filter((residual, index) => {
    return kept[index] === 0 && Math.abs(residual) > allowedS + (widths[index] as number);
  });
  const times = xs.filter((_, index) => kept[index] === 1);
  return {
    referenceS: line.meanX,
    offsetS: line.meanY,
    rate: 1 + line.slope,
    driftPpm: line.slope * 1e6,
    driftIntervalPpm: ((studentBound(freedom) * residualSdS) / Math.sqrt(line.spread)) * 1e6,
    edges: chosen.length,
    outliers: unexplained.length,
    wide: xs.length - chosen.length - unexplained.length,
    spanS: (times.at(-1) as number) - (times[0] as number),
    residualSdS,
    residualMaxS: chosen.reduce((most, residual) => Math.max(most, Math.abs(residual)), 0),
    curvatureS: curvatureOf(xs, residuals, kept, line),
    spreadS2: line.spread,
  };
}

/** What a fit must keep to be used. */
export interface FitLimits {
  /** Greatest drift between two crystals that is believed, in parts per million. */
  readonly driftPpm: number;
  /** Greatest residual of a kept pair, in seconds. */
  readonly residualS: number;
  /** Least share of pairs that are no outliers. */
  readonly keptShare: number;
}

function refuse(what: string, got: string, expected: string): never {
  throw new HardwareError('BAD_FIT', { what, got, expected });
}

function microseconds(seconds: number): string {
  return `${(seconds * 1e6).toFixed(1)} us`;
}

/**
 * Passes a fit that keeps the limits.
 * @throws HardwareError BAD_FIT naming the first limit it breaks
 */
export function requireFit(fit: ClockFit, limits: FitLimits): ClockFit {
  const share = 1 - fit.outliers / (fit.edges + fit.outliers + fit.wide);
  if (!(Math.abs(fit.driftPpm) <= limits.driftPpm)) {
    refuse('drift', `${fit.driftPpm.toFixed(1)} ppm`, `at most ${limits.driftPpm} ppm`);
  }
  if (!(share >= limits.keptShare)) {
    refuse('share of edges near the line', share.toFixed(2), `at least ${limits.keptShare}`);
  }
  if (!(fit.curvatureS <= limits.residualS)) {
    refuse('bend of the clocks', microseconds(fit.curvatureS), `at most ${microseconds(limits.residualS)}`);
  }
  if (!(fit.residualMaxS <= limits.residualS)) {
    refuse('greatest residual', microseconds(fit.residualMaxS), `at most ${microseconds(limits.residualS)}`);
  }
  return fit;
}
