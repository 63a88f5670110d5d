/** `--against DIR --gate "J/call +5 %"`: an energy run held against an earlier one, for CI. */

import { argumentError } from '../../host/errors.ts';
import { ratio, ratioInterval } from '../compare/report/quantities.ts';
import { RunFolder } from '../compare/folder.ts';
import type { RunEnvironment } from '../compare/environment.ts';
import { holdAgainst, parseGate, type EnergyGate, type GatedCell, type GatedRun } from '../energy/against.ts';
import type { ConcludedAnalysis } from '../energy/conclusion.ts';
import { energy } from '../energy/report/quantities.ts';

/** A gate with the folder of the earlier run. */
export interface WantedGate {
  readonly against: string;
  readonly gate: EnergyGate;
}

/** Where what the gate came to is kept, in the folder of the run. */
export const GATE_FILE = 'gate.json';

/** What the flags ask for. @throws TypeError or RangeError with ERR_NEBULA_ARGUMENT; Error where the earlier run is none */
export async function wantedGate(
  against: string | undefined,
  gate: string | undefined,
): Promise<WantedGate | undefined> {
  if (against === undefined && gate === undefined) return undefined;
  if (against === undefined) throw argumentError('--against', 'the folder of an earlier run, beside --gate', against);
  if (gate === undefined) throw argumentError('--gate', '"J/call +5 %" or the like, beside --against', gate);
  const wanted = { against, gate: parseGate(gate) };
  // Before anything is measured: a run takes half an hour and more.
  await gatedRun(await RunFolder.open(against));
  return wanted;
}

/** Holds the run of a folder against an earlier one, keeps that, and tells it. Resolves to whether it passed. */
export async function holdRun(path: string, wanted: WantedGate, print: (text: string) => void): Promise<boolean> {
  const folder = await RunFolder.open(path);
  const result = holdAgainst(await gatedRun(folder), await gatedRun(await RunFolder.open(wanted.against)), wanted.gate);
  await folder.writeJson(GATE_FILE, { against: wanted.against, ...result });
  for (const difference of result.differences) print(`not the same in both runs: ${difference}`);
  for (const cell of result.cells) print(lineOf(cell));
  const { cells, gate, passed } = result;
  const beyond = cells.filter(({ verdict }) => verdict === 'beyond').length;
  const undecided = cells.filter(({ verdict }) => verdict === 'undecided').length;
  const untold = cells.filter(({ verdict }) => verdict === 'untold').length;
  print(
    `gate ${gate.text}: ${passed ? 'passed' : 'failed'}; of ${cells.length} cells ${beyond} beyond it, ${undecided} undecided, ${untold} not told any more`,
  );
  return passed;
}

async function gatedRun(folder: RunFolder): Promise<GatedRun> {
  const analysis = await folder.readJson<ConcludedAnalysis>('analysis.json');
  return { energy: analysis.energy, environment: await folder.readJson<RunEnvironment>('environment.json') };
}

function lineOf({ target, function: name, input, before, after, times, verdict }: GatedCell): string {
  const change = times === null ? 'not told' : `${ratio(times.value)} ${ratioInterval(times)} times`;
  return `${target} ${name} ${input}: ${energy(before?.value)} then, ${energy(after?.value)} now, ${change}: ${verdict}`;
}
