/** `node measure-coverage.js [RUNS] [FILE]`: counts every scenario, prints a line each, writes all of it as JSON. */

import { writeFileSync } from 'node:fs';
import { coverageOf, type Count, type Coverage } from './coverage.ts';
import { SCENARIOS } from './scenarios.ts';

const [runs = '200', file, only] = process.argv.slice(2);

const percent = (share: number): string => (Number.isNaN(share) ? '-' : (100 * share).toFixed(1));

const text = ({ told, hold, refused, halfWidth }: Count): string =>
  `${percent(hold / told).padStart(5)} of ${String(told).padStart(5)} (${String(refused).padStart(5)} refused, +-${percent(halfWidth).padStart(5)})`;

const found: Coverage[] = [];
for (const scenario of SCENARIOS.filter(({ name }) => only === undefined || name.includes(only))) {
  const coverage = coverageOf(scenario, Number(runs));
  found.push(coverage);
  const { windows, resolved, cells, ratios, refusedRuns, firstRefusal } = coverage;
  const parts = [windows, resolved, cells, ratios].map(text).join(' | ');
  const whole = refusedRuns > 0 ? ` ${refusedRuns} runs refused: ${firstRefusal}` : '';
  process.stdout.write(`${scenario.name.padEnd(32)} ${parts}${whole}\n`);
}
if (file !== undefined && file !== '-') {
  writeFileSync(
    file,
    `${JSON.stringify({ runs: Number(runs), columns: Object.keys(found[0] ?? {}), scenarios: found }, null, 2)}\n`,
  );
}
