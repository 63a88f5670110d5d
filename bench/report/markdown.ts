/** The report as Markdown, and its headline for a terminal. */

import { ENERGY_METHOD } from '../energy/report/method.ts';
import { energyHeadline, type EnergySection } from '../energy/report/section.ts';
import type { ConcludedAnalysis } from '../energy/conclusion.ts';
import { counted } from '../compare/findings.ts';
import type { Figure } from '../compare/report/drawing.ts';
import { METHOD } from '../compare/report/method.ts';
import { ratio, ratioInterval } from '../compare/report/quantities.ts';
import type { ReportInput } from './input.ts';
import {
  breakEvenTable,
  digestTable,
  environmentTable,
  headlineTable,
  mediansTable,
  spreadTable,
  type Table,
} from '../compare/report/tables.ts';
import { targetsOf, targetTable } from '../compare/report/targets.ts';
import { THESIS_TEXT, thesisTable } from '../thesis/report.ts';

const INPUT_OF_HEADLINE = 'small';

/** One line for each target, the reference's first. */
export function headlineText(analysis: ConcludedAnalysis): string {
  const inputs = [...new Set(analysis.overall.map((each) => each.input))];
  const input = inputs.includes(INPUT_OF_HEADLINE) ? INPUT_OF_HEADLINE : inputs[0];
  const shown = analysis.overall.filter((each) => each.phase === 'total' && each.input === input);
  const lines = shown.map(({ target, against, ratio: found, functions }) => {
    const over = `geometric mean over ${counted(functions.length, 'function')}, ${input} input`;
    return `${target}: ${ratio(found.value)} ${ratioInterval(found)} times ${against} (${over})`;
  });
  const warnings = analysis.findings.filter((finding) => finding.severity !== 'note');
  const energies = analysis.energy === undefined ? [] : energyHeadline(analysis.energy);
  return [...lines, ...energies, ...warnings.map((finding) => `${finding.severity}: ${finding.message}`)].join('\n');
}

/** The whole report as Markdown, its figures as files beside it. */
export function toMarkdown(input: ReportInput, figures: readonly Figure[], energy?: EnergySection): string {
  const { analysis, environment, plan, thesis } = input;
  const parts = [
    `# ${analysis.run}`,
    ...(energy?.stamps ?? []).map(({ short, text }) => `**${short}**: ${text}`),
    ...(analysis.stopped === null ? [] : [`**${analysis.stopped}**`]),
    ...(thesis === undefined ? [] : ['## Beside the thesis', THESIS_TEXT, table(thesisTable(thesis))]),
    `The median of a call as it was measured; then whole calls and starts as multiples of ${analysis.reference}: geometric mean over the functions, 95 % interval.`,
    table(headlineTable(analysis)),
    '## Targets',
    table(targetTable(targetsOf(analysis))),
    ...(energy === undefined ? [] : energyPart(energy)),
    '## Findings',
    list(analysis.findings),
    '## Figures',
    ...figures.map(picture),
    '## Break-even',
    table(breakEvenTable(analysis)),
    '## Medians',
    table(mediansTable(analysis)),
    '## Spread of whole calls',
    table(spreadTable(analysis)),
    '## Method',
    METHOD.map((line) => `- ${line}`).join('\n'),
    `Plan: \`${JSON.stringify(plan)}\``,
    '## Environment',
    table(environmentTable(environment)),
    table(digestTable(environment)),
  ];
  return `${parts.join('\n\n')}\n`;
}

const picture = ({ id, title, caption }: Figure): string =>
  `### ${title}\n\n![${title}](figures/${id}.svg)\n\n${caption}`;

interface Told {
  readonly severity: string;
  readonly code: string;
  readonly message: string;
}

const list = (findings: readonly Told[]): string =>
  findings.map(({ severity, code, message }) => `- ${severity} \`${code}\`: ${message}`).join('\n');

function energyPart({ stamps, missing, parts, figures, findings }: EnergySection): string[] {
  const mark = stamps.map(({ short }) => ` (${short})`).join('');
  return [
    `## Energy${mark}`,
    ...(missing === null ? [] : [missing]),
    list(findings),
    ...figures.map(picture),
    ...parts.flatMap(({ title, text, table: cells }) => [`### ${title}${mark}`, text, table(cells)]),
    '### How the energies were made',
    ENERGY_METHOD.map((line) => `- ${line}`).join('\n'),
  ];
}

const row = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;

function table({ head, lines }: Table): string {
  return [row(head), row(head.map(() => '---')), ...lines.map(row)].join('\n');
}
