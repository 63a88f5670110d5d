/** The report as Markdown, and its headline for a terminal. */

import type { Analysis } from '../analysis.ts';
import { counted } from '../findings.ts';
import type { Figure } from './drawing.ts';
import { METHOD } from './method.ts';
import { ratio, ratioInterval } from './quantities.ts';
import type { ReportInput } from './report.ts';
import {
  breakEvenTable,
  digestTable,
  environmentTable,
  headlineTable,
  mediansTable,
  spreadTable,
  type Table,
} from './tables.ts';

const INPUT_OF_HEADLINE = 'small';

/** One line for each target, the reference's first. */
export function headlineText(analysis: Analysis): string {
  const inputs = [...new Set(analysis.overall.map((each) => each.input))];
  const input = inputs.includes(INPUT_OF_HEADLINE) ? INPUT_OF_HEADLINE : inputs[0];
  const shown = analysis.overall.filter((each) => each.phase === 'total' && each.input === input);
  const lines = shown.map(({ target, against, ratio: found, functions }) => {
    const over = `geometric mean over ${counted(functions.length, 'function')}, ${input} input`;
    return `${target}: ${ratio(found.value)} ${ratioInterval(found)} times ${against} (${over})`;
  });
  const warnings = analysis.findings.filter((finding) => finding.severity !== 'note');
  return [...lines, ...warnings.map((finding) => `${finding.severity}: ${finding.message}`)].join('\n');
}

export function toMarkdown(input: ReportInput, figures: readonly Figure[]): string {
  const { analysis, environment, plan } = input;
  const parts = [
    `# ${analysis.run}`,
    ...(analysis.stopped === null ? [] : [`**${analysis.stopped}**`]),
    `The median of a call as it was measured; then whole calls and starts as multiples of ${analysis.reference}: geometric mean over the functions, 95 % interval.`,
    table(headlineTable(analysis)),
    '## Findings',
    analysis.findings.map((finding) => `- ${finding.severity} \`${finding.code}\`: ${finding.message}`).join('\n'),
    '## Figures',
    ...figures.map(
      (figure) => `### ${figure.title}\n\n![${figure.title}](figures/${figure.id}.svg)\n\n${figure.caption}`,
    ),
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

const row = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;

function table({ head, lines }: Table): string {
  return [row(head), row(head.map(() => '---')), ...lines.map(row)].join('\n');
}
