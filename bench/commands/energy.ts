/** `bench energy` and `bench import`: a comparison with marked batches beside a recording of power, and logs of elsewhere. */

import { existsSync, statSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { argumentError } from '../../host/errors.ts';
import { HardwareError } from '../../hardware/instrument/errors.ts';
import { withoutPassword } from '../../hardware/instrument/text.ts';
import type { ImportedLog } from '../../hardware/logger/log.ts';
import { formatOf, openLog, type LogSource } from '../../hardware/logger/open-log.ts';
import { checkMarker } from '../../hardware/marker/markers.ts';
import { checkSource } from '../../hardware/meter/sources.ts';
import { compare, concludeFolder, type ComparedRun } from './compare.ts';
import { RunFolder } from '../compare/folder.ts';
import { carbonFactors, type CarbonFactors } from '../energy/carbon.ts';
import { CARBON_FILE, isUsable } from '../energy/conclusion.ts';
import { holdRun, wantedGate, type WantedGate } from './energy-gate.ts';
import { energyPlanOf, type EnergyPlan } from '../energy/plan.ts';
import { parseProbe } from '../energy/pace.ts';
import { EDGES_FILE, forceRun, keepLog, onOurClock, readEdges, SESSION_FILE } from '../energy/record.ts';
import { tieWindows, type TiedWindows } from '../energy/tie.ts';
import { openSession } from '../energy/run.ts';
import { measureMarks } from '../energy/marks.ts';
import { marksTable } from '../energy/report/marks.ts';

type Print = (text: string) => void;

/** What `bench energy` was called with: texts of instruments as nebula meter names them, and fields of the plan. */
export interface EnergyFlags {
  readonly out?: string | undefined;
  readonly plan?: string | undefined;
  readonly source?: string | undefined;
  readonly marker?: string | undefined;
  readonly force?: boolean | undefined;
  readonly replay?: string | undefined;
  /** The plan that `given` changes; default: the whole energy run. */
  readonly base?: EnergyPlan;
  /** File with what `nebula meter probe --json` found of the source. */
  readonly probe?: string | undefined;
  /** Folder of an earlier run, and how much more a call may take than there. */
  readonly against?: string | undefined;
  readonly gate?: string | undefined;
  /** g CO2e for each kWh of the grid, and for each hour of the machine's life. */
  readonly grid?: number | undefined;
  readonly embodied?: number | undefined;
  /** Fields of the plan. */
  readonly given: Readonly<Record<string, unknown>>;
}

/** Measures, or analyses a run again. Resolves to whether what it came to may be used. */
export async function runEnergy(flags: EnergyFlags, print: Print): Promise<boolean> {
  const { source, marker = 'none', force = false, replay } = flags;
  const wanted = await wantedGate(flags.against, flags.gate);
  const factors = factorsOf(flags);
  if (replay !== undefined) {
    const folder = await RunFolder.open(replay);
    if (force) await forceRun(folder);
    await keepFactors(folder, factors);
    return finish(await concludeFolder(replay, print), print, wanted);
  }
  const probe = flags.probe === undefined ? undefined : parseProbe(await readFile(flags.probe, 'utf8'), flags.probe);
  if (source === undefined && wanted !== undefined) {
    const expected = 'given with --source or --replay: without a recording there are no energies';
    throw argumentError('--gate', expected, flags.gate);
  }
  if (source !== undefined) checkSource(source);
  checkMarker(marker);
  if (source === undefined && marker === 'none') {
    throw argumentError('--source', 'given, or --marker for a logger that records elsewhere', source);
  }
  const places = {
    ...(flags.out === undefined ? {} : { out: flags.out }),
    ...(flags.plan === undefined ? {} : { plan: flags.plan }),
  };
  const instruments = `${source === undefined ? '' : ` --source ${withoutPassword(source)}`} --marker ${marker}`;
  const run = await compare(
    {
      ...places,
      given: flags.given,
      kind: 'energy',
      instruments,
      toPlan: (given) => energyPlanOf(given, flags.base),
      beside: async (plan, folder, signal) => {
        await keepFactors(folder, factors);
        return openSession({ source, marker, force, probe }, plan as EnergyPlan, folder, signal);
      },
    },
    print,
  );
  if (source === undefined) {
    print(`no source was recorded here: nebula bench import LOG --edges ${join(run.path, 'edges.ndjson')}`);
    return run.analysis.stopped === null;
  }
  return finish(run, print, wanted);
}

function factorsOf({ grid, embodied }: EnergyFlags): CarbonFactors | undefined {
  if (grid !== undefined) return carbonFactors(grid, embodied);
  if (embodied === undefined) return undefined;
  throw argumentError('--grid', 'given beside --embodied', grid);
}

/** What an earlier analysis was given stays, unless there is something in its place. */
async function keepFactors(folder: RunFolder, factors: CarbonFactors | undefined): Promise<void> {
  if (factors !== undefined) await folder.writeJson(CARBON_FILE, factors);
}

async function finish({ path, analysis }: ComparedRun, print: Print, wanted?: WantedGate): Promise<boolean> {
  const { energy, stopped } = analysis;
  if (energy === undefined) {
    print('no energy: the run of this folder marked nothing');
    return false;
  }
  const isWhole = stopped === null && isUsable(energy);
  if (wanted === undefined) return isWhole;
  return (await holdRun(path, wanted, print)) && isWhole;
}

/** What `bench import` was called with; `vdd` in V, `interval` in s. */
export interface ImportFlags {
  readonly edges: string;
  readonly format?: string;
  readonly line?: string;
  readonly vdd?: number;
  /** Sampling interval in seconds, for logs without a time. */
  readonly interval?: number;
  /** Instrument or channel, for logs that have several. */
  readonly channel?: string;
  /** The logger's program ran on the machine that marked. */
  readonly here?: boolean;
  readonly json?: string;
}

/** Analyses a log that was recorded elsewhere against the marks of a run, or of anything else that marked. */
export async function importRecording(log: string, flags: ImportFlags, print: Print): Promise<boolean> {
  const source: LogSource = {
    path: log,
    format: flags.format ?? (await formatOf(log)),
    ...(flags.vdd === undefined ? {} : { vddV: flags.vdd }),
    ...(flags.interval === undefined ? {} : { sampleS: flags.interval }),
    ...(flags.channel === undefined ? {} : { channel: flags.channel }),
  };
  const { line = null, here = false } = flags;
  const isFolder = existsSync(flags.edges) && statSync(flags.edges).isDirectory();
  const folder = isFolder ? flags.edges : dirname(flags.edges);
  if (!existsSync(join(folder, SESSION_FILE))) {
    if (isFolder)
      throw new Error(`Cannot import into "${folder}": expected ${SESSION_FILE} of an energy run in it, found none`);
    return importBare(source, line, flags, print);
  }
  if (!isFolder && basename(flags.edges) !== EDGES_FILE) {
    throw argumentError('--edges', `the folder of the run, or its ${EDGES_FILE}`, flags.edges);
  }
  // A log that cannot be read, or not be tied to the run, leaves the folder as it was.
  const opened = await openLog(source);
  const run = await RunFolder.open(folder);
  try {
    const edges = await readEdges(join(folder, EDGES_FILE));
    requireCovered(opened, tieWindows(edges, here ? onOurClock(opened, edges) : opened, line));
  } catch (error) {
    if (!(error instanceof HardwareError)) throw error;
    print(`REFUSED: ${error.message} The run is as it was.`);
    return false;
  }
  await keepLog(run, source, { line, here });
  const concluded = await concludeFolder(folder, print);
  // What was forced when the calls were measured were the gates of then.
  const isLacking = concluded.analysis.energy?.gates?.failed.includes('lost-samples') === true;
  return (await finish(concluded, print)) && !isLacking;
}

/** @throws HardwareError TRACE_INVALID for a log that was recorded at another time than the windows */
function requireCovered({ trace }: ImportedLog, { windows }: TiedWindows): void {
  const [fromS, toS] = [trace.timeS[0] ?? 0, trace.timeS.at(-1) ?? 0];
  if ([...windows.values()].some(({ startS, endS }) => startS >= fromS && endS <= toS)) return;
  const expected = 'windows of the run within the recording';
  throw new HardwareError('TRACE_INVALID', {
    source: trace.source,
    expected,
    got: `${windows.size}, all outside of it`,
  });
}

/** Marks without a run around them, as a service writes them: gross energies, since nothing says when the machine was idle. */
async function importBare(source: LogSource, line: string | null, flags: ImportFlags, print: Print): Promise<boolean> {
  const edges = await readEdges(flags.edges);
  const opened = await openLog(source);
  const marks = measureMarks(edges, flags.here === true ? onOurClock(opened, edges) : opened, line);
  for (const text of marksTable(marks)) print(text);
  if (flags.json !== undefined) {
    await writeFile(flags.json, marks.windows.map((window) => `${JSON.stringify(window)}\n`).join(''));
  }
  return true;
}
