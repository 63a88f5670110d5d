/** The parts of documents that quote docs/results/comparison, load and thesis, out of the files that they quote. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Analysis, CellSummary } from '../../bench/compare/analysis.ts';
import type { RunEnvironment } from '../../bench/compare/environment.ts';
import { counted } from '../../bench/compare/findings.ts';
import { ratio, ratioInterval, time, timeInterval } from '../../bench/compare/report/quantities.ts';
import { breakEvenText } from '../../bench/compare/report/tables.ts';
import type { LoadResult } from '../../bench/load/result.ts';
import type { ThesisRow } from '../../bench/thesis/comparison.ts';
import { thesisTable } from '../../bench/thesis/report.ts';

/** Compiled to dist/test/meta. */
export const ROOT: string = join(import.meta.dirname, '..', '..', '..');

/** Documents that quote the results. */
export const QUOTING: readonly string[] = [
  'docs/figures.md',
  'docs/results/comparison/README.md',
  'docs/results/load/README.md',
  'docs/thesis.md',
];

export interface Results {
  readonly analysis: Analysis;
  readonly environment: RunEnvironment;
  readonly load: LoadResult;
  readonly loadEnvironment: RunEnvironment;
  readonly thesis: Analysis & { readonly thesis: readonly ThesisRow[] };
  readonly thesisEnvironment: RunEnvironment;
}

const read = (...path: string[]): unknown =>
  JSON.parse(readFileSync(join(ROOT, 'docs', 'results', ...path), 'utf8')) as unknown;

export function readResults(): Results {
  return {
    analysis: read('comparison', 'analysis.json') as Analysis,
    environment: read('comparison', 'environment.json') as RunEnvironment,
    load: read('load', 'load.json') as LoadResult,
    loadEnvironment: read('load', 'environment.json') as RunEnvironment,
    thesis: read('thesis', 'analysis.json') as Results['thesis'],
    thesisEnvironment: read('thesis', 'environment.json') as RunEnvironment,
  };
}

/** A document with all between `<!-- quote NAME -->` and `<!-- end -->` as the results have it. */
export function quoteResults(markdown: string, results: Results): string {
  const quotes: Readonly<Record<string, () => string>> = {
    comparison: () => comparisonQuote(results),
    'break-even': () => breakEvenQuote(results),
    load: () => loadQuote(results),
    thesis: () => thesisQuote(results),
    sizes: () => sizesQuote(results),
  };
  return markdown.replaceAll(
    /(<!-- quote ([\w-]+) -->\n).*?(<!-- end -->)/gs,
    (_all, open: string, name: string, end: string) => {
      const quote = quotes[name];
      if (quote === undefined) throw new Error(`No quote is called ${name}`);
      return `${open}\n${quote()}\n\n${end}`;
    },
  );
}

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  return [row(head), row(head.map(() => '---')), ...lines.map(row)].join('\n');
}

/** The machine and what it was while it measured. */
function machineOf({ cpu, cores, kernel, node, engine, loadBefore, blocks, date, commit }: RunEnvironment): string {
  const steals = blocks.flatMap(({ stealShare }) => stealShare ?? []);
  const steal = steals.length === 0 ? '' : `, at most ${(Math.max(...steals) * 100).toFixed(1)} % stolen in a block`;
  const [day] = date.split('T');
  const made = commit === null ? '' : `, commit \`${commit.slice(0, 7)}\``;
  return `${cpu}, ${cores} cores (virtual), ${kernel}, Node ${node}, ${engine}; load ${loadBefore} before${steal}; ${day}${made}`;
}

