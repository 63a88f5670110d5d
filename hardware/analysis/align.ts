/**
 * From the edges of host and logger to windows on the logger's clock: sync bursts tie the two lists, a line is fitted
 * between the clocks, and every invocation ends in a named state. Pure functions.
 */

import { lowerRank, sorted } from '../../statistics/quantiles.ts';
import { clockUncertaintyS, fitClock, requireFit, toLoggerS, type ClockFit, type ClockPair } from './clock-fit.ts';
import { debounce, hostEdgeToEdge, type Edge, type HostEdge, type MarkerLog } from './edges.ts';
import { HardwareError } from '../errors.ts';
import { matchEdges } from './matching.ts';
import { BURST_SHARE, findBurst } from './sync-burst.ts';

/** How a window came to its times: from the logger's edges, or with one or both set by the clock fit. */
export type WindowState = 'matched' | 'start-inferred' | 'end-inferred' | 'unmatched';

/** One marked invocation, batch or phase on the logger's clock. */
export interface MarkedWindow {
  readonly id: string;
  readonly state: WindowState;
  readonly startS: number;
  readonly endS: number;
  /** Standard uncertainties, in seconds. */
  readonly startUncertaintyS: number;
  readonly endUncertaintyS: number;
  /** Length on the host's own clock, in seconds. */
  readonly hostDurationS: number;
  /** Invocations that ran in it: more than one when calls overlapped on one line. */
  readonly calls: number;
}

/** A session whose edges were found in the logger's recording. */
export interface Alignment {
  readonly fit: ClockFit;
  /** In the order in which they started; every id of the session that has both host edges. */
  readonly windows: readonly MarkedWindow[];
  /** Host edges without a logger edge, logger edges within the session without a host edge. */
  readonly lostEdges: number;
  /** Host edges for which the line did not move, because another window was open on it. */
  readonly unwrittenEdges: number;
  readonly spuriousEdges: number;
  readonly glitches: number;
  readonly bounces: number;
  /** Windows that have only one host edge (the session ended inside them). */
  readonly incomplete: readonly string[];
  readonly synthetic: boolean;
}

export interface AlignOptions {
  /** Sampling interval of the logger's digital inputs, in seconds. */
  readonly sampleS: number;
  /** Pulses shorter than this are not believed, in seconds; default the greater of 50 us and two samples. */
  readonly minPulseS?: number;
  /** How far an edge may lie from where the clock fit expects it, in seconds; default 1 ms and three samples. */
  readonly toleranceS?: number;
  /** Greatest drift believed, in parts per million; default 500. */
  readonly maxDriftPpm?: number;
  /** Greatest residual of the fit, in seconds; default two samples or 1 % of the shortest window, plus host jitter. */
  readonly maxResidualS?: number;
}

interface Mapped {
  /** Host edges in seconds after the first one, and which of them moved the line. */
  readonly host: readonly Edge[];
  readonly written: readonly boolean[];
  readonly logger: readonly Edge[];
  readonly toleranceS: number;
  readonly sampleS: number;
}

function pairsOf(mapped: Mapped, matches: Int32Array): ClockPair[] {
  const pairs: ClockPair[] = [];
  for (const [index, edge] of mapped.host.entries()) {
    const logger = mapped.logger[matches[index] as number];
    if (logger !== undefined) pairs.push({ hostS: edge.timeS, loggerS: logger.timeS, halfWidthS: edge.halfWidthS });
  }
  return pairs;
}

/** Host edges on the logger's clock, matched against the logger's; only those within `reachS` of `centreS`, if given. */
function matchWith(mapped: Mapped, fit: ClockFit, reach?: { centreS: number; reachS: number }): Int32Array {
  const inReach = (edge: Edge): boolean => reach === undefined || Math.abs(edge.timeS - reach.centreS) <= reach.reachS;
  const indexes = [...mapped.host.keys()].filter(
    (index) => mapped.written[index] === true && inReach(mapped.host[index] as Edge),
  );
  const moved = indexes.map((index) => {
    const edge = mapped.host[index] as Edge;
    return { ...edge, timeS: toLoggerS(fit, edge.timeS) };
  });
  const found = matchEdges(moved, mapped.logger, mapped.toleranceS);
  const matches = new Int32Array(mapped.host.length).fill(-1);
  for (const [place, index] of indexes.entries()) matches[index] = found[place] as number;
  return matches;
}

interface Burst {
  readonly id: string;
  readonly edges: readonly Edge[];
}

function burstsOf(log: MarkerLog, host: readonly Edge[]): Burst[] {
  const bursts = new Map<string, Edge[]>();
  for (const [index, edge] of log.edges.entries()) {
    if (edge.kind !== 'sync') continue;
    const edges = bursts.get(edge.id) ?? [];
    edges.push(host[index] as Edge);
    bursts.set(edge.id, edges);
  }
  return [...bursts].map(([id, edges]) => ({ id, edges }));
}

