/** Edges of a marker line: as the host wrote them and as a logger saw them. Pure data, no clock, no I/O. */

import { HardwareError } from '../instrument/errors.ts';
import type { HostIdentity } from '../instrument/host.ts';

/** A level change as a logger saw it, or a host's edge moved onto the same scale. */
export interface Edge {
  /** Seconds on the clock of whoever saw it. */
  readonly timeS: number;
  /** The level after the edge. */
  readonly level: 0 | 1;
  /** Half the width of the interval in which it happened, in seconds. */
  readonly halfWidthS: number;
}

/** What an edge of the host stands for: the start or end of a window, or one of a sync burst. */
export type EdgeKind = 'start' | 'end' | 'sync';

/** An edge as the host wrote it: the line changed between the two times of the host's monotonic clock. */
export interface HostEdge {
  /** Whose window it is; of a sync edge, `open` or `close`. */
  readonly id: string;
  readonly kind: EdgeKind;
  readonly level: 0 | 1;
  readonly beforeNs: bigint;
  readonly afterNs: bigint;
  /** False when the line was busy with another window: the times are the host's alone. */
  readonly written: boolean;
  /** On an end: invocations in the window, when they were not one. */
  readonly calls?: number;
}

/** The wall clock at a time of the monotonic one, both in nanoseconds. */
export interface WallReading {
  readonly hostNs: bigint;
  /** Since 1970. */
  readonly realNs: bigint;
}

/** What was marked in one session. */
export interface MarkerLog {
  /** In the order of writing. */
  readonly edges: readonly HostEdge[];
  /** True when no pin moved: whatever follows from it is made for tests. */
  readonly synthetic: boolean;
  /** Whose monotonic clock the times are of; undefined where the log does not say. */
  readonly host?: HostIdentity;
  /** What the wall clock said when the session began and ended. */
  readonly wall?: readonly WallReading[];
  /** `load` where the sync bursts are loads of the processor in place of pulses. */
  readonly bursts?: 'load';
}

/** A host edge in seconds after `originNs`, at the middle of its interval. */
export function hostEdgeToEdge(edge: HostEdge, originNs: bigint): Edge {
  const widthNs = Number(edge.afterNs - edge.beforeNs);
  if (widthNs < 0) {
    const got = `${edge.beforeNs} ns to ${edge.afterNs} ns`;
    throw new HardwareError('EDGES_INVALID', { what: edge.id, expected: 'a time after the write', got });
  }
  const timeS = (Number(edge.beforeNs - originNs) + widthNs / 2) / 1e9;
  return { timeS, level: edge.level, halfWidthS: widthNs / 2e9 };
}

/** What debouncing made of a list of edges. */
export interface DebouncedEdges {
  readonly edges: readonly Edge[];
  /** Pulses shorter than the limit that came back to the level before them: removed. */
  readonly glitches: number;
  /** Edges that bounced before they settled: one is left for each, at its first change. */
  readonly bounces: number;
  /** Edges to the level that the line already had: one between them was lost. They stay, the matching sorts them. */
  readonly repeats: number;
}

function requireOrder(edges: readonly Edge[]): void {
  let last = Number.NEGATIVE_INFINITY;
  for (const edge of edges) {
    if (!(edge.timeS >= last)) {
      const got = `${edge.timeS} s after ${last} s`;
      throw new HardwareError('EDGES_INVALID', { what: 'the logger', expected: 'rising times', got });
    }
    last = edge.timeS;
  }
}

/**
 * Joins edges that follow each other within `minPulseS`. What a group comes to counts: no change is a glitch and goes, a
 * change stays as one edge at the group's first time. 50 us is what EEMBC's runner holds.
 * @throws HardwareError EDGES_INVALID when times fall
 */
export function debounce(edges: readonly Edge[], minPulseS = 50e-6): DebouncedEdges {
  requireOrder(edges);
  const kept: Edge[] = [];
  let glitches = 0;
  let bounces = 0;
  let repeats = 0;
  for (let first = 0; first < edges.length; ) {
    let last = first;
    while (last + 1 < edges.length && gapAfter(edges, last) < minPulseS) last++;
    const start = edges[first] as Edge;
    const end = edges[last] as Edge;
    // The level before the group is the opposite of its first edge, whatever came before may be lost.
    if (end.level !== start.level) glitches++;
    else {
      if (last > first) bounces++;
      if (kept.at(-1)?.level === end.level) repeats++;
      kept.push(start);
    }
    first = last + 1;
  }
  return { edges: kept, glitches, bounces, repeats };
}

function gapAfter(edges: readonly Edge[], index: number): number {
  return (edges[index + 1] as Edge).timeS - (edges[index] as Edge).timeS;
}
