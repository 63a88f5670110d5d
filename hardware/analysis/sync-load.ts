/**
 * Sync loads: coded bursts of load on the processor that open and close a session, and finding them in the power itself, for
 * logs that have no digital line. The code's mean powers are correlated with its levels at every offset of the clocks; two
 * bursts give offset and drift. Pure functions.
 */

import { HardwareError } from '../instrument/errors.ts';
import { hostEdgeToEdge, type Edge, type MarkerLog } from './edges.ts';
import type { PowerIntegral } from './integral.ts';
import type { BurstPulse } from './sync-burst.ts';
import type { Timeline } from './timeline.ts';

/** Chips of a code: 31 of a maximal sequence, whose correlation with itself at any other place is next to nothing. */
const CHIPS = 31;

/** Edges at whole units would all fall at one place of the meter's own grid, and tell no more of it than one: by the golden
 * ratio each stretch is longer by another share of a unit, up to a half. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** The code as pulses of units, each stretch up to half a unit longer: a shift register of five bits with the taps of a primitive polynomial, one for each end. */
export function loadCode(which: 'open' | 'close', unitMs: number): readonly BurstPulse[] {
  const [one, other] = which === 'open' ? [5, 2] : [5, 3];
  const chips: (0 | 1)[] = [];
  let register = 0b11111;
  for (let chip = 0; chip < CHIPS; chip++) {
    const bit = ((register >> (one - 1)) ^ (register >> (other - 1))) & 1;
    chips.push(((register >> 4) & 1) as 0 | 1);
    register = ((register << 1) | bit) & 0b11111;
  }
  // A sequence is cyclic: turned so that it begins with a rise and ends low.
  const rise = chips.findIndex((chip, index) => chip === 1 && chips[(index + CHIPS - 1) % CHIPS] === 0);
  const turned = [...chips.slice(rise), ...chips.slice(0, rise)];
  const pulses: { highMs: number; lowMs: number }[] = [];
  for (const [index, chip] of turned.entries()) {
    if (chip === 1 && (index === 0 || turned[index - 1] === 0)) pulses.push({ highMs: 0, lowMs: 0 });
    const pulse = pulses.at(-1) as { highMs: number; lowMs: number };
    if (chip === 1) pulse.highMs += unitMs;
    else pulse.lowMs += unitMs;
  }
  const longer = (stretch: number): number => unitMs * 0.5 * ((stretch * GOLDEN) % 1);
  return pulses.map(({ highMs, lowMs }, index) => ({
    highMs: highMs + longer(2 * index),
    lowMs: lowMs + longer(2 * index + 1),
  }));
}

/** A stretch of one level. */
interface Chip {
  readonly fromS: number;
  readonly toS: number;
  readonly level: 0 | 1;
}

/** What ties a log by its power. */
export interface LoadTie {
  readonly timeline: Timeline;
  readonly driftPpm: number;
  /** Standard uncertainty of an end's offset, in seconds, the worse of both. */
  readonly uncertaintyS: number;
  /** Correlation at the place found, and the best one elsewhere; the worse of both ends. */
  readonly correlation: number;
  readonly runnerUp: number;
}

/** Least correlation that is believed, and the greatest share of what it leaves unexplained at any other place. */
const BELIEVED = { correlation: 0.7, unexplained: 0.4 } as const;

/** Places tried on either side within a step. */
const FINE = 50;

/** Errors of neighbouring pieces go together, which the formula leaves out: by what a known truth shows. */
const MARGIN = 1.4;

/** Drift that crystals have at most. */
const MAX_DRIFT = 500e-6;

/** Least unit of a marker, in seconds: what `load?unit=` takes, less what a timer fires early. */
const LEAST_UNIT_S = 0.04;

/** A burst of more units was not written by a marker, however late its timers were. */
const MOST_UNITS = 10 * CHIPS;

/** Places that are tried at most: half a day at the least unit, 19 days at the default one. */
const MOST_TRIES = 2 ** 22;

/** Stretches between edges in pieces of about a unit: work of the session may be high for as long, but not in all of them. */
function chipsOf(edges: readonly Edge[], unitS: number): Chip[] {
  return edges.slice(0, -1).flatMap((edge, index) => {
    const widthS = (edges[index + 1] as Edge).timeS - edge.timeS;
    const pieces = Math.max(1, Math.floor(widthS / unitS + 1e-6));
    return Array.from({ length: pieces }, (_, piece) => ({
      fromS: edge.timeS + (piece * widthS) / pieces,
      toS: edge.timeS + ((piece + 1) * widthS) / pieces,
      level: edge.level,
    }));
  });
}