/** Pairs of all bursts that were found, with the host time around which they lie. */
function tieBursts(mapped: Mapped, bursts: readonly Burst[], toleranceS: number): ClockPair[][] {
  const tied: ClockPair[][] = [];
  for (const burst of bursts) {
    const found = findBurst(burst.edges, mapped.logger, toleranceS);
    if (found === undefined) continue;
    tied.push(
      found.pairs.map(([host, logger]) => {
        const edge = burst.edges[host] as Edge;
        return {
          hostS: edge.timeS,
          loggerS: (mapped.logger[logger] as Edge).timeS,
          halfWidthS: edge.halfWidthS,
        };
      }),
    );
  }
  if (tied.length === 0) {
    const edges = bursts[0]?.edges.length ?? 0;
    throw new HardwareError('NO_SYNC', { expected: Math.ceil(BURST_SHARE * edges), edges, got: 'fewer' });
  }
  return tied;
}

/** A first line without a slope: enough near one burst, where drift has had no time to add up. */
function offsetOnly(pairs: readonly ClockPair[], sampleS: number): ClockFit {
  const level = fitClock(pairs, sampleS);
  return { ...level, offsetS: level.offsetS, rate: 1, driftPpm: 0 };
}

/** From one burst outwards: each doubling of the reach is matched with the line of the reach before it. */
function growFrom(mapped: Mapped, pairs: readonly ClockPair[]): ClockFit {
  const last = mapped.host.at(-1) as Edge;
  let fit = offsetOnly(pairs, mapped.sampleS);
  const centreS = fit.referenceS;
  const fullS = Math.max(centreS, last.timeS - centreS);
  for (let reachS = Math.max(fit.spanS, 1e-3) * 2; ; reachS *= 2) {
    fit = fitClock(pairsOf(mapped, matchWith(mapped, fit, { centreS, reachS })), mapped.sampleS);
    if (reachS >= fullS) return fit;
  }
}

interface Ends {
  start?: number;
  end?: number;
  calls: number;
}

function endsById(edges: readonly HostEdge[]): Map<string, Ends> {
  const ends = new Map<string, Ends>();
  for (const [index, edge] of edges.entries()) {
    if (edge.kind === 'sync') continue;
    const entry = ends.get(edge.id) ?? { calls: 1 };
    if (edge.kind === 'start' ? entry.start !== undefined : entry.end !== undefined) {
      const expected = 'one start and one end for each id';
      throw new HardwareError('EDGES_INVALID', { what: edge.id, expected, got: `a second ${edge.kind}` });
    }
    if (edge.kind === 'start') entry.start = index;
    else {
      entry.end = index;
      entry.calls = edge.calls ?? 1;
    }
    ends.set(edge.id, entry);
  }
  return ends;
}

interface PlacedEdge {
  readonly timeS: number;
  readonly uncertaintyS: number;
  readonly seen: boolean;
}

/** Where an edge lies on the logger's clock: as the logger saw it, or where the fit puts it. */
function placeEdge(mapped: Mapped, fit: ClockFit, matches: Int32Array, index: number): PlacedEdge {
  const seen = mapped.logger[matches[index] as number];
  // A quantised edge is uniform over its sampling interval: width / sqrt(12).
  if (seen !== undefined) return { timeS: seen.timeS, uncertaintyS: mapped.sampleS / Math.sqrt(12), seen: true };
  const edge = mapped.host[index] as Edge;
  const hostS = edge.halfWidthS / Math.sqrt(3);
  const uncertaintyS = Math.hypot(clockUncertaintyS(fit, edge.timeS), hostS);
  return { timeS: toLoggerS(fit, edge.timeS), uncertaintyS, seen: false };
}

function stateOf(start: PlacedEdge, end: PlacedEdge): WindowState {
  if (start.seen) return end.seen ? 'matched' : 'end-inferred';
  return end.seen ? 'start-inferred' : 'unmatched';
}

function windowsOf(
  mapped: Mapped,
  fit: ClockFit,
  matches: Int32Array,
  ends: Map<string, Ends>,
): Pick<Alignment, 'windows' | 'incomplete'> {
  const windows: MarkedWindow[] = [];
  const incomplete: string[] = [];
  for (const [id, { start: startIndex, end: endIndex, calls }] of ends) {
    if (startIndex === undefined || endIndex === undefined) {
      incomplete.push(id);
      continue;
    }
    const start = placeEdge(mapped, fit, matches, startIndex);
    const end = placeEdge(mapped, fit, matches, endIndex);
    const hostDurationS = (mapped.host[endIndex] as Edge).timeS - (mapped.host[startIndex] as Edge).timeS;
    windows.push({
      id,
      state: stateOf(start, end),
      startS: start.timeS,
      endS: Math.max(start.timeS, end.timeS),
      startUncertaintyS: start.uncertaintyS,
      endUncertaintyS: end.uncertaintyS,
      hostDurationS,
      calls,
    });
  }
  return { windows, incomplete };
}

