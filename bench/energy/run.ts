/** Opens and closes what an energy run has beside its comparison: the source's recording, the gates, the marker. */

import { join } from 'node:path';
import { readMachine, type MachineReading } from '../../hardware/gate/machine.ts';
import { openMarker, type OpenedMarker } from '../../hardware/marker/markers.ts';
import type { RunFolder } from '../compare/folder.ts';
import type { Beside } from '../compare/runner.ts';
import type { EnergyPlan } from './plan.ts';
import { followedBy, paceOf, type Lengthened, type Probe } from './pace.ts';
import { Recorder } from './recorder.ts';
import { EnergySession } from './session.ts';
import { TRACE_FILE, writeRecord } from './record.ts';

/** What is opened beside the comparison, by the texts of nebula meter. */
export interface Instruments {
  /** Text of a source; undefined where a logger elsewhere records. */
  readonly source: string | undefined;
  readonly marker: string;
  readonly force: boolean;
  /** What was found of the source beforehand. */
  readonly probe?: Probe | undefined;
}

/**
 * Starts the recording, reads the gates, writes the opening burst: in this order, so that the recording has all of it. The
 * plan in the folder becomes the one that the source can follow.
 */
export async function openSession(
  instruments: Instruments,
  asked: EnergyPlan,
  folder: RunFolder,
  signal: AbortSignal,
): Promise<Beside> {
  const { source, marker: text, force, probe } = instruments;
  const recorder = source === undefined ? undefined : await Recorder.start(source, join(folder.path, TRACE_FILE));
  const pace = recorder === undefined ? {} : paceOf(recorder.properties, probe);
  let opened: OpenedMarker;
  let before: MachineReading;
  let plan: EnergyPlan;
  let lengthened: Lengthened;
  try {
    ({ plan, lengthened } = followedBy(asked, source ?? '', pace));
    await folder.writeJson('plan.json', plan);
    before = await readMachine();
    opened = await openMarker(text);
  } catch (error) {
    await recorder?.stop();
    throw error;
  }
  const { marker, cost } = opened;
  const session = new EnergySession({ plan, marker, signal, refreshS: pace.refreshS });
  const finish = async (): Promise<void> => {
    const after = signal.aborted ? null : await readMachine();
    await marker.close();
    const recording = await recorder?.stop();
    const { label, synthetic, forgotten } = marker;
    const record = {
      marker: { text, label, synthetic, cost: cost ?? null, forgotten, failed: session.failedMarks },
      source:
        source === undefined || recording === undefined
          ? null
          : { text: source, recording, lengthened, ...(probe === undefined ? {} : { probe }) },
      machine: { before, after },
      forced: force,
    };
    await writeRecord(folder, record, session.windows, marker.log());
  };
  return { companion: session, finish };
}
