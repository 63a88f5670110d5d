/** Energies of marks without a run around them: a service's invocations, or anything else that a marker marked. Pure. */

import { measureWindow, type Energy, type Reason } from '../../hardware/analysis/energy.ts';
import { PowerIntegral } from '../../hardware/analysis/integral.ts';
import type { ImportedLog } from '../../hardware/logger/log.ts';
import type { ReadMarkerLog } from '../../hardware/marker/log-file.ts';
import { tieWindows, type TiedWindows } from './tie.ts';

/** One marked window: times in s on the trace's clock, gross energy in J with the idle power in it. */
export interface MarkEnergy {
  readonly id: string;
  readonly calls: number;
  readonly state: string;
  readonly startS: number;
  readonly durationS: number;
  readonly samples: number;
  readonly uncoveredS: number;
  readonly gross: Energy | null;
  readonly resolvable: boolean;
  readonly reasons: readonly Reason[];
  readonly synthetic: boolean;
}

/** All windows of a marker's log against one recording. */
export interface MeasuredMarks {
  readonly tied: TiedWindows;
  readonly source: string;
  readonly synthetic: boolean;
  readonly windows: readonly MarkEnergy[];
}

/** @throws HardwareError EDGES_INVALID, NO_SYNC, BAD_FIT, TRACE_INVALID */
export function measureMarks(log: ReadMarkerLog, power: ImportedLog, line: string | null): MeasuredMarks {
  const tied = tieWindows(log, power, line);
  const integral = new PowerIntegral(power.trace);
  const synthetic = log.synthetic || power.trace.synthetic;
  const windows = [...tied.windows.values()].map((window): MarkEnergy => {
    const { gross, durationS, samples, uncoveredS, resolvable, reasons } = measureWindow(integral, window);
    const { id, calls, startS } = window;
    const state = tied.alignment === undefined ? 'host' : window.state;
    const measured = { gross: gross ?? null, durationS, samples, uncoveredS, resolvable, reasons, synthetic };
    return { id, calls, state, startS, ...measured };
  });
  return { tied, source: power.trace.source, synthetic, windows };
}