/** Mean power of each chip at an offset; NaN where the trace does not cover it. */
function powersAt(chips: readonly Chip[], integral: PowerIntegral, offsetS: number): number[] {
  return chips.map(({ fromS, toS }) => {
    const { energyJ, uncoveredS } = integral.over(fromS + offsetS, toS + offsetS);
    const coveredS = toS - fromS - uncoveredS;
    return coveredS > 0.5 * (toS - fromS) ? energyJ / coveredS : Number.NaN;
  });
}

/** A straight line of power over level, weighted by how long the chips are. */
interface LevelFit {
  readonly correlation: number;
  /** Power of the load, in W. */
  readonly riseW: number;
  readonly residualW: number;
}

const NO_FIT: LevelFit = { correlation: -1, riseW: 0, residualW: Number.POSITIVE_INFINITY };

function fitLevels(chips: readonly Chip[], powers: readonly number[]): LevelFit {
  let weight = 0;
  let [level, power, levels2, powers2, product] = [0, 0, 0, 0, 0];
  let chipsSeen = 0;
  for (const [index, chip] of chips.entries()) {
    const powerW = powers[index] as number;
    if (Number.isNaN(powerW)) continue;
    const width = chip.toS - chip.fromS;
    chipsSeen++;
    weight += width;
    level += width * chip.level;
    power += width * powerW;
    levels2 += width * chip.level * chip.level;
    powers2 += width * powerW * powerW;
    product += width * chip.level * powerW;
  }
  if (chipsSeen < 0.8 * chips.length) return NO_FIT;
  const levelVariance = levels2 / weight - (level / weight) ** 2;
  const powerVariance = powers2 / weight - (power / weight) ** 2;
  const covariance = product / weight - (level * power) / weight ** 2;
  if (!(levelVariance > 0) || !(powerVariance > 0)) return NO_FIT;
  const correlation = covariance / Math.sqrt(levelVariance * powerVariance);
  const residualW = Math.sqrt(Math.max(0, powerVariance * (1 - correlation ** 2)));
  return { correlation, riseW: covariance / levelVariance, residualW };
}

interface FoundLoad {
  readonly offsetS: number;
  readonly uncertaintyS: number;
  readonly correlation: number;
  readonly runnerUp: number;
  /** Middle of the burst on the host's clock, in seconds. */
  readonly atS: number;
}

/** Where the correlation is greatest about a place: the middle of the offsets that are as good. */
function refine(
  aboutS: number,
  stepS: number,
  fitAt: (offsetS: number) => LevelFit,
): { offsetS: number; fit: LevelFit } {
  const tries = Array.from({ length: 2 * FINE + 1 }, (_, index) => {
    const offsetS = aboutS + ((index - FINE) * stepS) / FINE;
    return { offsetS, fit: fitAt(offsetS) };
  });
  const least = Math.min(...tries.map(({ fit }) => 1 - fit.correlation));
  const good = tries.filter(({ fit }) => 1 - fit.correlation <= least * 1.02 + 1e-9);
  return good[good.length >> 1] as (typeof good)[number];
}

/** The shortest stretch of a burst. @throws HardwareError EDGES_INVALID for edges that no marker's burst has */
function unitOf(edges: readonly Edge[], which: string): number {
  const refuse = (expected: string, got: string): HardwareError =>
    new HardwareError('EDGES_INVALID', { what: `the sync load ${which}`, expected, got });
  if (edges.length < 2) throw refuse('at least 2 edges', `${edges.length}`);
  if (edges.length > 2 * CHIPS) throw refuse(`at most ${2 * CHIPS} edges`, `${edges.length}`);
  const unitS = Math.min(...edges.slice(1).map((edge, index) => edge.timeS - (edges[index] as Edge).timeS));
  if (!(unitS >= LEAST_UNIT_S)) throw refuse(`edges at least ${LEAST_UNIT_S} s apart`, `${unitS} s`);
  const units = ((edges.at(-1) as Edge).timeS - (edges[0] as Edge).timeS) / unitS;
  if (units > MOST_UNITS) throw refuse(`at most ${MOST_UNITS} times its shortest stretch`, `${units.toFixed(0)} times`);
  return unitS;
}

/** How many offsets are tried. @throws HardwareError TRACE_INVALID for a trace that is too long for the unit */
function triesOf(spanS: number, stepS: number, source: string): number {
  const tries = Math.ceil(spanS / stepS) + 1;
  if (tries <= MOST_TRIES) return tries;
  const expected = `at most ${MOST_TRIES} places where the sync load may lie (a shorter log, or longer units)`;
  throw new HardwareError('TRACE_INVALID', { source, expected, got: tries });
}

