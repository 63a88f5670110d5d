/** The report as one HTML file that opens without a network. */

import { ENERGY_METHOD } from '../energy/report/method.ts';
import type { EnergySection } from '../energy/report/section.ts';
import type { Stamp } from '../energy/report/stamp.ts';
import { counted } from '../compare/findings.ts';
import { escapeXml, type Figure } from '../compare/report/drawing.ts';
import { METHOD } from '../compare/report/method.ts';
import type { ReportInput } from './input.ts';
import { STYLE } from './style.ts';
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
import type { ThesisRow } from '../thesis/comparison.ts';

/** The whole report as one HTML file, figures and style within it. */
export function toHtml(input: ReportInput, figures: readonly Figure[], energy?: EnergySection): string {
  const { analysis, environment, plan } = input;
  const calls = analysis.cells.reduce((sum, cell) => sum + (cell.phases['total']?.n ?? 0), 0);
  const about = `${calls} measured calls in ${analysis.blocks} blocks, seed ${plan.seed}; ${environment.cpu}, ${environment.cores} cores, ${environment.kernel}, Node ${environment.node}; ${environment.date}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeXml(analysis.run)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
${(energy?.stamps ?? []).map(stamp).join('')}
<h1>The same functions, run in different ways</h1>
<p>${escapeXml(about)}</p>
${analysis.stopped === null ? '' : `<p class="stopped">${escapeXml(analysis.stopped)}</p>`}
</header>
<main>
${thesisPart(input.thesis)}
<section>
<h2>Against ${escapeXml(analysis.reference)}</h2>
<p>First the median of a call as it was measured. Then how many times longer than ${escapeXml(analysis.reference)} a target takes: geometric mean of the ratios of medians over the functions, with its 95 % interval; below 1 the target is faster.</p>
${table(headlineTable(analysis), 1)}
<h3>Targets</h3>
${table(targetTable(targetsOf(analysis)), 2)}
</section>
${energy === undefined ? '' : energyPart(energy)}
${findings('Findings', analysis.findings)}
<section><h2>Figures</h2>
<div class="figures">
${figures.map(figure).join('\n')}
</div>
</section>
<section><h2>Break-even</h2>
<p>How long a function must run natively before the container's whole call is as short as the micro-VM's.</p>
${table(breakEvenTable(analysis), 2)}
</section>
<section><h2>Medians</h2>${table(mediansTable(analysis), 3)}</section>
<section><h2>Spread of whole calls</h2>${table(spreadTable(analysis), 3)}</section>
<section><h2>Method</h2><ul>${METHOD.map((line) => `<li>${escapeXml(line)}</li>`).join('')}</ul>
<p>Plan: <code>${escapeXml(JSON.stringify(plan))}</code></p></section>
<section><h2>Environment</h2>${table(environmentTable(environment), 2)}${table(digestTable(environment), 2)}</section>
</main>
</body>
</html>
`;
}

const thesisPart = (rows: readonly ThesisRow[] | undefined): string =>
  rows === undefined
    ? ''
    : `<section><h2>Beside the thesis</h2><p>${escapeXml(THESIS_TEXT)}</p>${table(thesisTable(rows), 1)}</section>`;

const stamp = ({ short, text }: Stamp): string =>
  `<p class="stamp" role="alert"><strong>${escapeXml(short)}</strong> ${escapeXml(text)}</p>`;

function energyPart({ missing, parts, figures, findings: found, stamps }: EnergySection): string {
  const mark = stamps.map(({ short }) => ` <span class="mark">${escapeXml(short)}</span>`).join('');
  const sections = parts.map(
    ({ title, text, table: cells, names }) =>
      `<h3>${escapeXml(title)}${mark}</h3><p>${escapeXml(text)}</p>${table(cells, names)}`,
  );
  const drawn = figures.length === 0 ? '' : `<div class="figures">${figures.map(figure).join('\n')}</div>`;
  return `<section id="energy"><h2>Energy${mark}</h2>
${missing === null ? '' : `<p class="stopped">${escapeXml(missing)}</p>`}
${findings('', found)}
${drawn}
${sections.join('\n')}
<details><summary>How the energies were made</summary><ul>${ENERGY_METHOD.map((line) => `<li>${escapeXml(line)}</li>`).join('')}</ul></details>
</section>`;
}

interface Told {
  readonly severity: string;
  readonly code: string;
  readonly message: string;
  readonly about: readonly string[];
}

function findings(title: string, found: readonly Told[]): string {
  const items = found.map(({ severity, code, message, about }) => {
    const places =
      about.length === 0
        ? ''
        : `<details><summary>${counted(about.length, 'place')}</summary>${escapeXml(about.join('; '))}</details>`;
    return `<li class="${severity}"><strong>${severity}</strong> <code>${code}</code> ${escapeXml(message)}${places}</li>`;
  });
  const list = `<ul class="findings">${items.join('')}</ul>`;
  return title === '' ? list : `<section><h2>${escapeXml(title)}</h2>${list}</section>`;
}

function figure({ id, title, caption, svg, series }: Figure): string {
  return `<figure id="${id}" data-series="${escapeXml(series.join('|'))}">
<h3>${escapeXml(title)}</h3>
${svg}
<figcaption>${escapeXml(caption)}</figcaption>
</figure>`;
}

/** The first columns are names, the others numbers. */
function table({ head, lines }: Table, names: number): string {
  const row = (cells: readonly string[], tag: string): string =>
    `<tr>${cells.map((cell, at) => `<${tag}${at < names ? '' : ' class="number"'}>${escapeXml(cell)}</${tag}>`).join('')}</tr>`;
  return `<div class="scroll"><table><thead>${row(head, 'th')}</thead><tbody>${lines.map((line) => row(line, 'td')).join('')}</tbody></table></div>`;
}
