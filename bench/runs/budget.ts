/** `bench budget`: what counting units costs each compute function, in both tiers of V8. */

import type { InputName } from '../compare/plan.ts';
import { atMost, compared, compareLatency, type Comparison } from '../measurement/comparison.ts';
import type { Findings } from '../measurement/result.ts';
import { rowOf, type Series } from '../measurement/series.ts';
import { budgetOf, type BudgetAnswer, type Tier } from '../subjects/budget.ts';
import type { RunOptions } from './options.ts';

/** The most that a budget may cost one function, and the geometric mean of all. */
const MOST = 1.25;
const MOST_IN_THE_MEAN = 1.1;
/** What else runs on the machine only adds to a time: the lower quartile has least of it. */
const QUARTILE = 0.25;

/** Compute functions, with an input that keeps each busy for milliseconds where there is one. */
const FUNCTIONS: Readonly<Record<string, InputName>> = {
  base64: 'medium',
  bfs: 'large',
  crc32: 'medium',
  exponential: 'large',
  factorial: 'large',
  fibonacci: 'large',
  'fibonacci-recursive': 'medium',
  'json-transform': 'medium',
  mandelbrot: 'small',
  matmul: 'medium',
  'mc-pi': 'medium',
  nbody: 'medium',
  pagerank: 'large',
  'prime-number': 'medium',
  sha256: 'medium',
  sieve: 'medium',
  sort: 'medium',
  'spectral-norm': 'medium',
  thumbnail: 'medium',
  'word-count': 'medium',
};

/** Measures what a budget of units costs. @throws Error where a call costs other units than the one before */
export async function runBudget({ blocks, seed }: RunOptions): Promise<Findings> {
  const series: Series[] = [];
  const comparisons: Comparison[] = [];
  const units = new Map<string, number>();
  for (const tier of ['liftoff', 'turbofan'] as const) {
    const ratios: Comparison[] = [];
    for (const answer of await budgetOf(tier, { functions: FUNCTIONS, blocks, seed })) {
      const [plain, budget] = seriesOf(tier, answer);
      series.push(plain, budget);
      ratios.push(compareLatency(budget, plain, QUARTILE, atMost(MOST)));
      const before = units.get(answer.function) ?? answer.units;
      if (before !== answer.units)
        throw new Error(`${answer.function} costs ${before} units in one tier, ${answer.units} in the other`);
      units.set(answer.function, answer.units);
    }
    comparisons.push(...ratios, meanOf(tier, ratios));
  }
  return { rows: series.map(rowOf), comparisons, series, missing: [] };
}

function seriesOf(tier: Tier, { function: name, plainUs, budgetUs }: BudgetAnswer): [plain: Series, budget: Series] {
  const of = (subject: string, samples: readonly number[]): Series => ({
    bench: 'budget',
    subject,
    function: name,
    blocks: samples.map((us) => Float64Array.of(us)),
  });
  return [of(tier, plainUs), of(`${tier}-budget`, budgetUs)];
}

/** The geometric mean of all functions; its interval is that of the ends of theirs, wider than it need be. */
function meanOf(tier: Tier, ratios: readonly Comparison[]): Comparison {
  const mean = (of: (ratio: Comparison) => number): number =>
    Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(of(ratio)), 0) / ratios.length);
  const names = { bench: 'budget', subject: `${tier}-budget`, against: tier, metric: 'geometric mean' };
  const estimate = { value: mean(({ ratio }) => ratio), low: mean(({ low }) => low), high: mean(({ high }) => high) };
  return compared(names, estimate, atMost(MOST_IN_THE_MEAN));
}
