/** The process that `bench budget` measures in: V8's flags say in which tier, so that nothing else may run in it. */

import { readFileSync } from 'node:fs';
import { seededRandom, shuffled } from '../../statistics/random.ts';
import { loadCases, sha256, type ComparisonCase } from '../compare/cases.ts';
import { functionPath } from '../measurement/root.ts';
import { BudgetedGuest } from './budgeted.ts';
import type { BudgetAnswer, BudgetTask } from './budget.ts';

/** CPU time of a sample at the least: what is shorter is called more often. */
const SAMPLE_US = 10_000;
const WARM_UPS = 3;

class Variant {
  readonly samples: number[] = [];
  readonly #guest: BudgetedGuest;
  readonly #test: ComparisonCase;
  #calls = 1;

  constructor(test: ComparisonCase, hasBudget: boolean) {
    this.#test = test;
    this.#guest = new BudgetedGuest(test.function, readFileSync(functionPath(test.function)), hasBudget);
  }

  /** Calls it once and checks what it answered. */
  check(): number {
    const { stdout, units, cpuUs } = this.#guest.run(this.#test.bytes);
    if (sha256(stdout) !== this.#test.expectedSha256) throw new Error(`${this.#test.function} answered wrongly`);
    this.#calls = Math.max(1, Math.ceil(SAMPLE_US / Math.max(cpuUs, 1)));
    return units;
  }

  sample(): void {
    let cpuUs = 0;
    for (let left = this.#calls; left > 0; left--) cpuUs += this.#guest.run(this.#test.bytes).cpuUs;
    this.samples.push(cpuUs / this.#calls);
  }
}

async function measure({ functions, blocks, seed }: BudgetTask): Promise<BudgetAnswer[]> {
  const random = seededRandom(seed);
  const answers: BudgetAnswer[] = [];
  for (const [name, input] of Object.entries(functions)) {
    const [test] = await loadCases([name], [input]);
    if (test === undefined) throw new Error(`${name} has no ${input} input`);
    const plain = new Variant(test, false);
    const budget = new Variant(test, true);
    let units = 0;
    for (let call = 0; call < WARM_UPS; call++) {
      plain.check();
      const seen = budget.check();
      if (call > 0 && seen !== units) throw new Error(`${name} cost ${units} units, then ${seen}`);
      units = seen;
    }
    for (let block = 0; block < blocks; block++) for (const each of shuffled([plain, budget], random)) each.sample();
    answers.push({ function: name, units, plainUs: plain.samples, budgetUs: budget.samples });
  }
  return answers;
}

process.send?.(await measure(JSON.parse(process.argv[2] ?? '') as BudgetTask));
process.disconnect();
