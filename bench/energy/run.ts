/** Opens and closes what an energy run has beside its comparison: the source's recording, the gates, the marker. */

import { join } from 'node:path';
import { readMachine, type MachineReading } from '../../hardware/gate/machine.ts';
import { openMarker, type OpenedMarker } from '../../hardware/marker/markers.ts';
import type { RunFolder } from '../compare/folder.ts';
import type { Beside } from '../compare/runner.ts';
import type { EnergyPlan } from './plan.ts';
import { Recorder } from './recorder.ts';
import { EnergySession } from './session.ts';
import { TRACE_FILE, writeRecord } from './record.ts';

/** What is opened beside the comparison, by the texts of nebula meter. */
export interface Instruments {
  /** Text of a source; undefined where a logger elsewhere records. */
  readonly source: string | undefined;
  readonly marker: string;
  readonly force: boolean;
}

/** Starts the recording, reads the gates, writes the opening burst: in this order, so that the recording has all of it. */
export async function openSession(
  instruments: Instruments,
  plan: EnergyPlan,
  folder: RunFolder,
  signal: AbortSignal,
): Promise<Beside> {
  const { source, marker: text, force } = instruments;
  const recorder = source === undefined ? undefined : await Recorder.start(source, join(folder.path, TRACE_FILE));
  let opened: OpenedMarker;
  let before: MachineReading;
  try {
    before = await readMachine();
    opened = await openMarker(text);
  } catch (error) {
    await recorder?.stop();
    throw error;
  }
  const { marker, cost } = opened;
  const session = new EnergySession({ plan, marker, signal });
  const finish = async (): Promise<void> => {
    const after = signal.aborted ? null : await readMachine();
    await marker.close();
    const recording = await recorder?.stop();
    const { label, synthetic, forgotten } = marker;
    const record = {
      marker: { text, label, synthetic, cost: cost ?? null, forgotten, failed: session.failedMarks },
      source: source === undefined || recording === undefined ? null : { text: source, recording },
      machine: { before, after },
      forced: force,
    };
    await writeRecord(folder, record, session.windows, marker.log());
  };
  return { companion: session, finish };
}
