/** Functions with a budget and without, side by side in a process for each tier of V8. */

import { fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { InputName } from '../compare/plan.ts';

/** Flags that keep all code in one tier. */
const TIER_FLAGS = {
  liftoff: ['--liftoff', '--no-wasm-tier-up', '--no-wasm-dynamic-tiering'],
  turbofan: ['--no-liftoff', '--no-wasm-lazy-compilation'],
} as const;

/** V8's first compiler, and its optimising one. */
export type Tier = keyof typeof TIER_FLAGS;

/** What a process is to measure. */
export interface BudgetTask {
  /** Functions, and the input that each is called with. */
  readonly functions: Readonly<Record<string, InputName>>;
  readonly blocks: number;
  readonly seed: number;
}

/** CPU time of calls of one function, in microseconds: a mean for each block. */
export interface BudgetAnswer {
  readonly function: string;
  /** What a call costs, in units. */
  readonly units: number;
  readonly plainUs: readonly number[];
  readonly budgetUs: readonly number[];
}

/** @throws Error when the process ends without an answer */
export function budgetOf(tier: Tier, task: BudgetTask): Promise<readonly BudgetAnswer[]> {
  const path = fileURLToPath(new URL(`./budget-process${extname(import.meta.url)}`, import.meta.url));
  const child = fork(path, [JSON.stringify(task)], { execArgv: [...TIER_FLAGS[tier]] });
  return new Promise((resolve, reject) => {
    child.once('message', (answers) => resolve(answers as BudgetAnswer[]));
    child.once('exit', (code) => reject(new Error(`Cannot measure in ${tier}: its process exited with ${code}`)));
  });
}
