/** The tables of ratios in docs/figures.md and in the README, out of the result files that they quote. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Analysis } from '../../bench/compare/analysis.ts';
import type { Comparison } from '../../bench/measurement/comparison.ts';
import type { Result } from '../../bench/measurement/result.ts';

/** Compiled to dist/test/meta. */
const RESULTS = join(import.meta.dirname, '..', '..', '..', 'docs', 'results');

/** A result file by its name in docs/results/figures, which is that of its command. */
export interface Figure {
  readonly name: string;
  readonly result: Pick<Result, 'comparisons'>;
}

/** The benchmarks whose results docs/figures.md quotes, in its order. */
const FIGURES = ['start', 'restore', 'pool', 'http', 'density', 'markers', 'components'] as const;

/** The figures that the README has: of a benchmark beside peers, by what names a comparison of it. */
const FIRST = [
  {
    what: 'time of a call in thread, beside a new instance for each call',
    figure: 'start',
    names: ['nebula', 'new-instance', 'noop', 'p50Us'],
  },
  {
    what: 'time of a call of a function with a state of 64 MiB put back by copy-on-write, beside a copy',
    figure: 'restore',
    names: ['cow', 'copy', 'lookup', 'p50Us'],
  },
  {
    what: 'requests per second over HTTP, beside a bare `node:http` server',
    figure: 'http',
    names: ['nebula', 'node-http', 'noop', 'perSecond'],
  },
  {
    what: 'requests per second of a component in a fresh state, beside `jco serve`, which keeps its state',
    figure: 'components',
    names: ['nebula', 'jco-serve', 'hello', 'perSecond'],
  },
] as const;

const HEAD = '| what | ratio | file in docs/results | command |\n| --- | --- | --- | --- |';
const REGION = /<!-- figures -->\n[\s\S]*?<!-- \/figures -->/;
const FIVE = /<!-- five figures -->\n[\s\S]*?<!-- \/five figures -->/;

const ratio = (value: number): string => (value < 0.1 ? value.toFixed(4) : value.toFixed(2));

interface Bounds {
  readonly low: number | null;
  readonly high: number | null;
}

function interval(value: number | null, { low, high }: Bounds): string {
  if (value === null || low === null || high === null) throw new Error('A figure without an interval is none');
  return `${ratio(value)} [${ratio(low)}, ${ratio(high)}]`;
}

/** The results that are there, in the order of the page. */
export function readFigures(): readonly Figure[] {
  return FIGURES.flatMap((name) => {
    const file = join(RESULTS, 'figures', `${name}.json`);
    return existsSync(file) ? [{ name, result: JSON.parse(readFileSync(file, 'utf8')) as Result }] : [];
  });
}

function verdictOf({ bar, sense, met, different }: Comparison): string {
  if (bar === undefined || met === null) return different ? '' : ', no difference shown';
  return `, ${sense === 'atMost' ? 'at most' : 'at least'} ${bar}: ${met ? 'met' : 'missed'}`;
}

function lineOf(name: string, comparison: Comparison): string {
  const { subject, against, function: of = '', metric } = comparison;
  const told = `${interval(comparison.ratio, comparison)}${verdictOf(comparison)}`;
  return `| ${subject} / ${against}, ${of} ${metric} | ${told} | \`figures/${name}.json\` | \`npm run bench -- ${name}\` |`;
}

/** The page with a line for each comparison of the results between its two marks. */
export function fillFigures(markdown: string, figures: readonly Figure[]): string {
  if (!REGION.test(markdown)) throw new Error('The page has no place for the figures');
  const lines = figures.flatMap(({ name, result }) => result.comparisons.map((one) => lineOf(name, one)));
  return markdown.replace(REGION, () => `<!-- figures -->\n\n${HEAD}\n${lines.join('\n')}\n\n<!-- /figures -->`);
}

/** The README with its five figures between their marks; the last of them is of the comparison with containers. */
export function fillFive(
  markdown: string,
  figures: readonly Figure[],
  { overall, reference }: Pick<Analysis, 'overall' | 'reference'>,
): string {
  if (!FIVE.test(markdown)) throw new Error('The page has no place for five figures');
  const lines = FIRST.map(({ what, figure, names }) => {
    const found = figures
      .find(({ name }) => name === figure)
      ?.result.comparisons.find((one) =>
        [one.subject, one.against, one.function, one.metric].every((name, at) => name === names[at]),
      );
    if (found === undefined) throw new Error(`No comparison of ${names.join(', ')} in ${figure}`);
    return `| ${what} | ${interval(found.ratio, found)} | \`npm run bench -- ${figure}\` |`;
  });
  const cold = overall.find((one) => one.target === 'container-cold' && one.input === 'small' && one.phase === 'total');
  if (cold === undefined || reference !== 'wasm-restored') throw new Error('No ratio of cold containers to micro-VMs');
  lines.push(
    `| time of a call with a small input in a new container, beside a micro-VM | ${interval(cold.ratio.value, cold.ratio)} | \`npm run bench -- compare\` |`,
  );
  const table = ['| what | ratio | command |', '| --- | --- | --- |', ...lines].join('\n');
  return markdown.replace(FIVE, () => `<!-- five figures -->\n\n${table}\n\n<!-- /five figures -->`);
}
