/** What follows from an energy run's files, written back into its folder: the analysis, and every window as a row. */

import type { Analysis } from '../compare/analysis.ts';
import type { Row } from '../compare/rows.ts';
import type { Plan } from '../compare/plan.ts';
import type { RunFolder } from '../compare/folder.ts';
import { analyseEnergy, type AnalysedEnergy, type EnergyAnalysis } from './analysis.ts';
import { carbonOf, type CarbonFactors } from './carbon.ts';
import { isEnergyPlan } from './plan.ts';
import { readRecord, SESSION_FILE } from './record.ts';
import { energyCsv, energyRows } from './rows.ts';

/** What a run came to: analysis.json. */
export interface ConcludedAnalysis extends Analysis {
  /** Of a run that marked its calls for a power logger. */
  readonly energy?: EnergyAnalysis;
}

/** A run whose rows were analysed. `run` is its name, `reference` the target that others are compared with. */
export interface RunToConclude {
  readonly plan: Plan;
  readonly rows: readonly Row[];
  readonly run: string;
  readonly reference: string;
}

/** What was given of the grid, in the folder of a run. */
export const CARBON_FILE = 'carbon.json';

/** Undefined for a folder whose run was none of energy. */
export async function concludeEnergy(folder: RunFolder, given: RunToConclude): Promise<AnalysedEnergy | undefined> {
  const { plan, rows, run, reference } = given;
  if (!isEnergyPlan(plan) || !(await folder.has(SESSION_FILE))) return undefined;
  const record = await readRecord(folder);
  const energy = analyseEnergy({ plan, rows, record, reference });
  const lines = energyRows(run, energy.run?.windows ?? [], energy.analysis.synthetic);
  await folder.writeText('energy.ndjson', lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  await folder.writeText('energy.csv', energyCsv(lines));
  const { analysis } = energy;
  if (analysis.state !== 'measured' || !(await folder.has(CARBON_FILE))) return energy;
  const factors = await folder.readJson<CarbonFactors>(CARBON_FILE);
  return { ...energy, analysis: { ...analysis, carbon: { factors, cells: carbonOf(analysis.cells, factors) } } };
}

/** Whether the energies of a run may be used: measured, and no gate failed that was not passed by force. */
export function isUsable(energy: EnergyAnalysis): boolean {
  return energy.state === 'measured' && energy.gates !== null && (energy.gates.valid || energy.gates.forced);
}