/** The one place where a burst lies in the trace. @throws HardwareError EDGES_INVALID, NO_LOAD, TRACE_INVALID */
function findLoad(edges: readonly Edge[], integral: PowerIntegral, which: string): FoundLoad {
  const { timeS, source } = integral.trace;
  const unitS = unitOf(edges, which);
  const chips = chipsOf(edges, unitS);
  const [startS, endS] = [(edges[0] as Edge).timeS, (edges.at(-1) as Edge).timeS];
  const stepS = unitS / 5;
  const fitAt = (offsetS: number): LevelFit => fitLevels(chips, powersAt(chips, integral, offsetS));
  const fromS = (timeS[0] as number) - startS - stepS;
  const tries = triesOf((timeS.at(-1) as number) - endS + stepS - fromS, stepS, source);
  let best = { offsetS: Number.NaN, fit: NO_FIT };
  const correlations: number[] = [];
  for (let index = 0; index < tries; index++) {
    const offsetS = fromS + index * stepS;
    const fit = fitAt(offsetS);
    correlations.push(fit.correlation);
    if (fit.correlation > best.fit.correlation) best = { offsetS, fit };
  }
  best = refine(best.offsetS, stepS, fitAt);
  let runnerUp = -1;
  for (const [index, correlation] of correlations.entries()) {
    const isApart = Math.abs(fromS + index * stepS - best.offsetS) > 1.5 * unitS;
    if (isApart && correlation > runnerUp) runnerUp = correlation;
  }
  const { correlation, riseW, residualW } = best.fit;
  const unexplained = (1 - correlation ** 2) / (1 - Math.max(0, runnerUp) ** 2);
  if (!(correlation >= BELIEVED.correlation) || !(unexplained <= BELIEVED.unexplained)) {
    const got = `${Math.max(0, correlation).toFixed(2)}, elsewhere ${Math.max(0, runnerUp).toFixed(2)}`;
    throw new HardwareError('NO_LOAD', { expected: BELIEVED.correlation, share: BELIEVED.unexplained, got });
  }
  // A shift moves rise x shift of energy over each edge: its effect on the piece before it goes with one over its width.
  const changes = edges.length - 1;
  const effect = (riseW * Math.sqrt(changes)) / unitS;
  // Within an interval of the log the edge may be anywhere, in each of them anew.
  const gridS = Math.max(integral.intervalS, integral.trace.refreshS) / Math.sqrt(12 * changes);
  const uncertaintyS = MARGIN * Math.hypot(residualW / effect, gridS);
  return { offsetS: best.offsetS, uncertaintyS, correlation, runnerUp, atS: (startS + endS) / 2 };
}

function burstEdges(log: MarkerLog, which: 'open' | 'close', originNs: bigint): Edge[] {
  return log.edges
    .filter(({ kind, id }) => kind === 'sync' && id === which)
    .map((edge) => hostEdgeToEdge(edge, originNs));
}

/** Whether a log of marks has its bursts as loads. */
export function hasLoads(log: MarkerLog): boolean {
  return log.bursts === 'load' && log.edges.some(({ kind }) => kind === 'sync');
}

/**
 * Ties a log to a trace by the loads that its power shows.
 * @throws HardwareError NO_LOAD when one of both bursts is not found, EDGES_INVALID when the log of marks lacks one (a session
 *   that broke off), TRACE_INVALID for a trace of too many places to try, BAD_FIT for a drift that no crystals have
 */
export function tieByLoad(log: MarkerLog, integral: PowerIntegral): LoadTie {
  const originNs = log.edges[0]?.beforeNs ?? 0n;
  const [open, close] = (['open', 'close'] as const).map((which) =>
    findLoad(burstEdges(log, which, originNs), integral, which),
  ) as [FoundLoad, FoundLoad];
  const spanS = close.atS - open.atS;
  const drift = (close.offsetS - open.offsetS) / spanS;
  const driftUncertainty = Math.hypot(open.uncertaintyS, close.uncertaintyS) / spanS;
  if (!(Math.abs(drift) <= MAX_DRIFT + 2 * driftUncertainty)) {
    const fields = {
      what: 'the drift',
      got: `${(drift * 1e6).toFixed(0)} ppm`,
      expected: `at most ${MAX_DRIFT * 1e6} ppm`,
    };
    throw new HardwareError('BAD_FIT', fields);
  }
  const timeline: Timeline = (hostNs) => {
    const hostS = Number(hostNs - originNs) / 1e9;
    const share = (hostS - open.atS) / spanS;
    return {
      timeS: hostS + open.offsetS + drift * (hostS - open.atS),
      uncertaintyS: Math.hypot((1 - share) * open.uncertaintyS, share * close.uncertaintyS),
    };
  };
  return {
    timeline,
    driftPpm: drift * 1e6,
    uncertaintyS: Math.max(open.uncertaintyS, close.uncertaintyS),
    correlation: Math.min(open.correlation, close.correlation),
    runnerUp: Math.max(open.runnerUp, close.runnerUp),
  };
}
