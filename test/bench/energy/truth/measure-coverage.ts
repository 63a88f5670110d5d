/**
 * `node measure-coverage.js [RUNS] [FILE] [NAME]`: counts every scenario (or those whose name has NAME), prints a line each, writes
 * the counts as FILE.json and each run as a row of FILE.raw.ndjson.gz. 200 runs of all take about ten minutes.
 */

import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { coverageOf, type Count, type Coverage } from './coverage.ts';
import { SCENARIOS } from './scenarios.ts';

const [runs = '200', file = '-', only = ''] = process.argv.slice(2);

const percent = (share: number): string => (Number.isNaN(share) ? '-' : (100 * share).toFixed(1));

const text = ({ told, hold, refused, halfWidth }: Count): string =>
  `${percent(hold / told).padStart(5)} of ${String(told).padStart(5)} (${String(refused).padStart(5)} refused, +-${percent(halfWidth).padStart(5)})`;

const found: Coverage[] = [];
const rows: string[] = [];
for (const scenario of SCENARIOS.filter(({ name }) => name.includes(only))) {
  const coverage = coverageOf(scenario, Number(runs), (row) => rows.push(`${JSON.stringify(row)}\n`));
  found.push(coverage);
  const { windows, resolved, cells, ratios, refusedRuns, firstRefusal } = coverage;
  const parts = [windows, resolved, cells, ratios].map(text).join(' | ');
  const whole = refusedRuns > 0 ? ` ${refusedRuns} runs refused: ${firstRefusal}` : '';
  process.stdout.write(`${scenario.name.padEnd(32)} ${parts}${whole}\n`);
}
if (file !== '-') {
  writeFileSync(
    `${file}.json`,
    `${JSON.stringify({ runs: Number(runs), node: process.version, scenarios: found }, null, 2)}\n`,
  );
  writeFileSync(`${file}.raw.ndjson.gz`, gzipSync(rows.join('')));
}
