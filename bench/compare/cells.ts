/** The cells of a comparison: a target with a function and its input. */

import type { ComparisonCase } from './cases.ts';
import type { Plan } from './plan.ts';
import type { Target } from './target.ts';

/** What has its turn in each block. */
export interface Cell {
  readonly target: Target;
  readonly test: ComparisonCase;
}

/** The cells of a plan on the targets that there are. */
export function cellsOf(targets: readonly Target[], cases: readonly ComparisonCase[], only: Plan['only'] = {}): Cell[] {
  return targets.flatMap((target) =>
    cases
      .filter((test) => only[target.name]?.includes(test.function) ?? true)
      .filter((test) => target.refuses(test.function) === undefined)
      .map((test) => ({ target, test })),
  );
}
