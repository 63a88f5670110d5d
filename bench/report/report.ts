/** Writes what a run came to for people: report.html, report.md and the figures as files. */

import type { RunFolder } from '../compare/folder.ts';
import { Samples } from '../compare/samples.ts';
import { drawEnergyFigures } from '../energy/report/figures.ts';
import { energySection } from '../energy/report/section.ts';
import { drawFigures } from '../compare/report/figures.ts';
import { toHtml } from './html.ts';
import type { ReportInput } from './input.ts';
import { headlineText, toMarkdown } from './markdown.ts';

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
