/** What a benchmark came to: the file it writes and the table it prints. */

import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import type { Comparison } from './comparison.ts';
import type { Environment } from './environment.ts';
import type { Row, Series } from './series.ts';

/** What `--json` writes. */
export interface Result {
  readonly environment: Environment;
  readonly rows: readonly Row[];
  readonly comparisons: readonly Comparison[];
}

/** What a run hands over, before the environment is known. */
export interface Findings {
  readonly rows: readonly Row[];
  readonly comparisons: readonly Comparison[];
  readonly series: readonly Series[];
  /** What could not be measured, and why. */
  readonly missing: readonly string[];
}

/** Writes the result, and beside it every sample as a line `{bench, subject, function, block, us}`. */
export async function writeResult(path: string, result: Result, series: readonly Series[]): Promise<string> {
  await writeFile(path, `${JSON.stringify(result, null, 2)}\n`);
  const rawPath = path.replace(/(\.json)?$/, '.raw.ndjson');
  const raw = createWriteStream(rawPath);
  for (const { bench, subject, function: name, blocks } of series) {
    for (const [block, samples] of blocks.entries()) {
      const lines = Array.from(samples, (us) =>
        JSON.stringify({ bench, subject, function: name, block, us: Number(us.toFixed(2)) }),
      );
      if (!raw.write(`${lines.join('\n')}\n`)) await once(raw, 'drain');
    }
  }
  raw.end();
  await once(raw, 'finish');
  return rawPath;
}

const number = (value: number | undefined, digits = 1): string =>
  value === undefined ? '-' : value >= 1000 ? Math.round(value).toLocaleString('en') : value.toFixed(digits);

function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...lines.map((line) => line[column]?.length ?? 0)));
  const format = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ');
  return [format(head), widths.map((width) => '-'.repeat(width)).join('  '), ...lines.map(format)].join('\n');
}

const BAR_WIDTH = 24;

/** A ratio as a bar on a logarithmic axis from 1/1000 to 1000, `|` at 1. */
function ratioBar(ratio: number): string {
  const at = Math.round(((Math.log10(Math.min(1000, Math.max(0.001, ratio))) + 3) / 6) * BAR_WIDTH);
  const middle = BAR_WIDTH / 2;
  return Array.from({ length: BAR_WIDTH + 1 }, (_, column) => {
    if (column === middle) return '|';
    return column >= Math.min(at, middle) && column <= Math.max(at, middle) ? '#' : ' ';
  }).join('');
}

function verdictOf({ met, different, bar, sense }: Comparison): string {
  const claim = different ? '' : ' (no difference shown)';
  if (met === null || bar === undefined) return `no bar${claim}`;
  return `${met ? 'met' : 'MISSED'}: ${sense === 'atMost' ? 'at most' : 'at least'} ${number(bar, 4)}${claim}`;
}

function printTiers(rows: readonly Row[], print: (text: string) => void): void {
  const lines = rows.flatMap(({ subject, function: name = '', tiers }) => {
    if (tiers === undefined) return [];
    return [[subject, name, number(tiers.uncompiled), number(tiers.liftoff), number(tiers.turbofan)]];
  });
  if (lines.length === 0) return;
  print('');
  print(table(['functions before', 'function', 'uncompiled', 'liftoff', 'turbofan'], lines));
}

function printWaits(rows: readonly Row[], print: (text: string) => void): void {
  const lines = rows.flatMap(({ subject, function: name = '', n, asked, allUs, failures = {} }) => {
    const failed = Object.entries(failures).map(([kind, count]) => `${count} x ${kind}`);
    if (asked === undefined && failed.length === 0) return [];
    const allMs = allUs === undefined ? undefined : allUs / 1000;
    return [[subject, name, number(asked, 0), number(n, 0), number(allMs, 0), failed.join(', ')]];
  });
  if (lines.length === 0) return;
  print('');
  print(table(['at once', 'function', 'asked', 'answered', 'all after ms', 'otherwise'], lines));
  const isHeld = rows.some(({ suspendsGuests }) => suspendsGuests === false);
  if (isHeld) print('This Node suspends no guest: each that waits holds a thread.');
}

/** The result for people. */
export function printResult(result: Result, missing: readonly string[], print: (text: string) => void): void {
  const { environment: machine, rows, comparisons } = result;
  print(`${machine.cpu}, ${machine.cores} cores, ${machine.kernel} ${machine.arch}, Node ${machine.node}`);
  const steal = machine.stealShare === null ? 'unknown' : `${(machine.stealShare * 100).toFixed(1)} %`;
  print(
    `governor ${machine.governor ?? 'unknown'}, load ${machine.loadBefore} -> ${machine.loadAfter}, steal ${steal}\n`,
  );
  const cells = rows.map((row) => [
    row.subject,
    `${row.function ?? ''}${row.connections === undefined ? '' : `, connections: ${row.connections}`}`,
    number(row.n, 0),
    number(row.p50Us),
    number(row.p90Us),
    number(row.p99Us),
    number(row.perSecond, 0),
    number(row.rssBytes, 0),
  ]);
  print(table(['subject', 'function', 'n', 'p50 us', 'p90 us', 'p99 us', 'per second', 'rss bytes'], cells));
  printTiers(rows, print);
  printWaits(rows, print);
  print('');
  const verdicts = comparisons.map((item) => [
    `${item.subject} / ${item.against}`,
    `${item.function ?? ''} ${item.metric}`,
    number(item.ratio, 4),
    `[${number(item.low, 4)}, ${number(item.high, 4)}]`,
    ratioBar(item.ratio),
    verdictOf(item),
  ]);
  if (verdicts.length > 0) print(table(['compared', 'what', 'ratio', '95 % interval', 'log scale', 'bar'], verdicts));
  for (const line of missing) print(`not measured: ${line}`);
}
