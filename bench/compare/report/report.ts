/** Writes what a run came to for people: report.html, report.md and the figures as files. */

import type { Analysis } from '../analysis.ts';
import type { RunEnvironment } from '../environment.ts';
import type { RunFolder } from '../folder.ts';
import type { Plan } from '../plan.ts';
import type { Row } from '../rows.ts';
import { Samples } from '../samples.ts';
import { drawEnergyFigures } from '../../energy/report/figures.ts';
import { energySection } from '../../energy/report/section.ts';
import type { MeasuredRun } from '../../energy/joules.ts';
import { drawFigures } from './figures.ts';
import { toHtml } from './html.ts';
import { headlineText, toMarkdown } from './markdown.ts';

export interface ReportInput {
  readonly plan: Plan;
  readonly environment: RunEnvironment;
  readonly rows: readonly Row[];
  readonly analysis: Analysis;
  /** The windows of an energy run, for its figures. */
  readonly energy?: MeasuredRun | undefined;
}

/** Resolves to the headline for a terminal. */
export async function writeReport(folder: RunFolder, input: ReportInput): Promise<{ readonly headline: string }> {
  const figures = drawFigures(input.analysis, new Samples(input.rows, input.plan));
  const { energy } = input.analysis;
  const drawn = energy === undefined ? [] : drawEnergyFigures(energy, input.energy);
  const section = energy === undefined ? undefined : energySection(energy, drawn);
  for (const figure of [...drawn, ...figures]) await folder.writeText(`figures/${figure.id}.svg`, `${figure.svg}\n`);
  await folder.writeText('report.html', toHtml(input, figures, section));
  await folder.writeText('report.md', toMarkdown(input, figures, section));
  return { headline: headlineText(input.analysis) };
}
