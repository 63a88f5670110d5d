/** The README's table of figures, out of the result files that it quotes. */

import type { Comparison } from '../../bench/comparison.ts';
import type { Result } from '../../bench/result.ts';

/** A result file by its name in docs/results/figures, which is that of its command. */
export interface Figure {
  readonly name: string;
  readonly result: Pick<Result, 'comparisons'>;
}

/** The benchmarks whose results the README quotes, in its order. */
export const FIGURES = ['start', 'restore', 'pool', 'http', 'density', 'markers', 'components'] as const;

const HEAD = '| what | ratio | file in docs/results | command |\n| --- | --- | --- | --- |';
const REGION = /<!-- figures -->\n[\s\S]*?<!-- \/figures -->/;

const ratio = (value: number): string => (value < 0.1 ? value.toFixed(4) : value.toFixed(2));

function verdictOf({ bar, sense, met, different }: Comparison): string {
  if (bar === undefined || met === null) return different ? '' : ', no difference shown';
  return `, ${sense === 'atMost' ? 'at most' : 'at least'} ${bar}: ${met ? 'met' : 'missed'}`;
}

function lineOf(name: string, comparison: Comparison): string {
  const { subject, against, function: of = '', metric, low, high } = comparison;
  const interval = `${ratio(comparison.ratio)} [${ratio(low)}, ${ratio(high)}]${verdictOf(comparison)}`;
  return `| ${subject} / ${against}, ${of} ${metric} | ${interval} | \`figures/${name}.json\` | \`npm run bench -- ${name}\` |`;
}

/** The README with a line for each comparison of the results between its two marks. */
export function fillFigures(markdown: string, figures: readonly Figure[]): string {
  if (!REGION.test(markdown)) throw new Error('The README has no place for the figures');
  const lines = figures.flatMap(({ name, result }) => result.comparisons.map((one) => lineOf(name, one)));
  return markdown.replace(REGION, () => `<!-- figures -->\n\n${HEAD}\n${lines.join('\n')}\n\n<!-- /figures -->`);
}
