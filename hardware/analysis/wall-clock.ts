/**
 * A log whose times are the wall clock of the machine that marked, because the logger's program ran there: the marker reads
 * both clocks at the start and at the end of a session, and a line between the readings ties them. Pure functions.
 */

import { HardwareError } from '../instrument/errors.ts';
import type { MarkerLog, WallReading } from './edges.ts';
import type { Timeline } from './timeline.ts';

/** Drift that slewing makes at most is 500 ppm (adjtimex); what goes beyond it was set. */
const SLEW = 500e-6;

/** The readings are good to so much, in seconds. */
const READING_S = 1e-3;

function offsetS({ hostNs, realNs }: WallReading): number {
  return Number(realNs - hostNs) / 1e9;
}

/**
 * From the host's monotonic to its wall clock, in seconds since 1970.
 * @param stampS standard uncertainty of when the logger's program stamped, in seconds
 * @throws HardwareError EDGES_INVALID for a log without readings, BAD_FIT when the wall clock was set between them
 */
export function wallTimeline(log: MarkerLog, stampS = 0): Timeline {
  const [first, last] = [log.wall?.[0], log.wall?.at(-1)];
  if (first === undefined || last === undefined || first === last) {
    const fields = { what: 'the host', expected: 'readings of the wall clock at start and end', got: 'fewer' };
    throw new HardwareError('EDGES_INVALID', fields);
  }
  const spanS = Number(last.hostNs - first.hostNs) / 1e9;
  const changeS = offsetS(last) - offsetS(first);
  if (!(Math.abs(changeS) <= SLEW * spanS + 2 * READING_S)) {
    const fields = {
      what: 'what the wall clock was set by',
      got: `${changeS} s`,
      expected: `at most ${SLEW * spanS} s`,
    };
    throw new HardwareError('BAD_FIT', fields);
  }
  const originNs = first.realNs;
  // Where within the session it was slewed is not known.
  const uncertaintyS = Math.hypot(READING_S, stampS, changeS / Math.sqrt(12));
  return (hostNs) => {
    const sinceS = Number(hostNs - first.hostNs) / 1e9;
    const timeS =
      Number(originNs / 1_000_000n) / 1e3 + Number(originNs % 1_000_000n) / 1e9 + sinceS + (changeS * sinceS) / spanS;
    return { timeS, uncertaintyS };
  };
}
