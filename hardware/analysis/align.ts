/**
 * From the edges of host and logger to windows on the logger's clock: sync bursts tie the two lists, a line is fitted
 * between the clocks, and every invocation ends in a named state. Pure functions.
 */

import { lowerRank, sorted } from '../../statistics/quantiles.ts';
import { fitClock, requireFit, toLoggerS, type ClockFit, type ClockPair } from './clock-fit.ts';
import { debounce, hostEdgeToEdge, type Edge, type MarkerLog } from './edges.ts';
import { HardwareError } from '../instrument/errors.ts';
import { matchEdges } from './matching.ts';
import { BURST_SHARE, findBurst } from './sync-burst.ts';
import { endsById, loggerWindows, type SessionEdges, type SessionWindows } from './windows.ts';

/** A session whose edges were found in the logger's recording. */
export interface Alignment extends SessionWindows {
  readonly fit: ClockFit;
  /** Host edges without a logger edge, logger edges within the session without a host edge. */
  readonly lostEdges: number;
  /** Host edges for which the line did not move, because another window was open on it. */
  readonly unwrittenEdges: number;
  readonly spuriousEdges: number;
  readonly glitches: number;
  readonly bounces: number;
  readonly synthetic: boolean;
}

/** How strict the search is; times in seconds. */
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

function pairsOf(session: SessionEdges, matches: Int32Array): ClockPair[] {
  const pairs: ClockPair[] = [];
  for (const [index, edge] of session.host.entries()) {
    const logger = session.logger[matches[index] as number];
    if (logger !== undefined) pairs.push({ hostS: edge.timeS, loggerS: logger.timeS, halfWidthS: edge.halfWidthS });
  }
  return pairs;
}

/** Host edges on the logger's clock, matched against the logger's; only those within `reachS` of `centreS`, if given. */
function matchWith(session: SessionEdges, fit: ClockFit, reach?: { centreS: number; reachS: number }): Int32Array {
  const inReach = (edge: Edge): boolean => reach === undefined || Math.abs(edge.timeS - reach.centreS) <= reach.reachS;
  const indexes = [...session.host.keys()].filter(
    (index) => session.written[index] === true && inReach(session.host[index] as Edge),
  );
  const moved = indexes.map((index) => {
    const edge = session.host[index] as Edge;
    return { ...edge, timeS: toLoggerS(fit, edge.timeS) };
  });
  const found = matchEdges(moved, session.logger, session.toleranceS);
  const matches = new Int32Array(session.host.length).fill(-1);
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
function tieBursts(session: SessionEdges, bursts: readonly Burst[], toleranceS: number): ClockPair[][] {
  const tied: ClockPair[][] = [];
  for (const burst of bursts) {
    const found = findBurst(burst.edges, session.logger, toleranceS);
    if (found === undefined) continue;
    tied.push(
      found.pairs.map(([host, logger]) => {
        const edge = burst.edges[host] as Edge;
        return {
          hostS: edge.timeS,
          loggerS: (session.logger[logger] as Edge).timeS,
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

/** From one burst outwards: each doubling of the reach is matched with the line of the reach before it. */
function growFrom(session: SessionEdges, pairs: readonly ClockPair[]): ClockFit {
  const last = session.host.at(-1) as Edge;
  let fit = fitClock(pairs, session.sampleS);
  const centreS = fit.referenceS;
  const fullS = Math.max(centreS, last.timeS - centreS);
  for (let reachS = Math.max(fit.spanS, 1e-3) * 2; ; reachS *= 2) {
    fit = fitClock(pairsOf(session, matchWith(session, fit, { centreS, reachS })), session.sampleS);
    if (reachS >= fullS) return fit;
  }
}

/** Two samples, or a hundredth of the shortest window; what the host itself does not know comes on top. */
function defaultResidualS(session: SessionEdges, log: MarkerLog): number {
  let shortestS = Number.POSITIVE_INFINITY;
  for (const { start, end } of endsById(log.edges).values()) {
    if (start === undefined || end === undefined) continue;
    shortestS = Math.min(shortestS, (session.host[end] as Edge).timeS - (session.host[start] as Edge).timeS);
  }
  const ofWindow = Number.isFinite(shortestS) ? shortestS / 100 : 0;
  const hostS = lowerRank(sorted(session.host.map((edge) => edge.halfWidthS)), 0.9);
  return Math.max(2 * session.sampleS, ofWindow, 4 * hostS, 1e-6);
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
  const session: SessionEdges = { host, written, logger: clean.edges, toleranceS, sampleS };
  const tied = tieBursts(session, burstsOf(log, host), 0.5e-3 + 2 * sampleS);
  let fit = tied.length > 1 ? fitClock(tied.flat(), sampleS) : growFrom(session, tied[0] as ClockPair[]);
  let matches = matchWith(session, fit);
  for (let round = 0; round < 2; round++) {
    fit = fitClock(pairsOf(session, matches), sampleS);
    // What lies beyond the scatter of the fit is a stray edge, not a late one.
    const scatterS = 2 * sampleS + 8 * fit.residualSdS;
    matches = matchWith({ ...session, toleranceS: Math.min(toleranceS, scatterS) }, fit);
  }
  requireFit(fit, {
    driftPpm: options.maxDriftPpm ?? 500,
    residualS: options.maxResidualS ?? defaultResidualS(session, log),
    keptShare: 0.75,
  });
  const matched = matches.reduce((count, match) => count + (match >= 0 ? 1 : 0), 0);
  const fromS = toLoggerS(fit, (host[0] as Edge).timeS) - toleranceS;
  const toS = toLoggerS(fit, (host.at(-1) as Edge).timeS) + toleranceS;
  const within = clean.edges.filter((edge) => edge.timeS >= fromS && edge.timeS <= toS).length;
  return {
    fit,
    ...loggerWindows(session, fit, matches, endsById(log.edges)),
    lostEdges: written.filter(Boolean).length - matched,
    unwrittenEdges: written.filter((flag) => !flag).length,
    spuriousEdges: within - matched,
    glitches: clean.glitches,
    bounces: clean.bounces,
    synthetic: log.synthetic,
  };
}