function comparisonQuote({ analysis, environment }: Results): string {
  const { reference, overall, cells, failed, blocks } = analysis;
  const calls = cells.reduce((sum, cell) => sum + (cell.phases['total']?.n ?? 0), 0);
  const inputs = [...new Set(overall.map((each) => each.input))];
  const ends = [...new Set([inputs[0], inputs.at(-1)])];
  const functions = [...new Set(cells.map((cell) => cell.function))];
  const targets = [...new Set(cells.map((cell) => cell.target))];
  const example = functions.includes('noop') ? 'noop' : functions[0];
  const lines = targets.map((target) => {
    const cell = cells.find((each) => each.target === target && each.function === example);
    const against = ends.map((input) => {
      if (target === reference) return '1';
      const found = overall.find((each) => each.target === target && each.input === input && each.phase === 'total');
      return found === undefined ? '-' : `${ratio(found.ratio.value)} ${ratioInterval(found.ratio)}`;
    });
    return [
      `\`${target}\``,
      medianOf(cell, 'total'),
      ...['start', 'teardown'].map((phase) => time(cell?.phases[phase]?.median)),
      ...against,
    ];
  });
  const head = [
    'target',
    `call of \`${example}\``,
    'its start',
    'its teardown',
    ...ends.map((input) => `${input} inputs, times \`${reference}\``),
  ];
  return [
    `${calls.toLocaleString('en')} calls of ${counted(functions.length, 'function')} in ${counted(blocks, 'block')}, ${counted(failed.length, 'failed call')}. ${machineOf(environment)}.`,
    table(head, lines),
  ].join('\n\n');
}

function medianOf(cell: CellSummary | undefined, phase: string): string {
  const found = cell?.phases[phase];
  return found?.interval === undefined ? '-' : `${time(found.median)} ${timeInterval(found.interval)}`;
}

function breakEvenQuote({ analysis }: Results): string {
  const lines = analysis.breakEvens
    .filter(({ native, verdict }) => native === 'container-cold' && verdict !== 'too-short')
    .map((each) => [
      `\`${each.function}\``,
      each.slowdown === null ? '-' : `${ratio(each.slowdown.value)} ${ratioInterval(each.slowdown)}`,
      each.verdict === 'crosses' && each.runNs !== null
        ? `${time(each.runNs.value)} ${timeInterval(each.runNs)}`
        : breakEvenText(each),
    ]);
  return table(['function', 'own run in Wasm, times native', 'a cold container is ahead from a native run of'], lines);
}

const us = (value: number | undefined): string => time(value === undefined ? undefined : value * 1000);

function loadQuote({ load, loadEnvironment }: Results): string {
  const lines = load.sweeps.map(({ target, knee, steps }) => {
    const at = steps.find((step) => step.sustained && step.ratePerSecond === knee.sustainedPerSecond);
    const density = load.densities.find((each) => each.target === target);
    const fit = density === undefined ? '-' : density.perGib === 0 ? 'no memory' : density.perGib.toLocaleString('en');
    const perSecond = knee.sustainedPerSecond;
    return [`\`${target}\``, perSecond.toFixed(perSecond < 100 ? 1 : 0), us(at?.p50Us), us(at?.p99Us), fit];
  });
  const head = ['target', 'sustained per second', 'p50 there', 'p99 there', 'idle functions in 1 GiB'];
  return [`\`${load.function}\` over HTTP. ${machineOf(loadEnvironment)}.`, table(head, lines)].join('\n\n');
}

function thesisQuote({ thesis, thesisEnvironment }: Results): string {
  const calls = thesis.cells.reduce((sum, cell) => sum + (cell.phases['total']?.n ?? 0), 0);
  const { head, lines } = thesisTable(thesis.thesis);
  return [
    `${calls.toLocaleString('en')} calls in ${counted(thesis.blocks, 'block')}, ${counted(thesis.failed.length, 'failed call')}. ${machineOf(thesisEnvironment)}.`,
    table(head, lines),
  ].join('\n\n');
}

const kb = (bytes: number): string => `${Math.round(bytes / 1000)} kB`;

/** What was deployed of each function, as Wasm and as a native program in an image with nothing else. */
function sizesQuote({ thesisEnvironment: { deployed } }: Results): string {
  const [wasm, native] = [deployed['wasm-fresh'] ?? [], deployed['docker-run'] ?? []];
  const lines = wasm.map(({ function: name, sizeBytes }) => {
    const image = native.find((each) => each.function === name)?.sizeBytes;
    return [
      `\`${name}\``,
      kb(sizeBytes),
      image === undefined ? '-' : kb(image),
      image === undefined ? '-' : ratio(image / sizeBytes),
    ];
  });
  return table(['function', 'Wasm', 'image', 'image / Wasm'], lines);
}
