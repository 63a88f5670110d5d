/** How the windows of a session come onto the clock of a power log. Pure. */

import { align, type Alignment } from '../../hardware/analysis/align.ts';
import type { Edge, MarkerLog } from '../../hardware/analysis/edges.ts';
import { HardwareError } from '../../hardware/instrument/errors.ts';
import { isSameHost } from '../../hardware/instrument/host.ts';
import { PowerIntegral } from '../../hardware/analysis/integral.ts';
import type { ImportedLog } from '../../hardware/logger/log.ts';
import { hasLoads, tieByLoad } from '../../hardware/analysis/sync-load.ts';
import { hostTimeline, loggerTimeline, type Timeline } from '../../hardware/analysis/timeline.ts';
import { median, sorted } from '../../statistics/quantiles.ts';
import { medianIntervalS } from '../../hardware/analysis/trace.ts';
import { wallTimeline } from '../../hardware/analysis/wall-clock.ts';
import { hostWindows, placedWindows, type MarkedWindow } from '../../hardware/analysis/windows.ts';

/** How a session's windows came onto the trace's clock. */
export interface TiedWindows {
  /** Undefined where the trace was not tied by edges. */
  readonly alignment: Alignment | undefined;
  readonly line: string | undefined;
  readonly windows: ReadonlyMap<string, MarkedWindow>;
  readonly incomplete: readonly string[];
  readonly timeline: Timeline;
  /** How, where it was neither the host's monotonic clock nor edges; a sentence's part. */
  readonly how?: string;
}

/** The line that the marker moves: the one that was named, or the only one that moves at all. */
function lineOf(log: ImportedLog, named: string | null, whose: string): readonly [string, readonly Edge[]] {
  const { source } = log.trace;
  const all = [...log.lines];
  if (named !== null) {
    const found = all.find(([name]) => name.toLowerCase() === named.toLowerCase());
    if (found !== undefined) return found;
    const got = all.length === 0 ? 'none' : all.map(([name]) => name).join(', ');
    throw new HardwareError('EDGES_INVALID', { what: source, expected: `a digital line ${named}`, got });
  }
  const moving = all.filter(([, edges]) => edges.length > 0);
  if (moving.length === 1) return moving[0] as (typeof moving)[number];
  const got = moving.length === 0 ? 'no line with edges' : `edges on ${moving.map(([name]) => name).join(', ')}`;
  const expected = `the digital line of the marker${moving.length === 0 ? '' : ' to be named (--line)'}${whose}`;
  throw new HardwareError('EDGES_INVALID', { what: source, expected, got });
}

/** Why a log on a monotonic clock is not taken to be on that of the marks; empty for any other clock. */
function whoseClock({ host }: MarkerLog, { trace }: ImportedLog): string {
  if (trace.clock !== 'host-monotonic' || isSameHost(host, trace.host)) return '';
  if (trace.host === undefined) return ', because the log does not say whose monotonic clock it is on';
  if (host === undefined) return ', because the file of the edges does not say whose monotonic clock it is on';
  const other = host.machineId === trace.host.machineId ? 'another start of the machine' : 'another machine';
  return `, because the log is on the monotonic clock of ${other}`;
}

const byId = (windows: readonly MarkedWindow[]): Map<string, MarkedWindow> =>
  new Map(windows.map((window) => [window.id, window]));

/** Samples that a logger's packet has, at most about. */
const PACKET_SAMPLES = 4;

function placed(log: MarkerLog, timeline: Timeline, how: string): TiedWindows {
  const { windows, incomplete } = placedWindows(log, timeline);
  return { alignment: undefined, line: undefined, windows: byId(windows), incomplete, timeline, how };
}

/** Ties what has no edges, as far as marks and log let it. @throws HardwareError NO_LOAD, EDGES_INVALID, BAD_FIT */
function withoutEdges(log: MarkerLog, { trace }: ImportedLog): TiedWindows | undefined {
  if (trace.clock === 'host-realtime' && isSameHost(log.host, trace.host)) {
    // Stamps are those of packets when they came, each of some samples.
    const stampS = (PACKET_SAMPLES * medianIntervalS(trace.timeS)) / Math.sqrt(12);
    return placed(log, wallTimeline(log, stampS), 'by the wall clock of this machine, on which the logger ran');
  }
  if (!hasLoads(log)) return undefined;
  const { timeline, driftPpm, uncertaintyS, correlation } = tieByLoad(log, new PowerIntegral(trace));
  const sure = `+- ${(2 * uncertaintyS * 1e3).toPrecision(2)} ms, correlation ${correlation.toFixed(2)}`;
  return placed(log, timeline, `by its loads at both ends: drift ${driftPpm.toFixed(0)} ppm, ${sure}`);
}

/**
 * Ties a marker's log to a power log: by the host's monotonic clock where both are on that of one start of one machine, by its
 * wall clock where the logger ran here, by the loads of a marker that makes such, else by the edges that the log recorded. A
 * line that is named is always the way.
 * @throws HardwareError EDGES_INVALID, NO_SYNC, NO_LOAD, BAD_FIT
 */
export function tieWindows(log: MarkerLog, power: ImportedLog, line: string | null): TiedWindows {
  const isOurs = power.trace.clock === 'host-monotonic' && isSameHost(log.host, power.trace.host);
  if (isOurs && line === null) {
    const { windows, incomplete } = hostWindows(log);
    return { alignment: undefined, line: undefined, windows: byId(windows), incomplete, timeline: hostTimeline };
  }
  const other = line === null ? withoutEdges(log, power) : undefined;
  if (other !== undefined) return other;
  const [name, edges] = lineOf(power, line, whoseClock(log, power));
  // An edge is known to half a sample of the digital line, which may be finer than the power's.
  const alignment = align(log, edges, {
    sampleS: Math.max(1e-9, 2 * median(sorted(edges.map((edge) => edge.halfWidthS)))),
  });
  const { windows, incomplete, fit } = alignment;
  return { alignment, line: name, windows: byId(windows), incomplete, timeline: loggerTimeline(fit, log) };
}
