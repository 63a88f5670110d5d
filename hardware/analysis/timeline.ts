/** Times of the host on a trace's clock: for windows that no edge of their own tells of, as guards and phases of a call. */

import { clockUncertaintyS, toLoggerS, type ClockFit } from './clock-fit.ts';
import type { MarkerLog } from './edges.ts';
import type { EnergyWindow } from './energy.ts';

/** A host time on a trace's clock, with its standard uncertainty. */
export interface PlacedTime {
  readonly timeS: number;
  readonly uncertaintyS: number;
}

/** From the host's monotonic clock in nanoseconds. */
export type Timeline = (hostNs: bigint) => PlacedTime;

/** Of a trace whose times are the host's own. */
export const hostTimeline: Timeline = (hostNs) => ({ timeS: Number(hostNs) / 1e9, uncertaintyS: 0 });

/** Of a trace on the logger's clock that `align` tied to the log. */
export function loggerTimeline(fit: ClockFit, log: MarkerLog): Timeline {
  const originNs = log.edges[0]?.beforeNs ?? 0n;
  return (hostNs) => {
    const hostS = Number(hostNs - originNs) / 1e9;
    return { timeS: toLoggerS(fit, hostS), uncertaintyS: clockUncertaintyS(fit, hostS) };
  };
}

/** A window between two host times. */
export function placeWindow(timeline: Timeline, startNs: bigint, endNs: bigint): EnergyWindow {
  const start = timeline(startNs);
  const end = timeline(endNs);
  return {
    startS: start.timeS,
    endS: end.timeS,
    startUncertaintyS: start.uncertaintyS,
    endUncertaintyS: end.uncertaintyS,
  };
}