/** Two samples, or a hundredth of the shortest window; what the host itself does not know comes on top. */
function defaultResidualS(mapped: Mapped, log: MarkerLog): number {
  let shortestS = Number.POSITIVE_INFINITY;
  for (const { start, end } of endsById(log.edges).values()) {
    if (start === undefined || end === undefined) continue;
    shortestS = Math.min(shortestS, (mapped.host[end] as Edge).timeS - (mapped.host[start] as Edge).timeS);
  }
  const ofWindow = Number.isFinite(shortestS) ? shortestS / 100 : 0;
  const hostS = lowerRank(sorted(mapped.host.map((edge) => edge.halfWidthS)), 0.9);
  return Math.max(2 * mapped.sampleS, ofWindow, 4 * hostS, 1e-6);
}

/**
 * Finds a session in a logger's edges.
 * @throws HardwareError EDGES_INVALID for unreadable lists, NO_SYNC when no burst is found, BAD_FIT when the clocks
 *   cannot be tied well enough
 */
export function align(log: MarkerLog, loggerEdges: readonly Edge[], options: AlignOptions): Alignment {
  const first = log.edges[0];
  if (first === undefined) {
    throw new HardwareError('EDGES_INVALID', { what: 'the host', expected: 'at least one edge', got: 'none' });
  }
  const { sampleS } = options;
  const clean = debounce(loggerEdges, options.minPulseS ?? Math.max(50e-6, 2 * sampleS));
  const host = log.edges.map((edge) => hostEdgeToEdge(edge, first.beforeNs));
  const toleranceS = options.toleranceS ?? 1e-3 + 3 * sampleS;
  const written = log.edges.map((edge) => edge.written);
  const mapped: Mapped = { host, written, logger: clean.edges, toleranceS, sampleS };
  const tied = tieBursts(mapped, burstsOf(log, host), 0.5e-3 + 2 * sampleS);
  let fit = tied.length > 1 ? fitClock(tied.flat(), sampleS) : growFrom(mapped, tied[0] as ClockPair[]);
  let matches = matchWith(mapped, fit);
  for (let round = 0; round < 2; round++) {
    fit = fitClock(pairsOf(mapped, matches), sampleS);
    // What lies beyond the scatter of the fit is a stray edge, not a late one.
    const scatterS = 2 * sampleS + 8 * fit.residualSdS;
    matches = matchWith({ ...mapped, toleranceS: Math.min(toleranceS, scatterS) }, fit);
  }
  requireFit(fit, {
    driftPpm: options.maxDriftPpm ?? 500,
    residualS: options.maxResidualS ?? defaultResidualS(mapped, log),
    keptShare: 0.75,
  });
  const matched = matches.reduce((count, match) => count + (match >= 0 ? 1 : 0), 0);
  const fromS = toLoggerS(fit, (host[0] as Edge).timeS) - toleranceS;
  const toS = toLoggerS(fit, (host.at(-1) as Edge).timeS) + toleranceS;
  const within = clean.edges.filter((edge) => edge.timeS >= fromS && edge.timeS <= toS).length;
  return {
    fit,
    ...windowsOf(mapped, fit, matches, endsById(log.edges)),
    lostEdges: written.filter(Boolean).length - matched,
    unwrittenEdges: written.filter((flag) => !flag).length,
    spuriousEdges: within - matched,
    glitches: clean.glitches,
    bounces: clean.bounces,
    synthetic: log.synthetic,
  };
}

/**
 * Windows for a trace on the host's own monotonic clock: the host's times are the trace's, nothing is to be fitted.
 * @throws HardwareError EDGES_INVALID
 */
export function hostWindows(log: MarkerLog): Pick<Alignment, 'windows' | 'incomplete'> {
  const windows: MarkedWindow[] = [];
  const incomplete: string[] = [];
  for (const [id, { start, end, calls }] of endsById(log.edges)) {
    if (start === undefined || end === undefined) {
      incomplete.push(id);
      continue;
    }
    const from = hostEdgeToEdge(log.edges[start] as HostEdge, 0n);
    const to = hostEdgeToEdge(log.edges[end] as HostEdge, 0n);
    windows.push({
      id,
      state: 'matched',
      startS: from.timeS,
      endS: to.timeS,
      startUncertaintyS: from.halfWidthS / Math.sqrt(3),
      endUncertaintyS: to.halfWidthS / Math.sqrt(3),
      hostDurationS: to.timeS - from.timeS,
      calls,
    });
  }
  return { windows, incomplete };
}
