/** Marked windows, from the edges that the host wrote and those that a logger saw. Pure functions. */

import { HardwareError } from '../instrument/errors.ts';
import { clockUncertaintyS, toLoggerS, type ClockFit } from './clock-fit.ts';
import type { Timeline } from './timeline.ts';
import { hostEdgeToEdge, type Edge, type HostEdge, type MarkerLog } from './edges.ts';

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

/** The windows of a session, in the order in which they started. */
export interface SessionWindows {
  /** Every id of the session that has both host edges. */
  readonly windows: readonly MarkedWindow[];
  /** Windows that have only one host edge (the session ended inside them). */
  readonly incomplete: readonly string[];
}

/** A session's edges of both sides, on their own clocks. */
export interface SessionEdges {
  /** Host edges in seconds after the first one, and which of them moved the line. */
  readonly host: readonly Edge[];
  readonly written: readonly boolean[];
  readonly logger: readonly Edge[];
  readonly toleranceS: number;
  readonly sampleS: number;
}

/** Indexes of a window's two host edges, and the invocations that ran in it. */
export interface Ends {
  start?: number;
  end?: number;
  calls: number;
}

/**
 * The edges of each window, by its id.
 * @throws HardwareError EDGES_INVALID for a second start or end of one id, and for an end before its start
 */
export function endsById(edges: readonly HostEdge[]): Map<string, Ends> {
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
  for (const [id, { start, end }] of ends) {
    if (start === undefined || end === undefined) continue;
    const [{ beforeNs }, { afterNs }] = [edges[start], edges[end]] as [HostEdge, HostEdge];
    if (afterNs >= beforeNs) continue;
    throw new HardwareError('EDGES_INVALID', {
      what: id,
      expected: `an end at ${beforeNs} ns or later`,
      got: `${afterNs} ns`,
    });
  }
  return ends;
}

interface PlacedEdge {
  readonly timeS: number;
  readonly uncertaintyS: number;
  readonly seen: boolean;
}

/** Where an edge lies on the logger's clock: as the logger saw it, or where the fit puts it. */
function placeEdge(session: SessionEdges, fit: ClockFit, matches: Int32Array, index: number): PlacedEdge {
  const seen = session.logger[matches[index] as number];
  // A quantised edge is uniform over its sampling interval: width / sqrt(12).
  if (seen !== undefined) return { timeS: seen.timeS, uncertaintyS: session.sampleS / Math.sqrt(12), seen: true };
  const edge = session.host[index] as Edge;
  const hostS = edge.halfWidthS / Math.sqrt(3);
  const uncertaintyS = Math.hypot(clockUncertaintyS(fit, edge.timeS), hostS);
  return { timeS: toLoggerS(fit, edge.timeS), uncertaintyS, seen: false };
}

function stateOf(start: PlacedEdge, end: PlacedEdge): WindowState {
  if (start.seen) return end.seen ? 'matched' : 'end-inferred';
  return end.seen ? 'start-inferred' : 'unmatched';
}

/** The windows of a session that was tied to the logger: from its edges where they were seen, by the fit where not. */
export function loggerWindows(
  session: SessionEdges,
  fit: ClockFit,
  matches: Int32Array,
  ends: Map<string, Ends>,
): SessionWindows {
  const windows: MarkedWindow[] = [];
  const incomplete: string[] = [];
  for (const [id, { start: startIndex, end: endIndex, calls }] of ends) {
    if (startIndex === undefined || endIndex === undefined) {
      incomplete.push(id);
      continue;
    }
    const start = placeEdge(session, fit, matches, startIndex);
    const end = placeEdge(session, fit, matches, endIndex);
    const hostDurationS = (session.host[endIndex] as Edge).timeS - (session.host[startIndex] as Edge).timeS;
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

const nanoseconds = (timeS: number): bigint => BigInt(Math.round(timeS * 1e9));

/** The host's windows on another clock. @throws HardwareError EDGES_INVALID */
export function placedWindows(log: MarkerLog, timeline: Timeline): SessionWindows {
  const { windows, incomplete } = hostWindows(log);
  const placed = windows.map((window) => {
    const start = timeline(nanoseconds(window.startS));
    const end = timeline(nanoseconds(window.endS));
    return {
      ...window,
      startS: start.timeS,
      endS: end.timeS,
      startUncertaintyS: Math.hypot(window.startUncertaintyS, start.uncertaintyS),
      endUncertaintyS: Math.hypot(window.endUncertaintyS, end.uncertaintyS),
    };
  });
  return { windows: placed, incomplete };
}

/**
 * Windows for a trace on the host's own monotonic clock: the host's times are the trace's, nothing is to be fitted.
 * @throws HardwareError EDGES_INVALID
 */
export function hostWindows(log: MarkerLog): SessionWindows {
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
